"""Predictions as a Parquet file: the columns of csv, typed, and in its metadata where they come from."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

from fercli.core.errors import DataError, MachineError, reason_of
from fercli.core.files import written_whole
from fercli.core.parse import parse_json
from fercli.workflows.predict.output.schema import columns, to_rows
from fercli.workflows.predict.results import PictureResult

#: Rows that are held before they are written together. It bounds the memory of a file of any length.
ROW_GROUP = 10_000
_KEY = b"fercli"


def need_pyarrow(what: Path | str) -> Any:
    """pyarrow, which reads and writes Parquet. Raises MachineError, naming what needs it, where it is not installed."""
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        raise MachineError(f"{what} needs pyarrow: pip install pyarrow; .csv and .jsonl need nothing") from error
    return pyarrow


def write_parquet(
    path: Path, results: Iterable[PictureResult], classes: Sequence[str], origin: Mapping[str, Any]
) -> None:
    """Write a Parquet file whole, a row group at a time. `origin` is kept in its metadata as JSON.

    Raises RunError where the file cannot be written.
    """
    arrow = need_pyarrow(path)
    kinds = {str: arrow.string(), int: arrow.int64(), float: arrow.float64()}
    fields = [(name, kinds[kind]) for name, kind in columns(classes).items()]
    schema = arrow.schema(fields, metadata={_KEY: json.dumps(origin, ensure_ascii=False)})
    every_row = (row for result in results for row in to_rows(result, classes))
    with written_whole(path) as temporary, arrow.parquet.ParquetWriter(str(temporary), schema) as writer:
        while group := list(islice(every_row, ROW_GROUP)):
            writer.write_table(arrow.Table.from_pylist(group, schema))


def read_columns(path: Path) -> tuple[str, ...]:
    """The names of a file's columns. Raises DataError where it is damaged or no Parquet file."""
    with _open(path) as file:
        return tuple(file.schema_arrow.names)


def read_rows(path: Path) -> Iterator[dict[str, Any]]:
    """The rows of a file, values by column. Raises DataError where it is damaged or no Parquet file."""
    with _open(path) as file:
        for batch in file.iter_batches():
            yield from batch.to_pylist()


def read_origin(path: Path) -> dict[str, Any]:
    """What `write_parquet` was told of the origin. Raises DataError where the file says nothing of it."""
    with _open(path) as file:
        metadata = file.schema_arrow.metadata or {}
    try:
        origin: dict[str, Any] = parse_json(metadata[_KEY])
    except (KeyError, ValueError) as error:
        raise DataError(
            f"{path} does not say which model and settings made it: fer predict did not write it"
        ) from error
    return origin


@contextmanager
def _open(path: Path) -> Iterator[Any]:
    """A file to read from; damage met while it is open is a DataError."""
    arrow = need_pyarrow(path)
    try:
        with arrow.parquet.ParquetFile(str(path)) as file:
            yield file
    except (arrow.ArrowException, OSError, ValueError) as error:  # ValueError: text that is no UTF-8
        raise DataError(f"{path} is no Parquet file, or damaged: {reason_of(error)}") from error
