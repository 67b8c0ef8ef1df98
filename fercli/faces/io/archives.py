"""Listing and reading the files in zip and tar archives, which are recognised by their first bytes."""

import re
import tarfile
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import IO, TYPE_CHECKING, Literal

from fercli.core.errors import reason_of
from fercli.faces.io.compression import decompress, explain_damage, is_compressed, read_head
from fercli.faces.io.folders import guess_kind, is_hidden, natural_key

if TYPE_CHECKING:
    from fercli.faces.io.archive_formats import Archive

_ZIP_MAGIC = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")
_TAR_SUFFIXES = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz")


@dataclass(frozen=True, slots=True)
class Member:
    """A file in an archive: the archive's path and the file's number in it, from 0 on."""

    archive: Path
    number: int


def is_wanted(name: str) -> bool:
    """Whether a name in an archive is a picture's or video's, by its ending, and not hidden or in '__MACOSX'."""
    return guess_kind(name) is not None and not is_hidden(name)


def list_members(path: Path, wanted: Callable[[str], bool] = is_wanted) -> tuple[list[tuple[str, Member]], str]:
    """List the files in an archive whose names are `wanted`, and the error that ended the list early, or ''.

    Parts of a name are separated by slashes; there is none at the start. If several files have the same name, the last
    one counts, as in unpacking. The list is in natural order, except that a compressed tar archive's is as stored,
    because it can only be read from front to back. Such an archive is decompressed to its end: if its checksums are
    wrong, nothing in it is listed, because no one can tell which of its files are right. If its end is missing, what
    comes before is listed.
    """
    members: dict[str, Member] = {}
    reason = ""
    try:
        archive = open_archive(path)
    except Exception as error:  # a damaged archive raises almost anything
        return [], _describe_damage(error)
    with closing(archive):
        try:
            for number, raw_name in archive.names():
                if wanted(name := _clean_name(raw_name)):
                    members.pop(name, None)
                    members[name] = Member(path, number)
        except Exception as error:
            reason = _describe_damage(error)
        try:
            archive.verify()
        except EOFError as error:
            reason = reason or _describe_damage(error)
        except Exception as error:
            return [], _describe_damage(error)
    listed = list(members.items())
    if archive.in_any_order:
        listed.sort(key=lambda item: natural_key(Path(item[0])))
    return listed, reason


class MemberReader:
    """Reads members of archives. The last archive stays open until a member of another one is read.

    Compressed tar archives are read from front to back, in a single thread and fast only in the order of
    `list_members`; with `in_any_order`, such an archive is first decompressed to a temporary file. The members of one
    archive can then be read by several threads.
    """

    def __init__(self, in_any_order: bool = False) -> None:
        self._in_any_order = in_any_order
        self._path: Path | None = None
        self._archive: Archive | None = None
        self._lock = Lock()

    def read(self, member: Member) -> bytes:
        """A member's content.

        Raises PictureError with a reason in one line, which does not name the member: DamagedError if the archive is
        damaged.
        """
        with explain_damage():
            return self.open(member.archive).read(member.number)

    def open_stream(self, member: Member) -> IO[bytes]:
        """A member as a stream, to be read before anything else is. Raises PictureError as `read` does, also later."""
        with explain_damage():
            return self.open(member.archive).open(member.number)

    def open(self, path: Path) -> "Archive":
        """An archive, which stays open until another one is. Raises PictureError as `read` does."""
        with self._lock, explain_damage():
            if self._archive is None or self._path != path:
                self.close()
                self._archive, self._path = open_archive(path, self._in_any_order), path
            return self._archive

    def close(self) -> None:
        """Close the open archive, if any."""
        if self._archive is not None:
            self._archive.close()
        self._archive = None


def archive_format(path: Path) -> Literal["zip", "tar"] | None:
    """The format of an archive by its first bytes; by its ending if these are of no archive, damaged or not there.

    None for other files, such as a table that is compressed by itself.
    """
    if read_head(path).startswith(_ZIP_MAGIC):
        return "zip"
    if _is_tar_header(read_head(path, decompressed=True)):
        return "tar"
    name = path.name.lower()
    return "zip" if name.endswith(".zip") else "tar" if has_archive_ending(name) else None


def has_archive_ending(name: str) -> bool:
    """Whether a name ends as those of zip and tar archives do."""
    return name.lower().endswith((".zip", *_TAR_SUFFIXES))


def open_archive(path: Path, in_any_order: bool = False) -> "Archive":
    """Open an archive, `in_any_order` as MemberReader has it. Raises whatever `zipfile` or `tarfile` raises."""
    # where there are only pictures, nothing of archives is loaded
    from fercli.faces.io.archive_formats import CompressedTarArchive, TarArchive, ZipArchive

    if archive_format(path) == "zip":
        return ZipArchive(path)
    if not is_compressed(path):
        return TarArchive(path.open("rb"))
    return TarArchive(decompress(path)) if in_any_order else CompressedTarArchive(path)


def _is_tar_header(head: bytes) -> bool:
    """Whether a tar archive begins so: its header has a checksum."""
    try:
        tarfile.TarInfo.frombuf(head, "utf-8", "surrogateescape")
    except tarfile.HeaderError:
        return False
    return True


def _clean_name(name: str) -> str:
    """A member's name without empty parts and '.'. Control characters, which move a terminal's cursor, are replaced."""
    parts = [part for part in name.split("/") if part not in ("", ".")]
    return re.sub(r"[\x00-\x1f\x7f-\x9f]", "\ufffd", "/".join(parts))


def _describe_damage(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return f"the archive cannot be read: {error.strerror}"
    return f"the archive is damaged or only half there: {reason_of(error)}"
