"""Face sets from folders of pictures: a folder a class, below train, val and test or without them; also zipped."""

import unicodedata
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from fercli.core.errors import DataError, PictureError
from fercli.core.labels import EXPRESSIONS, canonical, is_expression, ordered
from fercli.data.faceset import SIDE, FaceSet
from fercli.data.sources import files_below, is_hidden, opened_zip
from fercli.faces.decode import PICTURE_SUFFIXES, read_picture

LAYOUT = "a folder for each class (angry, disgust, …) with its pictures, or train, val and test with such folders"

_PARTS = {
    "train": "train", "training": "train",
    "val": "val", "valid": "val", "validation": "val", "publictest": "val",
    "test": "test", "testing": "test", "privatetest": "test",
}  # fmt: skip
#: Pictures are taken for whole photographs when the median longer side is over this many pixels …
_LARGE = 256
#: … or when most are longer than wide, or wider than long, by more than this.
_OBLONG = 1.25


@dataclass(frozen=True)
class _Picture:
    """A picture's name in its source, the class folder it lies in, and the part, '' where there are none."""

    name: str
    part: str
    label: str


#: A file's content by its name in the source.
_Reader = Callable[[str], bytes]


def load_folder(path: Path, name: str | None = None) -> FaceSet:
    """The face set of a folder, or of a zip archive, of class folders; see LAYOUT.

    Class names are matched as expressions (anger is angry). When all are among FER2013's seven, those are the
    classes; otherwise the names found are. Pictures are turned gray and, unless they are 48×48, squeezed to it:
    shrunk by averaging areas, enlarged linearly. Ids are the file names from the folder on, with slashes.
    What is left out or looks wrong stands in the notes. Subjects are not known.

    Raises DataError where there are no pictures in class folders, or none that can be read.
    """
    with _opened(path) as (names, reader):
        pictures, notes = _arranged(path, [name for name in names if is_picture(name)])
        with ThreadPoolExecutor() as pool:
            read = list(pool.map(lambda picture: _read(reader, picture.name), pictures))
    faults = [(picture.name, fault) for picture, fault in zip(pictures, read, strict=True) if isinstance(fault, str)]
    kept = [(picture, face) for picture, face in zip(pictures, read, strict=True) if not isinstance(face, str)]
    if not kept:
        raise DataError(f"{path}: none of {len(pictures)} pictures can be read; {faults[0][0]}: {faults[0][1]}")
    found = {picture.label for picture, _ in kept}
    classes = _classes(path, found)
    if absent := [name for name in classes if name not in found]:
        notes.append(f"there are no pictures of {', '.join(absent)}")
    parts = [picture.part for picture, _ in kept]
    return FaceSet(
        name=name or path.stem,
        images=np.stack([face.pixels for _, face in kept])[:, None],
        labels=np.array([classes.index(picture.label) for picture, _ in kept], dtype=np.int64),
        classes=classes,
        ids=tuple(_printable(picture.name) for picture, _ in kept),
        parts=np.array(parts) if all(parts) else None,
        notes=(*notes, *_fault_notes(faults), *_photograph_notes([face.size for _, face in kept])),
    )


def has_class_folders(path: Path) -> bool:
    """Whether a folder looks, from its outside, like one that `load_folder` reads: for telling it from one that
    only holds other sets."""
    try:
        names = [inner.name for inner in path.iterdir() if inner.is_dir()]
    except OSError:
        return False
    return any(name.lower() in _PARTS or is_expression(name) for name in names)


def is_picture(name: str) -> bool:
    """Whether a name in a folder or archive is a picture's."""
    return PurePosixPath(name).suffix.lower() in PICTURE_SUFFIXES and not is_hidden(name)


@contextmanager
def _opened(path: Path) -> Iterator[tuple[list[str], _Reader]]:
    """The names of all files in a folder or zip archive, sorted, and what reads one of them."""
    if path.is_dir():
        yield [name for name, _ in files_below(path)], lambda name: (path / name).read_bytes()
    else:
        with opened_zip(path) as archive:
            yield sorted(archive.namelist()), archive.read


def _arranged(path: Path, names: list[str]) -> tuple[list[_Picture], list[str]]:
    """Which class and part each picture is of, by the folders it lies in, and a note on those outside."""
    if not names:
        raise DataError(f"{path}: no pictures in it; expected: {LAYOUT}")
    folders = {name: PurePosixPath(name).parts[:-1] for name in names}
    outer = _outer(list(folders.values()))
    inner = {name: parts[outer:] for name, parts in folders.items()}
    split = any(len(parts) > 1 and parts[0].lower() in _PARTS for parts in inner.values())
    pictures = []
    for name, parts in inner.items():
        part = _PARTS.get(parts[0].lower(), "") if split and parts else ""
        if len(parts) > split and bool(part) == split:
            pictures.append(_Picture(name, part, canonical(parts[split])))
    if not pictures:
        raise DataError(f"{path}: {len(names)} pictures, but not in class folders; expected: {LAYOUT}")
    placed = {picture.name for picture in pictures}
    outside = [name for name in names if name not in placed]
    where = "the folders train, val and test" if split else "class folders"
    return pictures, [f"left out {_counted(outside)} outside of {where}"] if outside else []


def _outer(folders: list[tuple[str, ...]]) -> int:
    """How many folders around the sets' own are to be looked through: those that all pictures share and that
    are no part or class themselves (archive.zip/fer2013/train/…)."""
    depth = 0
    while all(len(parts) > depth + 1 and parts[depth] == folders[0][depth] for parts in folders):
        if folders[0][depth].lower() in _PARTS or is_expression(folders[0][depth]):
            break
        depth += 1
    return depth


def _classes(path: Path, names: set[str]) -> tuple[str, ...]:
    if names <= set(EXPRESSIONS):
        return EXPRESSIONS
    if len(names) == 1:
        raise DataError(f"{path}: all pictures are of one class, {names.pop()!r}; expected: {LAYOUT}")
    return ordered(names)


@dataclass(frozen=True)
class _Face:
    """A picture as a face [48, 48] uint8, and the size (width, height) it had."""

    pixels: NDArray[np.uint8]
    size: tuple[int, int]


def _read(reader: _Reader, name: str) -> _Face | str:
    """A picture as a face, or the reason why it cannot be one."""
    try:
        picture = Image.fromarray(read_picture(reader(name)))
    except PictureError as error:
        return str(error)
    except OSError as error:
        return error.strerror or str(error)
    gray = picture.convert("L")
    if gray.size != (SIDE, SIDE):
        kernel = Image.Resampling.BOX if min(gray.size) > SIDE else Image.Resampling.BILINEAR
        gray = gray.resize((SIDE, SIDE), kernel)
    return _Face(np.asarray(gray), picture.size)


def _fault_notes(faults: list[tuple[str, str]]) -> tuple[str, ...]:
    if not faults:
        return ()
    return (f"left out {_counted([f'{name} ({reason})' for name, reason in faults])} that cannot be read",)


def _counted(names: list[str]) -> str:
    """'5 pictures (a, b, c, …)', in characters that every terminal takes."""
    shown = ", ".join(map(_printable, names[:3])) + (", …" if len(names) > 3 else "")
    return f"{len(names)} picture{'s' if len(names) > 1 else ''} ({shown})"


def _photograph_notes(sizes: list[tuple[int, int]]) -> tuple[str, ...]:
    shorter, longer = np.sort(np.array(sizes), axis=1).T
    if np.median(longer) <= _LARGE and np.mean(longer > _OBLONG * shorter) <= 0.5:
        return ()
    return (
        f"these look like whole photographs (median longer side {np.median(longer):.0f} pixels), not like face "
        "crops: faces must be found and cropped first (fer predict does so; a --detect option for data sets is "
        "planned)",
    )


def _printable(name: str) -> str:
    """A file name without control characters and bytes that are no UTF-8, which would break tables and terminals."""
    return "".join(
        ascii(character)[1:-1] if unicodedata.category(character) in ("Cc", "Cs") else character for character in name
    )
