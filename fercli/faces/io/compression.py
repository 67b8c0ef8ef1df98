"""The bytes of files: decompressed on the way, and up to a limit of size."""

import bz2
import gzip
import io
import lzma
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any, cast

from fercli.core.errors import PictureError, reason_of

#: A file of more bytes is refused, in an archive or compressed, whether its header says so or unpacking shows it.
MAX_BYTES = 1 << 30
#: Bytes unpacked at a time, so that the limit is checked before a small file can grow to gigabytes.
CHUNK = 1 << 16
#: What compressed files begin with, and what opens them. Unlike tarfile's own, these openers read several streams.
_OPENERS: dict[bytes, Callable[[Path], Any]] = {b"\x1f\x8b": gzip.open, b"BZh": bz2.open, b"\xfd7zXZ\0": lzma.open}


class DamagedError(PictureError):
    """An archive or a compressed file cannot be unpacked, because it is damaged or only half there."""


def read_head(path: Path, decompressed: bool = False) -> bytes:
    """The first 512 bytes of a file, or fewer; none if they cannot be read."""
    if not path.is_file():  # reading from a pipe would block
        return b""
    # damage raises almost anything
    with suppress(Exception), open_decompressed(path) if decompressed else path.open("rb") as file:
        return file.read(512)
    return b""


def is_compressed(path: Path) -> bool:
    """Whether a file begins as gzip, bzip2 and xz files do."""
    return _find_opener(path) is not None


def open_decompressed(path: Path) -> IO[bytes]:
    """Open a file, decompressed if it is a gzip, bzip2 or xz file. Its checksums count once it is read to the end."""
    opener = _find_opener(path)
    return cast("IO[bytes]", opener(path)) if opener else path.open("rb")


def decompress(path: Path) -> IO[bytes]:
    """The content of a compressed file in a temporary file."""
    with ExitStack() as stack:
        file = stack.enter_context(TemporaryFile())
        with open_decompressed(path) as compressed:
            shutil.copyfileobj(compressed, file, CHUNK)
        file.seek(0)
        stack.pop_all()
        return cast("IO[bytes]", file)


def read_file(path: Path) -> bytes:
    """A file's content. Raises PictureError if it has more than MAX_BYTES, and OSError."""
    size = path.stat().st_size
    if size > MAX_BYTES:
        raise PictureError(f"{size:,} bytes; at most {MAX_BYTES:,} are read")
    return path.read_bytes()


def limit_size(stream: IO[bytes]) -> IO[bytes]:
    """The same stream, which raises PictureError beyond MAX_BYTES, and for damage as `explain_damage` does."""
    return io.BufferedReader(_LimitedStream(stream), CHUNK)


def check_size(size: int) -> None:
    """Raise PictureError for a file of more than MAX_BYTES."""
    if size > MAX_BYTES:
        raise PictureError(f"{size:,} bytes when unpacked; at most {MAX_BYTES:,} are read: unpack it first")


@contextmanager
def explain_damage() -> Iterator[None]:
    """Turn whatever unpacking raises into PictureError, with one line: DamagedError where the bytes are wrong."""
    try:
        yield
    except PictureError:
        raise
    except MemoryError:
        raise PictureError("not enough memory to unpack it") from None
    except NotImplementedError as error:
        raise PictureError(f"cannot be unpacked: {reason_of(error)}") from error
    except Exception as error:  # damage raises almost anything
        if isinstance(error, OSError) and error.strerror:  # not what the bytes are, but the disk or the system
            raise PictureError(f"cannot be unpacked: {error.strerror}") from error
        raise DamagedError(f"cannot be unpacked: {reason_of(error)}") from error


def _find_opener(path: Path) -> Callable[[Path], Any] | None:
    head = read_head(path)
    return next((opener for magic, opener in _OPENERS.items() if head.startswith(magic)), None)


class _LimitedStream(io.RawIOBase):
    """Counts what is read, whatever size a header gave."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream, self._count = stream, 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        with explain_damage():
            content = self._stream.read(len(buffer))
        self._count += len(content)
        check_size(self._count)
        buffer[: len(content)] = content
        return len(content)

    def close(self) -> None:
        self._stream.close()
        super().close()
