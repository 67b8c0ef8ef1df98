"""Predictions as text: csv, JSON lines or one JSON document, all with the columns of the schema.

What does not apply is empty in csv and null in JSON. csv has two columns a landmark (left_eye_x, left_eye_y …),
JSON one list 'landmarks' of five pairs.
"""

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from io import FileIO
from pathlib import Path
from typing import Any

from fercli.core.errors import RunError
from fercli.core.files import written_whole
from fercli.workflows.predict.output import Form
from fercli.workflows.predict.output.schema import columns, nest_landmarks, to_rows
from fercli.workflows.predict.results import PictureResult

Formatter = Callable[[Iterable[PictureResult], Sequence[str]], Iterator[str]]


def format_csv(results: Iterable[PictureResult], classes: Sequence[str]) -> Iterator[str]:
    """Lines of csv: the header, then those of one picture at a time."""
    yield csv_header(classes)
    for result in results:
        rows = to_rows(result, classes)
        yield "".join(csv_line({**row, "source": guard_cell(str(row["source"]))}.values()) for row in rows)


def csv_header(classes: Sequence[str]) -> str:
    """The first line of a csv file."""
    return csv_line(columns(classes))


def format_jsonl(results: Iterable[PictureResult], classes: Sequence[str]) -> Iterator[str]:
    """A JSON object a line; the lines of one picture at a time."""
    for result in results:
        yield "".join(_json(nest_landmarks(row)) + "\n" for row in to_rows(result, classes))


def format_json(results: Iterable[PictureResult], classes: Sequence[str]) -> Iterator[str]:
    """One JSON document: a list of the same objects."""
    start = "[\n"
    for result in results:
        yield start + ",\n".join(_json(nest_landmarks(row)) for row in to_rows(result, classes))
        start = ",\n"
    yield ("[" if start == "[\n" else "\n") + "]\n"


#: The forms that are text, which standard output takes.
FORMATTERS: dict[Form, Formatter] = {"csv": format_csv, "jsonl": format_jsonl, "json": format_json}


def write_document(path: Path, results: Iterable[PictureResult], classes: Sequence[str]) -> None:
    """Write one JSON document whole. Raises RunError where that is not possible."""
    with written_whole(path) as temporary, temporary.open("w", encoding="utf-8", newline="\n") as file:
        for text in format_json(results, classes):
            file.write(text)


def append_results(path: Path, form: Form, results: Iterable[PictureResult], classes: Sequence[str]) -> None:
    """Write each result, as it comes, behind what a csv or jsonl file holds, all its rows in one write.

    Raises RunError where that is not possible.
    """
    with _open_to_append(path) as file:
        texts = FORMATTERS[form](results, classes)
        if form == "csv" and file.tell():
            next(texts)  # the header is there already
        for text in texts:
            _write(path, file, text.encode())


def _open_to_append(path: Path) -> FileIO:
    """Unbuffered: what was written is the system's, whatever becomes of this process."""
    try:
        return path.open("ab", buffering=0)
    except OSError as error:
        raise _cannot_write(path, error) from error


def _write(path: Path, file: FileIO, data: bytes) -> None:
    try:
        while data:
            data = data[file.write(data) :]
    except OSError as error:
        raise _cannot_write(path, error) from error


def _cannot_write(path: Path, error: OSError) -> RunError:
    return RunError(f"cannot write {path}: {error.strerror or error} (once that is fixed, --resume continues)")


def _json(document: dict[str, Any]) -> str:
    return json.dumps(document, ensure_ascii=False)


def guard_cell(source: str) -> str:
    """A path that no spreadsheet takes for a formula: '=a.png' as './=a.png', which is the same file."""
    return f"./{source}" if source.startswith(("=", "+", "-", "@", "\t", "\r")) else source


def csv_line(values: Iterable[Any]) -> str:
    """One line ended by \\n alone, whatever the system. A line break or a lone \\r in a value is quoted."""
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\r\n").writerow(values)  # Python 3.11 quotes only what ends its lines
    return buffer.getvalue()[:-2] + "\n"
