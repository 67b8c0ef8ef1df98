"""The pictures in zip and tar archives, read without unpacking them onto the disk."""

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
from fercli.faces.io.folders import is_hidden, kind_of, natural_key


@dataclass(frozen=True, slots=True)
class Member:
    """Where a picture lies: in which archive, and which of its entries it is, from 0 on."""

    archive: Path
    number: int


def list_members(path: Path) -> tuple[list[tuple[str, Member]], str]:
    """The pictures and videos in an archive by their names, and the fault that ended the list too early, else ''.

    They are told by their endings; hidden names and what lies in '__MACOSX' do not count. Names have slashes
    between their parts, and none before. A zip archive's come in natural order, a tar archive's as they lie in it. Of
    members of one name the last counts, as it does in unpacking. A packed tar archive is unpacked once for the list.
    """
    named: dict[str, Member] = {}
    fault = ""
    try:
        with closing(open_archive(path)) as archive:
            for number, raw in archive.names():
                name = _plain(raw)
                if kind_of(name) and not is_hidden(name):
                    named.pop(name, None)
                    named[name] = Member(path, number)
    except Exception as error:  # of a damaged archive, anything
        fault = f"the archive is damaged or only half there: {_reason(error)}"
    members = list(named.items())
    if path.suffix.lower() == ".zip":
        members.sort(key=lambda member: natural_key(Path(member[0])))
    return members, fault


class MemberReader:
    """Reads members, each archive by one handle that stays open until another one is asked for.

    Quick in the order of `list_members`. For one thread: its handle has one position.
    """

    def __init__(self) -> None:
        self._path: Path | None = None
        self._archive: Archive | None = None

    def read(self, member: Member) -> bytes:
        """A member's content. Raises PictureError with a one-line reason that does not name it."""
        try:
            if self._archive is None or self._path != member.archive:
                self.close()
                self._archive, self._path = open_archive(member.archive), member.archive
            return self._archive.read(member.number)
        except PictureError:
            raise
        except MemoryError:
            raise PictureError("not enough memory to unpack it") from None
        except Exception as error:  # of a damaged archive, anything
            raise PictureError(f"cannot be unpacked: {_reason(error)}") from error

    def close(self) -> None:
        """Close the archive that is open, if one is."""
        if self._archive is not None:
            self._archive.close()
        self._archive = None


def _plain(name: str) -> str:
    """A member's name without empty parts and '.', and with a sign for characters that move a terminal's cursor."""
    parts = [part for part in name.split("/") if part not in ("", ".")]
    return re.sub(r"[\x00-\x1f\x7f-\x9f]", "\ufffd", "/".join(parts))


def _reason(error: Exception) -> str:
    said = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return " ".join(said.split()) or type(error).__name__


#: An entry of more bytes, declared or met while it is unpacked, is refused.
MAX_BYTES = 1 << 30
#: Unpacked at a time, so that a few bytes cannot become gigabytes before they are counted.
_CHUNK = 1 << 16
#: Bits of a zip entry's flags.
_ENCRYPTED, _UTF8 = 0x1, 0x800

_GZIP, _BZIP2, _XZ = (".tar.gz", ".tgz"), (".tar.bz2", ".tbz2"), (".tar.xz", ".txz")
_ENDINGS = (".zip", ".tar", *_GZIP, *_BZIP2, *_XZ)


class Archive(Protocol):
    """What both kinds of archive can do. Of a damaged one, their libraries raise almost anything."""

    def names(self) -> Iterator[tuple[int, str]]:
        """The number, from 0 on, and the name of each entry that is no folder, as they lie in the archive."""
        ...

    def read(self, number: int) -> bytes:
        """The content of that entry. Raises PictureError where it is locked, too large or no file."""
        ...

    def close(self) -> None:
        """Close its file."""
        ...


def is_archive(path: Path) -> bool:
    """Whether a file's ending is that of a zip or tar archive."""
    return path.name.lower().endswith(_ENDINGS)


def open_archive(path: Path) -> Archive:
    """An archive of the kind that its ending says."""
    return ZipArchive(path) if path.suffix.lower() == ".zip" else TarArchive(path)


class ZipArchive:
    """A zip archive. Its entries can be read in any order."""

    def __init__(self, path: Path) -> None:
        self._file = zipfile.ZipFile(path)

    def names(self) -> Iterator[tuple[int, str]]:
        """See Archive."""
        for number, entry in enumerate(self._file.infolist()):
            if not entry.is_dir():
                yield number, _decoded(entry).replace("\\", "/")  # as some tools on Windows write it

    def read(self, number: int) -> bytes:
        """See Archive."""
        entry = self._file.infolist()[number]
        if entry.flag_bits & _ENCRYPTED:
            raise PictureError("locked with a password: unpack the archive first")
        _check_size(entry.file_size)
        with self._file.open(entry) as content:
            return _content(content)

    def close(self) -> None:
        """See Archive."""
        self._file.close()


class TarArchive:
    """A tar archive, packed or plain. It is read from front to back: an earlier entry starts it anew."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._start()

    def names(self) -> Iterator[tuple[int, str]]:
        """See Archive."""
        while (entry := self._next()) is not None:
            if not entry.isdir():
                yield self._number, entry.name

    def read(self, number: int) -> bytes:
        """See Archive."""
        if number <= self._number:
            self.close()
            self._start()
        entry = None
        while self._number < number:
            entry = self._next()
            if entry is None:
                raise PictureError("no longer in the archive")
        content = self._file.extractfile(entry) if entry is not None and entry.isreg() else None
        if entry is None or content is None:
            raise PictureError("a link or a device in the archive, not a file")
        _check_size(entry.size)
        return _content(content)

    def close(self) -> None:
        """See Archive."""
        self._file.close()
        self._bytes.close()

    def _start(self) -> None:
        self._number = -1
        self._bytes = _unpacked(self._path)
        # 'r|' only ever reads on: a packed file would be unpacked anew for each step back. In a plain one 'r:'
        # leaps over what is not asked for
        options: Any = {"mode": "r:" if self._path.suffix.lower() == ".tar" else "r|", "tarinfo": _Header}
        try:
            self._file: Any = tarfile.open(fileobj=self._bytes, encoding="utf-8", **options)  # noqa: SIM115
        except BaseException:
            self._bytes.close()
            raise

    def _next(self) -> tarfile.TarInfo | None:
        entry: tarfile.TarInfo | None = self._file.next()
        self._number += 1
        self._file.members.clear()  # it would keep the header of every entry passed
        return entry


class _Header(tarfile.TarInfo):
    """An entry's header. A damaged one is an error; by itself tarfile takes it for the archive's end."""

    @classmethod
    def fromtarfile(cls, tarfile_: tarfile.TarFile) -> "_Header":
        try:
            return super().fromtarfile(tarfile_)
        except (tarfile.InvalidHeaderError, tarfile.TruncatedHeaderError) as error:  # type: ignore[attr-defined]
            raise tarfile.ReadError(f"{error} at byte {tarfile_.offset:,}") from error


def _unpacked(path: Path) -> IO[bytes] | gzip.GzipFile:
    """A tar archive's bytes. The openers below, unlike tarfile's own, read files of several packed streams too."""
    name = path.name.lower()
    if name.endswith(_GZIP):
        return gzip.open(path)
    if name.endswith(_BZIP2):
        return bz2.open(path)
    return lzma.open(path) if name.endswith(_XZ) else path.open("rb")


def _decoded(entry: zipfile.ZipInfo) -> str:
    """A zip entry's name. Many tools, macOS among them, write UTF-8 without saying so."""
    if not entry.flag_bits & _UTF8:
        with suppress(UnicodeError):
            return entry.filename.encode("cp437").decode()
    return entry.filename


def _check_size(size: int) -> None:
    if size > MAX_BYTES:
        raise PictureError(f"{size:,} bytes when unpacked; at most {MAX_BYTES:,} are read")


def _content(stream: IO[bytes]) -> bytes:
    """All of it, unless it is more than MAX_BYTES whatever its header said."""
    chunks, size = [], 0
    while chunk := stream.read(_CHUNK):
        chunks.append(chunk)
        size += len(chunk)
        _check_size(size)
    return b"".join(chunks)
