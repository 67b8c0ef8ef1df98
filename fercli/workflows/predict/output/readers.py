"""Files of predictions read back: csv, jsonl, json and parquet alike."""

import csv
import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import chain, islice
from pathlib import Path
from typing import Any, BinaryIO, get_args

from fercli.core.errors import DataError
from fercli.core.files import check_regular, read_content
from fercli.core.parse import parse_json, parse_number
from fercli.core.text import shorten
from fercli.workflows.predict.output import form_of
from fercli.workflows.predict.output.schema import (
    POINTS,
    REQUIRED,
    Kind,
    class_column,
    classes_of,
    columns,
    flatten_landmarks,
    to_face,
    to_picture,
)
from fercli.workflows.predict.results import UNSURE, FacePrediction, PictureResult, Status

_BOM = b"\xef\xbb\xbf"
#: The largest JSON document that is read as a whole, and the longest line of the other forms of text, in bytes.
MAX_DOCUMENT_BYTES, MAX_LINE_BYTES = 256 << 20, 1 << 20


class CutOffError(DataError):
    """The last row of a file is not whole: whatever wrote it was interrupted."""


@dataclass(frozen=True)
class Line:
    """A row as it was read: its position in words, the byte after it, and its values by column, not yet checked."""

    position: str
    end: int
    values: dict[str, Any]


def read_predictions(path: str | Path) -> Iterator[PictureResult]:
    """The results in a file that `fer predict --output` wrote: one a picture or frame, in the file's order.

    The ending says what it is: .csv, .jsonl, .json or .parquet. Columns that are not known are ignored, those that
    are missing and not needed are None, so that files of older and newer versions can be read. Results come as they
    are asked for, `list(…)` has them all.

    Raises UsageError for another ending, MachineError for a parquet file where pyarrow is missing, and DataError,
    naming the line, where a file is missing, damaged or another program's: at once for its first row, for each other
    one when it is reached.
    """
    path = Path(path)
    results = _group_rows(path, _read_lines(path))
    return chain(list(islice(results, 1)), results)


def _group_rows(path: Path, lines: Iterable[Line]) -> Iterator[PictureResult]:
    """The rows put together to results. Raises DataError where a row is invalid."""
    held: PictureResult | None = None
    faces: list[FacePrediction] = []
    for line in lines:
        values = _check_row(path, line)
        picture = to_picture(values)
        face = None if values["face"] is None else to_face(values, classes_of(line.values))
        if face and faces and picture == held and face.number > faces[-1].number:
            faces.append(face)
            continue
        if held:
            yield replace(held, faces=tuple(faces))
        held, faces = picture, [face] if face else []
    if held:
        yield replace(held, faces=tuple(faces))


_KINDS: dict[type, str] = {str: "text", int: "a whole number", float: "a number"}


def _check_row(path: Path, line: Line) -> dict[str, Any]:
    """The values of a row for every column of the schema, each of the kind that its column has, or None.

    Raises DataError where it is invalid.
    """
    classes = classes_of(line.values)
    values: dict[str, Any] = {}
    for name, kind in columns(classes).items():
        value = values[name] = line.values.get(name)
        if kind is float and isinstance(value, int) and not isinstance(value, bool):
            values[name] = value = float(value)
        fits = type(value) is kind and (not isinstance(value, float) or math.isfinite(value))
        if value is not None and not fits:
            raise _damaged(path, line.position, f"{name} is {shorten(repr(value), 60)}, not {_KINDS[kind]}")
    if fault := _find_fault(values, classes, [name for name in values if name not in line.values]):
        raise _damaged(path, line.position, fault)
    return values


def _find_fault(values: dict[str, Any], classes: tuple[str, ...], missing: list[str]) -> str | None:
    """What makes no sense in a row whose values are of the right kinds, and whose file has no column for `missing`."""
    status, has_face = values["status"], values["face"] is not None
    if not values["source"]:
        return "source is empty"
    if status not in get_args(Status):
        return f"status is {shorten(repr(status), 60)}, not {', '.join(get_args(Status))}"
    if (status == "ok") != has_face:
        return f"status is {status}, but there is {'no' if status == 'ok' else 'a'} face"
    if not has_face:
        return None
    needed = [*REQUIRED, *map(class_column, classes)]
    if any(values[name] is not None for name in POINTS):  # the detector found the face
        needed += [name for name in (*POINTS, "detection_score") if name not in missing]
    if empty := [name for name in needed if values[name] is None]:
        return f"{empty[0]} is empty"
    if values["label"] not in (*classes, UNSURE):
        return f"label is '{shorten(values['label'], 60)}', not {shorten(', '.join(classes), 200)} or {UNSURE}"
    return None


def _read_lines(path: Path) -> Iterator[Line]:
    form = form_of(path)
    check_regular(path, "", DataError)
    return READERS[form](path)


def _read_csv(path: Path) -> Iterator[Line]:
    """The rows of a csv file. Raises DataError where it is damaged or not of this schema."""
    with path.open("rb") as file:
        lines = _TextLines(path, file)
        reader = csv.reader(lines, strict=True)
        try:
            names = next(reader, None)
            if names is None:
                raise _damaged(path, "line 1", "nothing, not even the names of columns", CutOffError)
            kinds = columns(_find_classes(path, "line 1", names))
            for values in reader:
                position = f"line {lines.number}"
                if len(values) != len(names):
                    raise _damaged(path, position, f"{len(values)} values for {len(names)} columns")
                typed = {
                    name: _parse(path, position, name, kinds.get(name, str), value)
                    for name, value in zip(names, values, strict=True)
                }
                yield Line(position, lines.end, typed)
        except csv.Error as error:
            # at the end of the file, a quote that was never closed; elsewhere, damage
            kind = DataError if file.read(1) else CutOffError
            raise _damaged(path, f"line {lines.number}", str(error), kind) from error


def _read_jsonl(path: Path) -> Iterator[Line]:
    """The rows of a file of JSON lines. Raises DataError where it is damaged or not of this schema."""
    with path.open("rb") as file:
        lines = _TextLines(path, file)
        for text in lines:
            position = f"line {lines.number}"
            try:
                document = parse_json(text)
            except ValueError as error:
                raise _damaged(path, position, f"no JSON ({error})") from error
            yield Line(position, lines.end, _flatten_document(path, position, document))


def _read_json(path: Path) -> Iterator[Line]:
    try:
        document = parse_json(read_content(path, "", DataError, MAX_DOCUMENT_BYTES))
    except ValueError as error:
        raise DataError(f"{path}: no JSON document ({error})") from error
    if not isinstance(document, list):
        raise DataError(f"{path}: no list of rows")
    for number, row in enumerate(document, start=1):
        yield Line(f"row {number}", 0, _flatten_document(path, f"row {number}", row))


def _read_parquet(path: Path) -> Iterator[Line]:
    from fercli.workflows.predict.output.parquet import read_columns, read_rows

    _find_classes(path, "its columns", read_columns(path))
    for number, values in enumerate(read_rows(path), start=1):
        yield Line(f"row {number}", 0, values)


#: How the rows of each form are read.
READERS: dict[str, Callable[[Path], Iterator[Line]]] = {
    "csv": _read_csv,
    "jsonl": _read_jsonl,
    "json": _read_json,
    "parquet": _read_parquet,
}


def _flatten_document(path: Path, position: str, document: object) -> dict[str, Any]:
    """A JSON object with a column a coordinate. Raises DataError where it is no row of the schema."""
    if not isinstance(document, dict):
        raise _damaged(path, position, "no JSON object")
    try:
        values = flatten_landmarks(document)
    except ValueError as error:
        raise _damaged(path, position, str(error)) from error
    _find_classes(path, position, values)
    return values


def _parse(path: Path, position: str, name: str, kind: Kind, text: str) -> object:
    if kind is str:
        return text
    if text == "":
        return None
    try:
        return parse_number(text, int) if kind is int else parse_number(text, float)
    except ValueError as error:
        raise _damaged(path, position, f"{name} is '{shorten(text, 60)}', not a number") from error


def _find_classes(path: Path, position: str, names: Iterable[str]) -> tuple[str, ...]:
    """The classes of a file with these columns. Raises DataError where something else wrote it."""
    try:
        return classes_of(names)
    except ValueError as error:
        raise _damaged(path, position, str(error)) from error


def _damaged(path: Path, position: str, fault: str, error: type[DataError] = DataError) -> DataError:
    """What to say of a row that makes no sense."""
    return error(f"{path}, {position}: {shorten(fault, 400)}")


class _TextLines:
    """The lines of an open file as text, counted. Only \\n ends a line."""

    def __init__(self, path: Path, file: BinaryIO) -> None:
        self._path = path
        self._file = file
        self.number = 0
        self.end = 0

    def __iter__(self) -> "_TextLines":
        return self

    def __next__(self) -> str:
        line = self._file.readline(MAX_LINE_BYTES)
        if not line:
            raise StopIteration
        self.number += 1
        self.end += len(line)
        position = f"line {self.number}"
        if not line.endswith(b"\n"):
            if len(line) == MAX_LINE_BYTES:
                raise _damaged(self._path, position, "a line of more than 1 MB")
            why = "cut off before its end (fer predict --resume continues)"
            raise _damaged(self._path, position, why, CutOffError)
        try:
            return line.removeprefix(_BOM if self.number == 1 else b"").decode()
        except UnicodeDecodeError as error:
            raise _damaged(self._path, position, "no UTF-8") from error
