"""File names and folders: the kind of a file by its ending, the order people expect, and what a folder contains."""

import glob
import os
import re
import stat
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from fercli.faces.io.decode import PICTURE_SUFFIXES

#: The endings, in lower case, of files that are read as videos.
VIDEO_SUFFIXES = frozenset(
    (".mp4", ".m4v", ".mov", ".avi", ".mkv", ".webm", ".mpg", ".mpeg", ".wmv", ".flv", ".ogv", ".3gp", ".mts", ".m2ts")
)

Kind = Literal["picture", "video"]

#: Characters that Windows does not allow in a file name, and control characters.
_UNSAFE = re.compile(r'[\x00-\x1f\x7f-\x9f<>:"|?*\\]')
#: The longest file name in bytes, with room for what a temporary name adds while the file is written.
_MAX_NAME_BYTES = 200


def guess_kind(name: str) -> Kind | None:
    """The kind of a file by the ending of its name, or None for other files."""
    suffix = Path(name).suffix.lower()
    if suffix in PICTURE_SUFFIXES:
        return "picture"
    return "video" if suffix in VIDEO_SUFFIXES else None


def natural_key(path: Path) -> tuple[list[tuple[int, int, str]], str]:
    """A sort key that puts 'img2' before 'img10' and ignores case, except between names that are otherwise equal."""
    pieces = re.split(r"([0-9]+)", "\0".join(path.parts).casefold())
    return [_piece_key(piece) for piece in pieces if piece], str(path)


def _piece_key(piece: str) -> tuple[int, int, str]:
    """Numbers before letters; numbers by length first, because int() refuses those of thousands of digits."""
    digits = piece.lstrip("0")
    return (0, len(digits), digits) if piece.isdecimal() else (1, 0, piece)


def is_hidden(name: str) -> bool:
    """Whether a name with slashes, as in an archive, belongs to the operating system: '.DS_Store', '__MACOSX/…'."""
    return any(part == "__MACOSX" or (part.startswith(".") and part not in (".", "..")) for part in name.split("/"))


def make_safe_path(name: str) -> Path:
    """Turn a name with slashes from an unknown system into a relative path that is valid everywhere.

    The path never leads out of the folder that it is joined to.
    """
    return Path(*(_make_safe_part(part) for part in name.split("/") if part not in ("", ".", "..")))


def _make_safe_part(part: str) -> str:
    """One part of a path, with invalid characters replaced and long names shortened."""
    plain = _UNSAFE.sub("_", part.encode("utf-8", "replace").decode())
    suffix = Path(plain).suffix[:20]
    stem = plain.removesuffix(suffix).encode()[: _MAX_NAME_BYTES - len(suffix.encode())].decode("utf-8", "ignore")
    return (stem + suffix).rstrip(". ") or "_"


@dataclass
class FolderContents:
    """What a folder contains: its pictures and videos, the folders that cannot be read, and whether it has folders.

    `files` has the path of each file relative to the folder, and whether it is a link, in natural order.
    """

    files: list[tuple[Path, bool]] = field(default_factory=list)
    unreadable: list[OSError] = field(default_factory=list)
    has_folders: bool = False


def scan_folder(folder: Path, recursive: bool) -> FolderContents:
    """Find the pictures and videos in a folder by their endings. Hidden names are skipped, links to folders too.

    os.scandir tells files from folders without a stat call for each, which matters with tens of thousands of files.
    """
    contents = FolderContents()
    pending = [""]
    while pending:
        inner = pending.pop()
        try:
            with os.scandir(folder / inner) as entries:
                for entry in entries:
                    if entry.name.startswith("."):
                        continue
                    if _is_folder(entry):
                        contents.has_folders = True
                        if recursive and not entry.is_symlink():
                            pending.append(os.path.join(inner, entry.name))  # noqa: PTH118 (three times as fast)
                    elif guess_kind(entry.name):
                        contents.files.append((Path(inner, entry.name), entry.is_symlink()))
        except OSError as error:
            contents.unreadable.append(error)
    contents.files.sort(key=lambda file: natural_key(file[0]))
    return contents


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a circular link, or one to where access is denied
        return False


def find_matches(pattern: Path) -> Iterator[Path]:
    """The files and folders that match a pattern as in a shell, in any order; '**' stands for any folders.

    glob.glob would follow links in circles. Here '**' visits each folder once, by the shortest way.
    """
    if "**" not in pattern.parts:
        yield from map(Path, glob.glob(str(pattern)))  # noqa: PTH207
        return
    index = pattern.parts.index("**")
    outer, inner = Path(*pattern.parts[:index]), Path(*pattern.parts[index + 1 :])
    for path, is_folder in _walk(list(find_matches(outer)) if index else [Path()]):
        if inner != Path():
            yield from find_matches(Path(glob.escape(str(path)), inner)) if is_folder else ()
        elif path != Path():
            yield path


def _walk(starts: list[Path]) -> Iterator[tuple[Path, bool]]:
    """Folders and all that is in them, without hidden names, and whether each is a folder."""
    visited: set[tuple[int, int]] = set()
    level = starts
    while level:
        inner: list[Path] = []
        for folder in sorted(level, key=natural_key):
            with suppress(OSError):
                status = folder.stat()
                if not stat.S_ISDIR(status.st_mode) or (status.st_dev, status.st_ino) in visited:
                    continue
                visited.add((status.st_dev, status.st_ino))
                yield folder, True
                with os.scandir(folder) as entries:
                    for entry in entries:
                        if entry.name.startswith("."):
                            continue
                        if _is_folder(entry):
                            inner.append(folder / entry.name)
                        else:
                            yield folder / entry.name, False
        level = inner


def scan_all_files(folder: Path) -> Iterator[tuple[str, os.DirEntry[str]]]:
    """Every file below a folder, in any order: its name relative to the folder, with slashes, and its entry.

    Links are followed, except to a folder that the link lies in. Raises OSError for a folder that cannot be read. A
    data set has tens of thousands of files; os.scandir takes less than a third of pathlib's time.
    """
    return _scan_all(os.fspath(folder), "", ())


def _scan_all(
    folder: str, prefix: str, enclosing: tuple[tuple[int, int], ...]
) -> Iterator[tuple[str, os.DirEntry[str]]]:
    status = os.stat(folder)  # noqa: PTH116
    if (identity := (status.st_dev, status.st_ino)) in enclosing:
        return
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir():
                yield from _scan_all(entry.path, f"{prefix}{entry.name}/", (*enclosing, identity))
            elif entry.is_file():
                yield prefix + entry.name, entry


class RealPaths:
    """Resolves paths through links, as text that is the same for the same file.

    Each folder is resolved once rather than once for each of its files. Do not keep it while files are moved.
    """

    def __init__(self) -> None:
        self._folders: dict[Path, str] = {}

    def resolve(self, path: Path, is_link: bool) -> str:
        """The real path of a file. `is_link` says whether the file itself is a link."""
        if is_link or path.name in ("", ".."):
            return os.path.normcase(os.path.realpath(path))
        folder = self._folders.get(path.parent)
        if folder is None:
            folder = self._folders[path.parent] = os.path.realpath(path.parent)
        return os.path.normcase(os.path.join(folder, path.name))  # noqa: PTH118
