"""What data sets come in: folders, and files that may be packed. A file is told by its first bytes, not by its name."""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import IO

from fercli.core.errors import DataError, PictureError
from fercli.core.labels import is_expression
from fercli.faces.io.archives import Member, MemberReader, archive_format, list_members
from fercli.faces.io.compression import DamagedError, is_compressed, limit_size, open_decompressed, read_file
from fercli.faces.io.decode import PICTURE_SUFFIXES
from fercli.faces.io.folders import is_hidden, scan_all_files

#: A file's content by its name in the source.
Reader = Callable[[str], bytes]

#: What the folder of a split is called, in lower case, and the split.
SPLIT_FOLDERS = {
    "train": "train", "training": "train",
    "val": "val", "valid": "val", "validation": "val", "publictest": "val",
    "test": "test", "testing": "test", "privatetest": "test",
}  # fmt: skip


def list_files(folder: Path) -> list[tuple[str, os.stat_result]]:
    """Every file below a folder: its name relative to it, with slashes, and its status, sorted by name.

    Raises DataError where a folder cannot be read.
    """
    with _readable(folder):
        return sorted((name, entry.stat()) for name, entry in scan_all_files(folder))


def list_names(path: Path) -> Iterator[str]:
    """The name of every file in a folder or archive, in any order; nothing for another kind of file.

    Raises DataError where it cannot be read.
    """
    if path.is_dir():
        with _readable(path):
            yield from (name for name, _ in scan_all_files(path))
    elif path.is_file() and archive_format(path):
        yield from _list_archive(path)


def _list_archive(path: Path) -> dict[str, Member]:
    """The files in an archive by name. Raises DataError where it is damaged."""
    with _readable(path), path.open("rb"):
        status = path.stat()
    members, reason = _list_unchanged(path.absolute(), status.st_size, status.st_mtime_ns)
    if reason:
        raise DataError(f"{path}: {reason}; fetch it again")
    return members


@lru_cache(maxsize=1)
def _list_unchanged(path: Path, size: int, changed: int) -> tuple[dict[str, Member], str]:
    """The files in an archive of this size and time: every loader that looks at it asks for them."""
    members, reason = list_members(path, wanted=lambda _: True)
    return dict(members), reason


def is_picture(name: str) -> bool:
    """Whether a name in a folder or archive is a picture's."""
    return PurePosixPath(name).suffix.lower() in PICTURE_SUFFIXES and not is_hidden(name)


def list_pictures(path: Path) -> Iterator[str]:
    """The names of the pictures in a folder or archive, as `list_names` gives them."""
    return filter(is_picture, list_names(path))


def holds_pictures(path: Path) -> bool:
    """Whether there is a picture in a folder or archive."""
    return any(True for _ in list_pictures(path))


def has_class_folders(path: Path) -> bool:
    """Whether a folder holds folders called like expressions or splits, which tells a set of pictures from a folder
    that only holds other sets."""
    try:
        names = [inner.name for inner in path.iterdir() if inner.is_dir()]
    except OSError:
        return False
    return any(name.lower() in SPLIT_FOLDERS or is_expression(name) for name in names)


@contextmanager
def open_source(path: Path) -> Iterator[tuple[list[str], Reader]]:
    """The names of all files in a folder or archive, sorted, and a function that reads one of them, from any thread.

    Not in natural order, because the drawing of splits goes by the order of the faces. The function raises PictureError
    or OSError for a file that cannot be read. Raises DataError where the folder cannot, or the archive is damaged.
    """
    if path.is_dir():
        yield [name for name, _ in list_files(path)], lambda name: read_file(path / name)
        return
    if not path.is_file() or archive_format(path) is None:
        raise DataError(f"{path}: neither a folder nor a zip or tar archive")
    members = _list_archive(path)
    with _undamaged(str(path)), closing(MemberReader(in_any_order=True)) as reader:
        reader.open(path.absolute())
        yield sorted(members), lambda name: reader.read(members[name])


def read_table(path: Path, name: str, reader: Reader) -> bytes:
    """The content of a table in the folder or archive `path`. Raises DataError where it cannot be read."""
    try:
        return reader(name)
    except PictureError as error:
        raise DataError(f"{path}/{name}: {error}") from error
    except OSError as error:
        raise DataError(f"cannot read {path}/{name}: {error.strerror or error}") from error


@contextmanager
def open_csv(path: Path, preferred: Sequence[str]) -> Iterator[tuple[str, IO[bytes]]]:
    """A csv file's bytes, unpacked on the way where it is packed, with the title that messages give it.

    Of several in an archive, one of the `preferred` names is taken. What is wrong with it is a DataError, also while
    it is read.
    """
    title = str(path)
    with _readable(path):
        if archive_format(path):
            members = _list_archive(path)
            name = _first_csv(path, list(members), preferred)
            title = f"{path} ({name})"
            with _undamaged(title), closing(MemberReader()) as reader, reader.open_stream(members[name]) as file:
                yield title, file
        elif is_compressed(path):
            with _undamaged(title), limit_size(open_decompressed(path)) as file:
                yield title, file
        else:
            with path.open("rb") as file:
                yield title, file


def _first_csv(path: Path, names: list[str], preferred: Sequence[str]) -> str:
    tables = sorted(filter(_is_csv, names), key=lambda name: (PurePosixPath(name).name not in preferred, name))
    if not tables:
        raise DataError(f"{path}: no csv file and no pictures in the archive")
    return tables[0]


def _is_csv(name: str) -> bool:
    return name.lower().endswith(".csv") and not is_hidden(name)


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    """OSError becomes DataError."""
    try:
        yield
    except OSError as error:
        raise DataError(f"cannot read {error.filename or path}: {error.strerror or error}") from error


@contextmanager
def _undamaged(title: str) -> Iterator[None]:
    """PictureError, which does not name the file, becomes DataError, which does."""
    try:
        yield
    except DamagedError as error:
        raise DataError(f"{title}: the archive is damaged or only half there ({error}); fetch it again") from error
    except PictureError as error:
        raise DataError(f"{title}: {error}") from error
