"""Folders with tens of thousands of files, looked at once: what is in them, and where files really lie."""

import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from fercli.faces.io.decode import PICTURE_SUFFIXES


@dataclass
class Below:
    """What a folder holds: its pictures and videos, as paths from there and whether each is a link, in natural
    order; which folders cannot be looked into; and whether there are folders in it."""

    files: list[tuple[Path, bool]] = field(default_factory=list)
    unreadable: list[OSError] = field(default_factory=list)
    deeper: bool = False


def look_below(folder: Path, recursive: bool) -> Below:
    """The pictures and videos in a folder, by their endings; hidden names do not count. Links to folders are not
    followed.

    By os.scandir, which tells files from folders without asking for the status of each.
    """
    below = Below()
    waiting = [""]
    while waiting:
        inner = waiting.pop()
        try:
            with os.scandir(folder / inner) as entries:
                for entry in entries:
                    if entry.name.startswith("."):
                        continue
                    if _is_folder(entry):
                        below.deeper = True
                        if recursive and not entry.is_symlink():
                            waiting.append(os.path.join(inner, entry.name))  # noqa: PTH118 (three times as fast)
                    elif kind_of(entry.name):
                        below.files.append((Path(inner, entry.name), entry.is_symlink()))
        except OSError as error:
            below.unreadable.append(error)
    below.files.sort(key=lambda file: natural_key(file[0]))
    return below


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # of a link that leads in a circle or to where nobody may look
        return False


class Places:
    """Where files really lie, links followed: as text that is the same for the same file.

    A folder is asked after once, not again for each file in it. Not to be kept while files are moved.
    """

    def __init__(self) -> None:
        self._folders: dict[Path, str] = {}

    def of(self, path: Path, is_link: bool) -> str:
        """The place of a file that is itself a link or is none."""
        if is_link or path.name in ("", ".."):
            return os.path.normcase(os.path.realpath(path))
        folder = self._folders.get(path.parent)
        if folder is None:
            folder = self._folders[path.parent] = os.path.realpath(path.parent)
        return os.path.normcase(os.path.join(folder, path.name))  # noqa: PTH118


#: The endings, in lower case, of what is taken for a video.
VIDEO_SUFFIXES = frozenset(
    (".mp4", ".m4v", ".mov", ".avi", ".mkv", ".webm", ".mpg", ".mpeg", ".wmv", ".flv", ".ogv", ".3gp", ".mts", ".m2ts")
)

Kind = Literal["picture", "video"]

#: What Windows does not take in a file name, and what moves a terminal's cursor.
_UNSAFE = re.compile(r'[\x00-\x1f\x7f-\x9f<>:"|?*\\]')
#: Bytes that a file name may have, less what is put around it while it is written.
_LONGEST = 200


def kind_of(name: str) -> Kind | None:
    """What a name's ending says, None where it is neither a picture's nor a video's."""
    suffix = Path(name).suffix.lower()
    if suffix in PICTURE_SUFFIXES:
        return "picture"
    return "video" if suffix in VIDEO_SUFFIXES else None


def natural_key(path: Path) -> tuple[list[tuple[int, int, str]], str]:
    """A sort key under which 'img2' comes before 'img10' and case does not count, except between equals."""
    pieces = re.split(r"([0-9]+)", "\0".join(path.parts).casefold())
    return [_piece(piece) for piece in pieces if piece], str(path)


def _piece(piece: str) -> tuple[int, int, str]:
    """Numbers before letters, and by their length first: int() refuses those of thousands of digits."""
    digits = piece.lstrip("0")
    return (0, len(digits), digits) if piece.isdecimal() else (1, 0, piece)


def is_hidden(name: str) -> bool:
    """Whether a name in an archive, with slashes, is an operating system's own: '.DS_Store', '__MACOSX/…'."""
    return any(part == "__MACOSX" or (part.startswith(".") and part not in (".", "..")) for part in name.split("/"))


def safe_path(name: str) -> Path:
    """A relative path for a name with slashes from elsewhere: every system takes it, and it leads nowhere else."""
    return Path(*(_safe(part) for part in name.split("/") if part not in ("", ".", "..")))


def _safe(part: str) -> str:
    """One part of a path, the characters that some system refuses replaced, long ones shortened."""
    plain = _UNSAFE.sub("_", part.encode("utf-8", "replace").decode())
    end = Path(plain).suffix[:20]
    short = plain.removesuffix(end).encode()[: _LONGEST - len(end.encode())].decode("utf-8", "ignore")
    return (short + end).rstrip(". ") or "_"
