"""What data sets come in: folders, and files that may be packed. A file is told by its first bytes, not by its name."""

import gzip
import os
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import IO

from fercli.core.errors import DataError
from fercli.core.labels import is_expression
from fercli.faces.io.decode import PICTURE_SUFFIXES
from fercli.faces.io.folders import is_hidden

#: A file's content by its name in the source.
Reader = Callable[[str], bytes]

#: What the folder of a split is called, in lower case, and the split.
SPLIT_FOLDERS = {
    "train": "train", "training": "train",
    "val": "val", "valid": "val", "validation": "val", "publictest": "val",
    "test": "test", "testing": "test", "privatetest": "test",
}  # fmt: skip

#: What reading a half-written or damaged archive raises.
_DAMAGED = (EOFError, zlib.error, gzip.BadGzipFile, zipfile.BadZipFile, tarfile.TarError)


def list_files(folder: Path) -> list[tuple[str, os.stat_result]]:
    """Every file below a folder: its name relative to it, with slashes, and its status, sorted by name.

    Raises DataError where a folder cannot be read. By os.scandir, because a data set has tens of thousands of
    files and pathlib takes over three times as long.
    """
    try:
        return sorted((name, entry.stat()) for name, entry in _scan(os.fspath(folder)))
    except OSError as error:
        raise DataError(f"cannot read {error.filename}: {error.strerror}") from error


def list_names(path: Path) -> Iterator[str]:
    """The name of every file in a folder or zip archive, in any order; nothing for another kind of file.

    Raises DataError where it cannot be read.
    """
    if path.is_dir():
        try:
            yield from (name for name, _ in _scan(os.fspath(path)))
        except OSError as error:
            raise DataError(f"cannot read {error.filename}: {error.strerror}") from error
    elif path.is_file() and is_zip(path):
        status = path.stat()
        yield from _zip_names(path.absolute(), status.st_size, status.st_mtime_ns)


def _scan(folder: str, prefix: str = "") -> Iterator[tuple[str, os.DirEntry[str]]]:
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir():
                yield from _scan(entry.path, f"{prefix}{entry.name}/")
            elif entry.is_file():
                yield prefix + entry.name, entry


@lru_cache(maxsize=1)
def _zip_names(path: Path, size: int, changed: int) -> tuple[str, ...]:
    """The names in an archive of this size and time: every loader that looks at it asks for them."""
    with open_zip(path) as archive:
        return tuple(archive.namelist())


def is_picture(name: str) -> bool:
    """Whether a name in a folder or archive is a picture's."""
    return PurePosixPath(name).suffix.lower() in PICTURE_SUFFIXES and not is_hidden(name)


def list_pictures(path: Path) -> Iterator[str]:
    """The names of the pictures in a folder or zip archive, as `list_names` gives them."""
    return filter(is_picture, list_names(path))


def holds_pictures(path: Path) -> bool:
    """Whether there is a picture in a folder or zip archive."""
    return any(True for _ in list_pictures(path))


def has_class_folders(path: Path) -> bool:
    """Whether a folder holds folders called like expressions or splits, which tells a set of pictures from a folder
    that only holds other sets."""
    try:
        names = [inner.name for inner in path.iterdir() if inner.is_dir()]
    except OSError:
        return False
    return any(name.lower() in SPLIT_FOLDERS or is_expression(name) for name in names)


def is_zip(path: Path) -> bool:
    """Whether a file begins as a zip archive does, complete or not."""
    return _starts_with(path, b"PK")


def is_gzip(path: Path) -> bool:
    """Whether a file begins as a gzip file does."""
    return _starts_with(path, b"\x1f\x8b")


@contextmanager
def open_source(path: Path) -> Iterator[tuple[list[str], Reader]]:
    """The names of all files in a folder or zip archive, sorted, and a function that reads one of them.

    Raises DataError where they cannot be read.
    """
    if path.is_dir():
        yield [name for name, _ in list_files(path)], lambda name: (path / name).read_bytes()
    else:
        with open_zip(path) as archive:
            yield sorted(archive.namelist()), archive.read


@contextmanager
def open_zip(path: Path) -> Iterator[zipfile.ZipFile]:
    """A zip archive; damage met while it is open is a DataError."""
    try:
        with zipfile.ZipFile(path) as archive:
            yield archive
    except (*_DAMAGED, NotImplementedError) as error:
        raise _damaged(path, error) from error
    except RuntimeError as error:
        if "password" not in str(error):
            raise
        raise DataError(f"{path}: the archive is locked with a password: unpack it first") from error


@contextmanager
def open_csv(path: Path, preferred: Sequence[str]) -> Iterator[tuple[str, IO[bytes] | gzip.GzipFile]]:
    """A csv file's bytes, unpacked on the way where it is packed, with the title that messages give it.

    Of several in a zip archive, one of the `preferred` names is taken. Damage met while it is read is a DataError.
    """
    try:
        if is_zip(path):
            with open_zip(path) as archive:
                name = _first_csv(path, archive.namelist(), preferred)
                with archive.open(name) as file:
                    yield f"{path} ({name})", file
        elif is_gzip(path):
            with _open_gzip(path) as opened:
                yield opened
        else:
            with path.open("rb") as file:
                yield str(path), file
    except _DAMAGED as error:
        raise _damaged(path, error) from error
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror or error}") from error


@contextmanager
def _open_gzip(path: Path) -> Iterator[tuple[str, IO[bytes] | gzip.GzipFile]]:
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


def _starts_with(path: Path, magic: bytes) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(len(magic)) == magic
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror or error}") from error


def _damaged(path: Path, error: Exception) -> DataError:
    return DataError(f"{path}: the archive is damaged or only half there ({error}): fetch it again")
