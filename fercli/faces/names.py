"""What names say: a picture or a video by its ending, hidden or not, and in which order people expect them."""

import re
from pathlib import Path
from typing import Literal

from fercli.faces.decode import PICTURE_SUFFIXES

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
