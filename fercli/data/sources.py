"""What data sets come in: folders, and files that may be packed, told apart by their first bytes rather than
by their names."""

import gzip
import os
import tarfile
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO

from fercli.core.errors import DataError
from fercli.faces.io.folders import is_hidden

#: What reading a half-written or damaged archive raises.
_DAMAGED = (EOFError, zlib.error, gzip.BadGzipFile, zipfile.BadZipFile, tarfile.TarError)


def files_below(folder: Path) -> list[tuple[str, os.stat_result]]:
    """Every file below a folder: its name from there, with slashes, and its status, sorted by name.

    Raises DataError where a folder cannot be read. By os.scandir, because a data set has tens of thousands of
    files and pathlib takes over three times as long.
    """
    try:
        return sorted(_scanned(os.fspath(folder), ""))
    except OSError as error:
        raise DataError(f"cannot read {error.filename}: {error.strerror}") from error


def _scanned(folder: str, prefix: str) -> Iterator[tuple[str, os.stat_result]]:
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir():
                yield from _scanned(entry.path, f"{prefix}{entry.name}/")
            elif entry.is_file():
                yield prefix + entry.name, entry.stat()


def is_zip(path: Path) -> bool:
    """Whether a file begins as a zip archive does, complete or not."""
    return _starts(path, b"PK")


def is_gzip(path: Path) -> bool:
    """Whether a file begins as a gzip file does."""
    return _starts(path, b"\x1f\x8b")


@contextmanager
def opened_zip(path: Path) -> Iterator[zipfile.ZipFile]:
    """A zip archive; damage met while it is open is a DataError."""
    try:
        with zipfile.ZipFile(path) as archive:
            yield archive
    except (*_DAMAGED, NotImplementedError) as error:
        raise _half_written(path, error) from error
    except RuntimeError as error:
        if "password" not in str(error):
            raise
        raise DataError(f"{path}: the archive is locked with a password: unpack it first") from error


@contextmanager
def opened_csv(path: Path, preferred: Sequence[str]) -> Iterator[tuple[str, IO[bytes] | gzip.GzipFile]]:
    """A csv file's bytes, unpacked on the way where it is packed, with the title that messages give it.

    Of several in a zip archive, one of the `preferred` names is taken. Damage met while it is read is a DataError.
    """
    try:
        if is_zip(path):
            with opened_zip(path) as archive:
                name = _first_csv(path, archive.namelist(), preferred)
                with archive.open(name) as file:
                    yield f"{path} ({name})", file
        elif is_gzip(path):
            with _opened_gzip(path) as opened:
                yield opened
        else:
            with path.open("rb") as file:
                yield str(path), file
    except _DAMAGED as error:
        raise _half_written(path, error) from error
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror or error}") from error


@contextmanager
def _opened_gzip(path: Path) -> Iterator[tuple[str, IO[bytes] | gzip.GzipFile]]:
    """A gzipped csv file, or the first one in a gzipped tar archive."""
    with gzip.open(path) as file:
        is_tar = file.read(512)[257:262] == b"ustar"
    if not is_tar:
        with gzip.open(path) as file:
            yield str(path), file
        return
    with tarfile.open(path, "r:gz") as archive:
        # members are looked at in passing: a list of all would unpack the archive twice
        for member in archive:
            content = archive.extractfile(member) if _is_csv(member.name) else None
            if content:
                yield f"{path} ({member.name})", content
                return
    raise DataError(f"{path}: no csv file in the archive")


def _first_csv(path: Path, names: list[str], preferred: Sequence[str]) -> str:
    tables = sorted(filter(_is_csv, names), key=lambda name: (PurePosixPath(name).name not in preferred, name))
    if not tables:
        raise DataError(f"{path}: no csv file and no pictures in the archive")
    return tables[0]


def _is_csv(name: str) -> bool:
    return name.lower().endswith(".csv") and not is_hidden(name)


def _starts(path: Path, magic: bytes) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(len(magic)) == magic
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror or error}") from error


def _half_written(path: Path, error: Exception) -> DataError:
    return DataError(f"{path}: the archive is damaged or only half there ({error}): fetch it again")
