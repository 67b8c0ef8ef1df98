"""Predictions as text: csv, JSON lines or one JSON document, all with the columns of the schema.

What does not apply is empty in csv and null in JSON. csv has two columns a landmark (left_eye_x, left_eye_y …),
JSON one list 'landmarks' of five pairs.
"""

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

from fercli.core.errors import UsageError
from fercli.workflows.predict.results import PictureResult
from fercli.workflows.predict.schema import columns, nested, rows

Form = Literal["csv", "jsonl", "json", "parquet"]
Writer = Callable[[Iterable[PictureResult], Sequence[str]], Iterator[str]]

FORMS: tuple[Form, ...] = ("csv", "jsonl", "json", "parquet")


def csv_text(results: Iterable[PictureResult], classes: Sequence[str]) -> Iterator[str]:
    """Lines of csv: the header, then those of one picture at a time."""
    yield csv_header(classes)
    for result in results:
        yield "".join(_csv_line(row.values()) for row in rows(result, classes))


def csv_header(classes: Sequence[str]) -> str:
    """The first line of a csv file."""
    return _csv_line(columns(classes))


def jsonl_text(results: Iterable[PictureResult], classes: Sequence[str]) -> Iterator[str]:
    """A JSON object a line; the lines of one picture at a time."""
    for result in results:
        yield "".join(_json(nested(row)) + "\n" for row in rows(result, classes))


def json_text(results: Iterable[PictureResult], classes: Sequence[str]) -> Iterator[str]:
    """One JSON document: a list of the same objects."""
    start = "[\n"
    for result in results:
        yield start + ",\n".join(_json(nested(row)) for row in rows(result, classes))
        start = ",\n"
    yield ("[" if start == "[\n" else "\n") + "]\n"


#: The forms that are text, which standard output takes.
WRITERS: dict[Form, Writer] = {"csv": csv_text, "jsonl": jsonl_text, "json": json_text}


def form_of(path: Path) -> Form:
    """The form that a file's ending names. Raises UsageError for an ending that names none."""
    for form in FORMS:
        if path.suffix.lower() == f".{form}":
            return form
    raise UsageError(f"{path} does not end in {', '.join(f'.{form}' for form in FORMS)}")


def _json(document: dict[str, Any]) -> str:
    return json.dumps(document, ensure_ascii=False)


def _csv_line(values: Iterable[Any]) -> str:
    """One line ended by \\n alone, whatever the system. A line break or a lone \\r in a value is quoted."""
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\r\n").writerow(values)  # Python 3.11 quotes only what ends its lines
    return buffer.getvalue()[:-2] + "\n"
