"""The files in zip and tar archives: their names as stored, and their content."""

import tarfile
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from threading import Lock
from typing import IO, Any, Protocol

from fercli.core.errors import PictureError
from fercli.faces.io.compression import CHUNK, check_size, limit_size, open_decompressed

#: Bits in the flags of a zip archive's entry.
_ENCRYPTED, _UTF8 = 0x1, 0x800


class Archive(Protocol):
    """What zip and tar archives have in common. For damaged ones the methods raise almost anything.

    Files are numbered from 0 on, with gaps where folders stand. If `in_any_order` is true, an earlier file is read as
    fast as a later one, and several threads may read at once.
    """

    in_any_order: bool

    def names(self) -> Iterator[tuple[int, str]]:
        """The number and the name of each file, as stored. Links and devices are files here."""
        ...

    def open(self, number: int) -> IO[bytes]:
        """A file as a stream, to be read before anything else is.

        Raises PictureError if it is encrypted, a link or a device, and beyond MAX_BYTES, at once or while it is read.
        """
        ...

    def read(self, number: int) -> bytes:
        """A file's content. Raises PictureError as `open` does."""
        ...

    def verify(self) -> None:
        """Read what is left of a compressed stream.

        Raises EOFError if its end is missing, another error if it is damaged: its checksums count.
        """
        ...

    def close(self) -> None:
        """Close the archive's file."""
        ...


class ZipArchive:
    """A zip archive."""

    in_any_order = True

    def __init__(self, path: Path) -> None:
        self._file = zipfile.ZipFile(path)

    def names(self) -> Iterator[tuple[int, str]]:
        """See Archive."""
        for number, entry in enumerate(self._file.infolist()):
            if not entry.is_dir():
                yield number, _decode_name(entry).replace("\\", "/")  # some tools on Windows write backslashes

    def open(self, number: int) -> IO[bytes]:
        """See Archive."""
        entry = self._file.infolist()[number]
        if entry.flag_bits & _ENCRYPTED:
            raise PictureError("locked with a password: unpack the archive first")
        check_size(entry.file_size)
        return limit_size(self._file.open(entry))

    def read(self, number: int) -> bytes:
        """See Archive."""
        with self.open(number) as stream:
            return stream.read()

    def verify(self) -> None:
        """See Archive. Every file has a checksum of its own, which counts when it is read."""

    def close(self) -> None:
        """See Archive."""
        self._file.close()


class TarArchive:
    """A tar archive in a file that can be read in any order, which the archive closes."""

    in_any_order = True

    def __init__(self, file: IO[bytes]) -> None:
        self._stream = file
        self._file = _open_tar(file, "r:")
        self._lock = Lock()  # the file has a single position

    def names(self) -> Iterator[tuple[int, str]]:
        """See Archive."""
        number = 0
        while (entry := self._find(number)) is not None:
            if not entry.isdir():
                yield number, entry.name
            number += 1

    def open(self, number: int) -> IO[bytes]:
        """See Archive."""
        return _open_entry(self._file, self._find(number))

    def read(self, number: int) -> bytes:
        """See Archive."""
        with self._lock, self.open(number) as stream:
            return stream.read()

    def verify(self) -> None:
        """See Archive. The format has no checksums of content."""

    def close(self) -> None:
        """See Archive."""
        self._file.close()
        self._stream.close()

    def _find(self, number: int) -> tarfile.TarInfo | None:
        while len(self._file.members) <= number and self._file.next() is not None:
            pass
        return self._file.members[number] if number < len(self._file.members) else None


class CompressedTarArchive:
    """A compressed tar archive. It is read from front to back; an earlier file starts it again."""

    in_any_order = False

    def __init__(self, path: Path) -> None:
        self._path = path
        self._open()

    def names(self) -> Iterator[tuple[int, str]]:
        """See Archive."""
        while (entry := self._next()) is not None:
            if not entry.isdir():
                yield self._number, entry.name

    def open(self, number: int) -> IO[bytes]:
        """See Archive."""
        if number <= self._number:
            self.close()
            self._open()
        entry = None
        while self._number < number and (entry := self._next()) is not None:
            pass
        return _open_entry(self._file, entry)

    def read(self, number: int) -> bytes:
        """See Archive."""
        with self.open(number) as stream:
            return stream.read()

    def verify(self) -> None:
        """See Archive."""
        if self._stream.error:
            raise self._stream.error
        while self._stream.read(CHUNK):
            pass

    def close(self) -> None:
        """See Archive."""
        self._file.close()
        self._stream.close()

    def _open(self) -> None:
        self._number = -1
        self._stream = _CompressedStream(open_decompressed(self._path))
        # mode 'r|' only reads forwards: seeking back would decompress the file again from its start
        self._file = _open_tar(self._stream, "r|")

    def _next(self) -> tarfile.TarInfo | None:
        entry: tarfile.TarInfo | None = self._file.next()
        self._number += 1
        self._file.members.clear()  # tarfile would keep every header it has read
        return entry


class _CompressedStream:
    """The content of a compressed file, and the error that ended it; tarfile turns some into others."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.error: Exception | None = None

    def read(self, size: int) -> bytes:
        try:
            return self._file.read(size)
        except Exception as error:
            self.error = error
            raise

    def close(self) -> None:
        self._file.close()


class _StrictHeader(tarfile.TarInfo):
    """A tar header that raises an error if it is damaged; tarfile alone would treat it as the archive's end."""

    @classmethod
    def fromtarfile(cls, tarfile_: tarfile.TarFile) -> "_StrictHeader":
        try:
            return super().fromtarfile(tarfile_)
        except (tarfile.InvalidHeaderError, tarfile.TruncatedHeaderError) as error:  # type: ignore[attr-defined]
            raise tarfile.ReadError(f"{error} at byte {tarfile_.offset:,}") from error


def _open_tar(file: Any, mode: str) -> Any:
    """The tar archive in a file, which is closed if it is none."""
    options: Any = {"mode": mode, "tarinfo": _StrictHeader}
    try:
        return tarfile.open(fileobj=file, encoding="utf-8", **options)
    except BaseException:
        file.close()
        raise


def _open_entry(archive: Any, entry: tarfile.TarInfo | None) -> IO[bytes]:
    if entry is None:
        raise PictureError("no longer in the archive")
    stream = archive.extractfile(entry) if entry.isreg() else None
    if stream is None:
        raise PictureError("a link or a device in the archive, not a file")
    check_size(entry.size)
    return limit_size(stream)


def _decode_name(entry: zipfile.ZipInfo) -> str:
    """A zip entry's name. Many tools, such as those of macOS, write UTF-8 without setting its flag."""
    if not entry.flag_bits & _UTF8:
        with suppress(UnicodeError):
            return entry.filename.encode("cp437").decode()
    return entry.filename
