"""Predictions as text: csv, JSON lines or one JSON document, all with the same columns.

A row a face, and a row for a picture without faces or that failed:
source, frame, time, face, track, x1, y1, x2, y2, the landmarks, detection_score, label, confidence, one column a
class with its probability, status, message. What does not apply is empty in csv and null in JSON. csv has two
columns a landmark (left_eye_x, left_eye_y …), JSON one list 'landmarks' of five pairs. Left is left in the picture.
"""

import csv
import io
import json
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

from fercli.core.errors import UsageError
from fercli.workflows.predict.results import FacePrediction, PictureResult

LANDMARKS = ("left_eye", "right_eye", "nose", "mouth_left", "mouth_right")
_BEFORE = (
    "source",
    "frame",
    "time",
    "face",
    "track",
    "x1",
    "y1",
    "x2",
    "y2",
    "landmarks",
    "detection_score",
    "label",
    "confidence",
)
_AFTER = ("status", "message")

Form = Literal["csv", "jsonl", "json"]
Writer = Callable[[Iterable[PictureResult], Sequence[str]], Iterator[str]]


def csv_text(results: Iterable[PictureResult], classes: Sequence[str]) -> Iterator[str]:
    """Lines of csv, the header first."""
    points = [f"{name}_{axis}" for name in LANDMARKS for axis in "xy"]
    columns = [*_BEFORE, *map(class_column, classes), *_AFTER]
    at = columns.index("landmarks")
    yield _csv_line([*columns[:at], *points, *columns[at + 1 :]])
    for row in _rows(results, classes):
        values = list(row.values())
        landmarks = [value for point in row["landmarks"] or [[None, None]] * 5 for value in point]
        yield _csv_line([*values[:at], *landmarks, *values[at + 1 :]])


def jsonl_text(results: Iterable[PictureResult], classes: Sequence[str]) -> Iterator[str]:
    """A JSON object a line."""
    for row in _rows(results, classes):
        yield json.dumps(row, ensure_ascii=False) + "\n"


def json_text(results: Iterable[PictureResult], classes: Sequence[str]) -> Iterator[str]:
    """One JSON document: a list of the same objects."""
    start = "[\n"
    for row in _rows(results, classes):
        yield start + json.dumps(row, ensure_ascii=False)
        start = ",\n"
    yield ("[" if start == "[\n" else "\n") + "]\n"


WRITERS: dict[Form, Writer] = {"csv": csv_text, "jsonl": jsonl_text, "json": json_text}


def form_of(path: Path) -> Form:
    """The form that a file's ending names. Raises UsageError for an ending that names none."""
    for form in WRITERS:
        if path.suffix.lower() == f".{form}":
            return form
    raise UsageError(f"{path} does not end in {', '.join(f'.{form}' for form in WRITERS)}")


def class_column(name: str) -> str:
    """The column of a class: its name, marked where that is the name of another column."""
    return f"{name}_probability" if name in {*_BEFORE, *_AFTER} else name


def _rows(results: Iterable[PictureResult], classes: Sequence[str]) -> Iterator[dict[str, Any]]:
    columns = [*_BEFORE, *map(class_column, classes), *_AFTER]
    for result in results:
        end = {
            "source": _shown(result.source),
            "frame": result.frame,
            "time": result.time,
            "status": result.status,
            "message": result.message,
        }
        for face in result.faces or (None,):
            known = {**end, **(_face_values(face) if face else {})}
            yield {column: known.get(column) for column in columns}


def _face_values(face: FacePrediction) -> dict[str, Any]:
    x1, y1, x2, y2 = face.detection.box
    return {
        "face": face.number,
        "track": face.track,
        "x1": x1,
        "y1": y1,
        "x2": x2,
        "y2": y2,
        "landmarks": [list(point) for point in face.detection.landmarks] or None,
        "detection_score": face.detection.score,
        "label": face.label,
        "confidence": face.confidence,
        **{class_column(name): share for name, share in face.probabilities.items()},
    }


def _csv_line(values: Sequence[Any]) -> str:
    """One line ended by \\n alone, whatever the system. A line break or a lone \\r in a value is quoted."""
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\r\n").writerow(values)  # Python 3.11 quotes only what ends its lines
    return buffer.getvalue()[:-2] + "\n"


def _shown(path: Path) -> str:
    """A path as text that UTF-8 can hold: bytes of a name that are not UTF-8 become �."""
    return os.fsencode(path).decode("utf-8", "replace")
