"""Pictures in object stores, through fsspec: S3, Google Cloud, Azure. Each store finds its credentials in its own way.

A `Path` of an address has one slash after the colon where the address has two: `restore_address` puts it back.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from fercli.core.errors import PictureError, UsageError, reason_of
from fercli.core.text import shorten
from fercli.faces.io.folders import guess_kind

#: The stores that are read, by what their addresses begin with; 'memory' is fsspec's own, for tests.
PROTOCOLS = ("s3", "gs", "gcs", "az", "abfs", "abfss", "memory")
_ADDRESS = re.compile(rf"^({'|'.join(PROTOCOLS)}):/+(?=[^/])")

#: The largest object that is read, in bytes: a picture of the most pixels that any format may have, uncompressed.
_MOST_BYTES = 500_000_000


def is_address(path: Path) -> bool:
    """Whether a path stands for an object in a store, or for all below a prefix."""
    return _ADDRESS.match(str(path)) is not None


def restore_address(text: str) -> str:
    """'s3:/bucket/a.jpg' as 's3://bucket/a.jpg'; any other text as it is."""
    return _ADDRESS.sub(r"\1://", text, count=1)


def list_objects(path: Path) -> Iterator[Path]:
    """The pictures at an address: the object itself, or all below that prefix, in the order of their names.

    An address with the ending of a picture is taken for an object without asking the store.

    Raises UsageError where the store's package is not installed, PictureError where the address cannot be listed.
    """
    address = restore_address(str(path))
    store, inner = _open_store(address)
    if guess_kind(path.name) == "picture":
        yield path
        return
    scheme = address.partition("://")[0]
    try:
        if store.isfile(inner):
            names = [inner]
        else:
            names = sorted(name for name in store.find(inner) if guess_kind(name) == "picture")
    except Exception as error:  # what the stores raise has no class in common
        raise _to_error(error) from error
    if not names:
        raise PictureError("no pictures at this address")
    for name in names:
        yield Path(f"{scheme}://{name.lstrip('/')}")


def read_object(path: Path) -> bytes:
    """The content of an object. Raises PictureError where it cannot be read."""
    store, inner = _open_store(restore_address(str(path)))
    try:
        content: bytes = store.cat_file(inner, start=0, end=_MOST_BYTES + 1)
    except Exception as error:
        raise _to_error(error) from error
    if len(content) > _MOST_BYTES:
        raise PictureError(f"an object of more than {_MOST_BYTES // 1_000_000:,} MB is no picture")
    return content


def _open_store(address: str) -> tuple[Any, str]:
    """The store of an address, which fsspec keeps, and the address within it."""
    try:
        import fsspec

        return fsspec.core.url_to_fs(address)  # type: ignore[no-any-return]
    except ImportError as error:
        raise UsageError(
            f'{address} needs a package that is not installed ({reason_of(error)}): pip install "fercli[remote]" '
            "brings that of S3"
        ) from None
    except Exception as error:
        raise _to_error(error) from error


def _to_error(error: Exception) -> PictureError:
    """In our words; what a store says besides is cut short."""
    match error:
        case FileNotFoundError():
            return PictureError("no such object")
        case PermissionError():
            return PictureError("access denied")
        case _:
            return PictureError(f"the store cannot be read: {shorten(reason_of(error), 150)}")
