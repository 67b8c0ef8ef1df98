"""LoadOptions the pictures in zip and tar archives without unpacking them to disk."""

import bz2
import gzip
import lzma
import re
import tarfile
import zipfile
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Protocol

from fercli.core.errors import PictureError
from fercli.faces.io.folders import guess_kind, is_hidden, natural_key

#: A member of more bytes is refused, whether its header says so or unpacking shows it.
MAX_BYTES = 1 << 30
#: Bytes unpacked at a time, so that the limit is checked before a small file can grow to gigabytes.
_CHUNK = 1 << 16
#: Bits in the flags of a zip member.
_ENCRYPTED, _UTF8 = 0x1, 0x800

_GZIP, _BZIP2, _XZ = (".tar.gz", ".tgz"), (".tar.bz2", ".tbz2"), (".tar.xz", ".txz")
_SUFFIXES = (".zip", ".tar", *_GZIP, *_BZIP2, *_XZ)


@dataclass(frozen=True, slots=True)
class Member:
    """A file in an archive: the archive's path and the member's index in it, from 0 on."""

    archive: Path
    number: int


def list_members(path: Path) -> tuple[list[tuple[str, Member]], str]:
    """List the pictures and videos in an archive by name, and the error that ended the list early, or ''.

    They are recognised by their endings. Hidden names and those in '__MACOSX' are left out. Parts of a name are
    separated by slashes; there is none at the start. Members of a zip archive are in natural order, those of a tar
    archive as stored. If several members have the same name, the last one counts, as in unpacking. Listing a compressed
    tar archive decompresses it once.
    """
    members: dict[str, Member] = {}
    reason = ""
    try:
        with closing(open_archive(path)) as archive:
            for number, raw_name in archive.names():
                name = _clean_name(raw_name)
                if guess_kind(name) and not is_hidden(name):
                    members.pop(name, None)
                    members[name] = Member(path, number)
    except Exception as error:  # a damaged archive raises almost anything
        reason = f"the archive is damaged or only half there: {_get_reason(error)}"
    listed = list(members.items())
    if path.suffix.lower() == ".zip":
        listed.sort(key=lambda item: natural_key(Path(item[0])))
    return listed, reason


class MemberReader:
    """Reads members of archives. The last archive stays open until a member of another one is read.

    Fast in the order of `list_members`. Not thread-safe: each open archive has a single read position.
    """

    def __init__(self) -> None:
        self._path: Path | None = None
        self._archive: Archive | None = None

    def read(self, member: Member) -> bytes:
        """A member's content. Raises PictureError with a reason in one line, which does not name the member."""
        try:
            if self._archive is None or self._path != member.archive:
                self.close()
                self._archive, self._path = open_archive(member.archive), member.archive
            return self._archive.read(member.number)
        except PictureError:
            raise
        except MemoryError:
            raise PictureError("not enough memory to unpack it") from None
        except Exception as error:  # a damaged archive raises almost anything
            raise PictureError(f"cannot be unpacked: {_get_reason(error)}") from error

    def close(self) -> None:
        """Close the open archive, if any."""
        if self._archive is not None:
            self._archive.close()
        self._archive = None


class Archive(Protocol):
    """What zip and tar archives have in common. For damaged ones the methods raise almost anything."""

    def names(self) -> Iterator[tuple[int, str]]:
        """The index, from 0 on, and the name of each member that is not a folder, as stored."""
        ...

    def read(self, number: int) -> bytes:
        """The content of the member with this index. Raises PictureError if it is encrypted, too large or no file."""
        ...

    def close(self) -> None:
        """Close the file."""
        ...


def is_archive(path: Path) -> bool:
    """Whether a file has the ending of a zip or tar archive."""
    return path.name.lower().endswith(_SUFFIXES)


def open_archive(path: Path) -> Archive:
    """Open an archive as the kind that its ending says. Raises whatever `zipfile` or `tarfile` raises."""
    return ZipArchive(path) if path.suffix.lower() == ".zip" else TarArchive(path)


class ZipArchive:
    """A zip archive. Its members can be read in any order."""

    def __init__(self, path: Path) -> None:
        self._file = zipfile.ZipFile(path)

    def names(self) -> Iterator[tuple[int, str]]:
        """See Archive."""
        for number, entry in enumerate(self._file.infolist()):
            if not entry.is_dir():
                yield number, _decode_name(entry).replace("\\", "/")  # some tools on Windows write backslashes

    def read(self, number: int) -> bytes:
        """See Archive."""
        entry = self._file.infolist()[number]
        if entry.flag_bits & _ENCRYPTED:
            raise PictureError("locked with a password: unpack the archive first")
        _check_size(entry.file_size)
        with self._file.open(entry) as stream:
            return _read_all(stream)

    def close(self) -> None:
        """See Archive."""
        self._file.close()


class TarArchive:
    """A tar archive, compressed or not. It is read from front to back; an earlier member starts it again."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._open()

    def names(self) -> Iterator[tuple[int, str]]:
        """See Archive."""
        while (entry := self._next()) is not None:
            if not entry.isdir():
                yield self._number, entry.name

    def read(self, number: int) -> bytes:
        """See Archive."""
        if number <= self._number:
            self.close()
            self._open()
        entry = None
        while self._number < number:
            entry = self._next()
            if entry is None:
                raise PictureError("no longer in the archive")
        stream = self._file.extractfile(entry) if entry is not None and entry.isreg() else None
        if entry is None or stream is None:
            raise PictureError("a link or a device in the archive, not a file")
        _check_size(entry.size)
        return _read_all(stream)

    def close(self) -> None:
        """See Archive."""
        self._file.close()
        self._stream.close()

    def _open(self) -> None:
        self._number = -1
        self._stream = _open_decompressed(self._path)
        # Mode 'r|' only reads forwards: seeking back would decompress the file again from its start. An uncompressed
        # file is opened with 'r:', which skips over members that are not wanted
        options: Any = {"mode": "r:" if self._path.suffix.lower() == ".tar" else "r|", "tarinfo": _StrictHeader}
        try:
            self._file: Any = tarfile.open(fileobj=self._stream, encoding="utf-8", **options)  # noqa: SIM115
        except BaseException:
            self._stream.close()
            raise

    def _next(self) -> tarfile.TarInfo | None:
        entry: tarfile.TarInfo | None = self._file.next()
        self._number += 1
        self._file.members.clear()  # tarfile would keep every header it has read
        return entry


class _StrictHeader(tarfile.TarInfo):
    """A tar header that raises an error if it is damaged; tarfile alone would treat it as the archive's end."""

    @classmethod
    def fromtarfile(cls, tarfile_: tarfile.TarFile) -> "_StrictHeader":
        try:
            return super().fromtarfile(tarfile_)
        except (tarfile.InvalidHeaderError, tarfile.TruncatedHeaderError) as error:  # type: ignore[attr-defined]
            raise tarfile.ReadError(f"{error} at byte {tarfile_.offset:,}") from error


def _open_decompressed(path: Path) -> IO[bytes] | gzip.GzipFile:
    """Open a tar archive's bytes. Unlike tarfile's own, these openers read files of several compressed streams."""
    name = path.name.lower()
    if name.endswith(_GZIP):
        return gzip.open(path)
    if name.endswith(_BZIP2):
        return bz2.open(path)
    return lzma.open(path) if name.endswith(_XZ) else path.open("rb")


def _decode_name(entry: zipfile.ZipInfo) -> str:
    """A zip member's name. Many tools, such as those of macOS, write UTF-8 without setting its flag."""
    if not entry.flag_bits & _UTF8:
        with suppress(UnicodeError):
            return entry.filename.encode("cp437").decode()
    return entry.filename


def _clean_name(name: str) -> str:
    """A member's name without empty parts and '.'. Control characters, which move a terminal's cursor, are replaced."""
    parts = [part for part in name.split("/") if part not in ("", ".")]
    return re.sub(r"[\x00-\x1f\x7f-\x9f]", "\ufffd", "/".join(parts))


def _get_reason(error: Exception) -> str:
    message = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return " ".join(message.split()) or type(error).__name__


def _check_size(size: int) -> None:
    if size > MAX_BYTES:
        raise PictureError(f"{size:,} bytes when unpacked; at most {MAX_BYTES:,} are read")


def _read_all(stream: IO[bytes]) -> bytes:
    """Read a stream to its end. Raises PictureError beyond MAX_BYTES, whatever size its header gave."""
    chunks, size = [], 0
    while chunk := stream.read(_CHUNK):
        chunks.append(chunk)
        size += len(chunk)
        _check_size(size)
    return b"".join(chunks)
