"""The rows of csv and jsonl files as they lie in the file: each with its line and where it ends."""

import csv
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from fercli.core.errors import DataError
from fercli.workflows.predict.schema import Kind, classes_of, columns, flat

_BOM = b"\xef\xbb\xbf"


class CutOffError(DataError):
    """The last row of a file is not whole: whoever wrote it was broken off."""


@dataclass(frozen=True)
class Line:
    """A row as it was read: values by column, not yet checked; its last line, from 1 on; the byte after it."""

    place: str
    end: int
    values: dict[str, Any]


def csv_lines(path: Path) -> Iterator[Line]:
    """The rows of a csv file. Raises DataError where it is damaged or not of this schema."""
    with path.open("rb") as file:
        lines = _Lines(path, file)
        reader = csv.reader(lines, strict=True)
        try:
            names = next(reader, None)
            if names is None:
                raise CutOffError(_told(path, "line 1", "nothing, not even the names of columns"))
            classes = classes_of(names)
            if classes is None:
                raise foreign(path)
            kinds = columns(classes)
            for values in reader:
                place = f"line {lines.number}"
                if len(values) != len(names):
                    raise damaged(path, place, f"{len(values)} values for {len(names)} columns")
                typed = {
                    name: _from_text(path, place, name, kinds[name], value)
                    for name, value in zip(names, values, strict=True)
                }
                yield Line(place, lines.end, typed)
        except csv.Error as error:
            # at the end of the file, a quote that was never closed; elsewhere, damage
            at_end = not file.read(1)
            raise (CutOffError if at_end else DataError)(_told(path, f"line {lines.number}", str(error))) from error


def jsonl_lines(path: Path) -> Iterator[Line]:
    """The rows of a file of JSON lines. Raises DataError where it is damaged or not of this schema."""
    with path.open("rb") as file:
        lines = _Lines(path, file)
        for text in lines:
            place = f"line {lines.number}"
            try:
                document = json.loads(text)
            except ValueError as error:
                raise damaged(path, place, f"no JSON ({error})") from error
            yield Line(place, lines.end, flat_document(path, place, document))


#: How the files that grow are read.
LINES: dict[str, Callable[[Path], Iterator[Line]]] = {"csv": csv_lines, "jsonl": jsonl_lines}


def flat_document(path: Path, place: str, document: object) -> dict[str, Any]:
    """A JSON object with a column a coordinate. Raises DataError where it is no row of the schema."""
    if not isinstance(document, dict):
        raise damaged(path, place, "no JSON object")
    try:
        values = flat(document)
    except ValueError as error:
        raise damaged(path, place, str(error)) from error
    if classes_of(values) is None:
        raise foreign(path, place)
    return values


def foreign(path: Path, place: str = "line 1") -> DataError:
    """What to say of a file that something else wrote."""
    return DataError(f"{path}, {place}: not the columns that fer predict writes (source, frame … status, message)")


def damaged(path: Path, place: str, fault: str) -> DataError:
    """What to say of a row that cannot be."""
    return DataError(_told(path, place, fault))


def _told(path: Path, place: str, fault: str) -> str:
    return f"{path}, {place}: {fault}"


def _from_text(path: Path, place: str, name: str, kind: Kind, text: str) -> object:
    if kind is str:
        return text
    if text == "":
        return None
    try:
        return kind(text)
    except ValueError as error:
        raise damaged(path, place, f"{name} is '{text}', not a number") from error


class _Lines:
    """The lines of an open file as text, counted. Only \\n ends a line."""

    def __init__(self, path: Path, file: BinaryIO) -> None:
        self._path = path
        self._file = file
        self.number = 0
        self.end = 0

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        line = self._file.readline()
        if not line:
            raise StopIteration
        self.number += 1
        self.end += len(line)
        if not line.endswith(b"\n"):
            raise CutOffError(
                _told(self._path, f"line {self.number}", "cut off before its end (fer predict --resume goes on)")
            )
        try:
            return line.removeprefix(_BOM if self.number == 1 else b"").decode()
        except UnicodeDecodeError as error:
            raise damaged(self._path, f"line {self.number}", "no UTF-8") from error
