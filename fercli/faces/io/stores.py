"""Objects in stores, through fsspec: S3, Google Cloud, Azure. Each store finds its credentials in its own way.

A `Path` of an address has one slash after the colon where the address has two: `restore_address` puts it back.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fercli.core.errors import PictureError, UsageError, reason_of
from fercli.core.text import shorten
from fercli.faces.io.archives import has_archive_ending
from fercli.faces.io.folders import guess_kind

#: The stores that are read, by what their addresses begin with; 'memory' is fsspec's own, for tests.
PROTOCOLS = ("s3", "gs", "gcs", "az", "abfs", "abfss", "memory")
_ADDRESS = re.compile(rf"^({'|'.join(PROTOCOLS)}):/+(?=[^/])")

#: The largest object that is read, in bytes: a picture of the most pixels that any format may have, uncompressed.
_MOST_BYTES = 500_000_000


@dataclass(frozen=True, slots=True)
class StoredObject:
    """What a store's list says of an object: its size in bytes, None where it was not listed, and the mark of its
    content, '' where the store has none. An archive is told by its ending."""

    size: int | None = None
    etag: str = ""
    is_archive: bool = False


def is_address(path: Path) -> bool:
    """Whether a path stands for an object in a store, or for all below a prefix."""
    return _ADDRESS.match(str(path)) is not None


def restore_address(text: str) -> str:
    """'s3:/bucket/a.jpg' as 's3://bucket/a.jpg'; any other text as it is."""
    return _ADDRESS.sub(r"\1://", text, count=1)


def list_objects(path: Path) -> Iterator[tuple[Path, StoredObject]]:
    """The pictures and archives at an address: the object itself, or all below that prefix, in the order of their
    names.

    An address with the ending of a picture is taken for an object without asking the store.

    Raises UsageError where the store's package is not installed, PictureError where the address cannot be listed.
    """
    address = restore_address(str(path))
    store, inner = open_store(address)
    if guess_kind(path.name) == "picture":
        yield path, StoredObject()
        return
    scheme = address.partition("://")[0]
    with _explain_store():
        if store.isfile(inner):
            found = {inner: store.info(inner)}
        else:
            below = store.find(inner, detail=True)
            found = {name: below[name] for name in sorted(below) if _is_wanted(name)}
    if not found:
        raise PictureError("no pictures at this address")
    for name, facts in found.items():
        etag = str(facts.get("ETag") or facts.get("etag") or "").strip('"')
        stored = StoredObject(facts.get("size"), etag, has_archive_ending(name))
        yield Path(f"{scheme}://{name.lstrip('/')}"), stored


def _is_wanted(name: str) -> bool:
    return guess_kind(name) == "picture" or has_archive_ending(name)


def read_object(path: Path) -> bytes:
    """The content of an object. Raises PictureError where it cannot be read."""
    store, inner = open_store(restore_address(str(path)))
    with _explain_store():
        content: bytes = store.cat_file(inner, start=0, end=_MOST_BYTES + 1)
    if len(content) > _MOST_BYTES:
        raise PictureError(f"an object of more than {_MOST_BYTES // 1_000_000:,} MB is no picture")
    return content


def fetch_object(path: Path, file: Path) -> None:
    """Copy an object, from its beginning to its end, into a file. Raises PictureError where it cannot be read."""
    store, inner = open_store(restore_address(str(path)))
    with _explain_store():
        store.get_file(inner, str(file))


def open_store(address: str) -> tuple[Any, str]:
    """The store of an address, which fsspec keeps, and the address within it.

    Raises UsageError where its package is not installed, PictureError where it cannot be opened.
    """
    try:
        import fsspec

        return fsspec.core.url_to_fs(address)  # type: ignore[no-any-return]
    except ImportError as error:
        raise UsageError(
            f"{address} needs a package that is not installed ({reason_of(error)}): pip install fsspec s3fs "
            "brings that of S3"
        ) from None
    except Exception as error:
        raise describe_store_error(error) from error


@contextmanager
def _explain_store() -> Iterator[None]:
    """Turn what a store raises, which has no class in common, into PictureError."""
    try:
        yield
    except Exception as error:
        raise describe_store_error(error) from error


def describe_store_error(error: Exception) -> PictureError:
    """An error of a store in our words; what the store says besides is cut short."""
    match error:
        case FileNotFoundError():
            return PictureError("no such object")
        case PermissionError():
            return PictureError("access denied")
        case _:
            return PictureError(f"the store cannot be read: {shorten(reason_of(error), 150)}")
