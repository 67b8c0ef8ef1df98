"""Pictures in folders and zip archives, read as the 48×48 gray faces that they show."""

import unicodedata
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray

from fercli.core.errors import PictureError
from fercli.data.sources import files_below, opened_zip
from fercli.faces.crop import squeeze_to_face
from fercli.faces.io.decode import PICTURE_SUFFIXES, read_picture
from fercli.faces.io.folders import is_hidden

#: A file's content by its name in the source.
Reader = Callable[[str], bytes]


@dataclass(frozen=True)
class Face:
    """A picture as a face [48, 48] uint8, and the size (width, height) it had."""

    pixels: NDArray[np.uint8]
    size: tuple[int, int]


def is_picture(name: str) -> bool:
    """Whether a name in a folder or archive is a picture's."""
    return PurePosixPath(name).suffix.lower() in PICTURE_SUFFIXES and not is_hidden(name)


@contextmanager
def opened(path: Path) -> Iterator[tuple[list[str], Reader]]:
    """The names of all files in a folder or zip archive, sorted, and what reads one of them.

    Raises DataError where they cannot be read.
    """
    if path.is_dir():
        yield [name for name, _ in files_below(path)], lambda name: (path / name).read_bytes()
    else:
        with opened_zip(path) as archive:
            yield sorted(archive.namelist()), archive.read


def read_rgb(reader: Reader, name: str) -> NDArray[np.uint8] | str:
    """A picture's pixels, RGB [H, W, 3], or the reason why it cannot be read."""
    try:
        return read_picture(reader(name))
    except PictureError as error:
        return str(error)
    except OSError as error:
        return error.strerror or str(error)


def read_crops(names: Sequence[str], reader: Reader) -> list[Face | str]:
    """Each picture as `squeeze_to_face` makes a face of it; in place of one that cannot be read stands the reason."""
    with ThreadPoolExecutor() as pool:
        return list(pool.map(lambda name: _squeezed(read_rgb(reader, name)), names))


def _squeezed(pixels: NDArray[np.uint8] | str) -> Face | str:
    if isinstance(pixels, str):
        return pixels
    height, width = pixels.shape[:2]
    return Face(squeeze_to_face(pixels), (width, height))


def counted(names: Sequence[str]) -> str:
    """'5 pictures (a, b, c, …)', in characters that every terminal takes."""
    shown = ", ".join(map(printable, names[:3])) + (", …" if len(names) > 3 else "")
    return f"{len(names):,} picture{'s' if len(names) > 1 else ''} ({shown})"


def printable(name: str) -> str:
    """A file name without control characters and bytes that are no UTF-8, which would break tables and terminals."""
    return "".join(
        ascii(character)[1:-1] if unicodedata.category(character) in ("Cc", "Cs") else character for character in name
    )
