"""From what was typed to the pictures and videos meant: files, and folders with them in."""

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from fercli.core.errors import UsageError
from fercli.faces.decode import PICTURE_SUFFIXES

#: The endings, in lower case, of what is read as a video.
VIDEO_SUFFIXES = frozenset(
    (".mp4", ".m4v", ".mov", ".avi", ".mkv", ".webm", ".mpg", ".mpeg", ".mts", ".m2ts", ".wmv", ".flv", ".3gp", ".ogv")
)

Kind = Literal["picture", "video"]


@dataclass(frozen=True)
class Source:
    """One picture or video to read, or a path that gave none and why.

    `path` is as typed (below a folder: joined to it). `inside` is where a copy of it goes within a folder of
    copies: its name, or its path within the folder that was typed.
    """

    path: Path
    inside: Path
    fault: str = ""
    kind: Kind = "picture"


def kind_of(path: Path) -> Kind:
    """What a file is read as, by its ending: a video, or else a picture."""
    return "video" if path.suffix.lower() in VIDEO_SUFFIXES else "picture"


def find_sources(paths: Sequence[Path], recursive: bool = False) -> list[Source]:
    """The pictures and videos at `paths`, each once: arguments in their order, a folder's files in natural order.

    A file is taken whatever its ending; in folders only PICTURE_SUFFIXES and VIDEO_SUFFIXES count, hidden names
    do not. A path
    that is missing, or a folder that holds no picture, becomes a source with a fault.

    Raises UsageError where there is nothing at all to work on.
    """
    if not paths:
        raise UsageError("no picture given: fer predict PATH… takes pictures and folders, --demo has one built in")
    found: dict[Path, Source] = {}
    for path in paths:
        for source in sources_at(path, recursive):
            found.setdefault(source.path.resolve(), source)
    sources = list(found.values())
    if all(source.fault for source in sources):
        first = f"{sources[0].path}: {sources[0].fault}"
        others = len(sources) - 1
        raise UsageError(f"nothing to work on: {first}" + (f" (and {others} more like it)" if others else ""))
    return sources


def sources_at(path: Path, recursive: bool = False) -> Iterator[Source]:
    """What `find_sources` takes one path for: a file, or a folder's pictures."""
    return _below(path, recursive) if path.is_dir() else iter([_single(path)])


def natural_key(path: Path) -> tuple[list[tuple[int, int | str]], str]:
    """A sort key under which 'img2' comes before 'img10' and case does not count, except between equals."""
    pieces = re.split(r"([0-9]+)", "\0".join(path.parts).casefold())
    return [(0, int(piece)) if piece.isdecimal() else (1, piece) for piece in pieces if piece], str(path)


def _single(path: Path) -> Source:
    return Source(path, Path(path.name), "" if os.path.lexists(path) else "no such file or folder", kind_of(path))


def _below(folder: Path, recursive: bool) -> Iterator[Source]:
    unreadable: list[OSError] = []
    pictures: list[Path] = []
    deeper = False
    for place, folders, names in os.walk(folder, onerror=unreadable.append):
        folders[:] = [name for name in folders if not name.startswith(".")]
        pictures += [Path(place, name) for name in names if _is_picture(name)]
        if not recursive:
            deeper = bool(folders)
            break
    for error in unreadable:
        barred = Path(error.filename or folder)
        yield Source(barred, Path(barred.name), f"cannot look into this folder: {error.strerror}")
    if not pictures and not unreadable:
        hint = " (--recursive looks into its folders too)" if deeper else ""
        yield Source(folder, Path(folder.name), f"a folder without pictures{hint}")
    for picture in sorted(pictures, key=natural_key):
        yield Source(picture, picture.relative_to(folder), kind=kind_of(picture))


def _is_picture(name: str) -> bool:
    return not name.startswith(".") and Path(name).suffix.lower() in PICTURE_SUFFIXES | VIDEO_SUFFIXES
