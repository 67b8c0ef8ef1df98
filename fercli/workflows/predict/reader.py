"""Files of predictions read back: csv, jsonl, json and parquet alike."""

import json
import math
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import chain, islice
from pathlib import Path
from typing import Any, get_args

from fercli.core.errors import DataError
from fercli.faces.detection import Detection
from fercli.workflows.predict.lines import LINES, Line, damaged, flat_document
from fercli.workflows.predict.results import UNSURE, FacePrediction, PictureResult, Status
from fercli.workflows.predict.schema import POINTS, class_column, classes_of, columns
from fercli.workflows.predict.writers import form_of


def read_predictions(path: str | Path) -> Iterator[PictureResult]:
    """The results in a file that `fer predict --output` wrote: one a picture or frame, in the file's order.

    The ending says what it is: .csv, .jsonl, .json or .parquet. Results come as they are asked for, `list(…)` has
    them all. Raises UsageError for another ending, MachineError for a parquet file where pyarrow is missing, and
    DataError, naming the line, where a file is missing, damaged or another program's: at once for its first row,
    for each other one when it is reached.
    """
    path = Path(path)
    results = grouped(path, _lines(path))
    return chain(list(islice(results, 1)), results)


def grouped(path: Path, lines: Iterable[Line]) -> Iterator[PictureResult]:
    """The rows put together to results. Raises DataError where a row is none."""
    held: PictureResult | None = None
    faces: list[FacePrediction] = []
    for line in lines:
        values = _checked(path, line)
        picture, face = _picture(path, line.place, values), _face(path, line.place, values)
        if face and faces and picture == held and face.number > faces[-1].number:
            faces.append(face)
            continue
        if held:
            yield replace(held, faces=tuple(faces))
        held, faces = picture, [face] if face else []
    if held:
        yield replace(held, faces=tuple(faces))


def _lines(path: Path) -> Iterator[Line]:
    form = form_of(path)
    if not path.is_file():
        raise DataError(f"{path}: no such file")
    if form == "parquet":
        from fercli.workflows.predict.parquet import parquet_lines

        return parquet_lines(path)
    return _json_lines(path) if form == "json" else LINES[form](path)


def _json_lines(path: Path) -> Iterator[Line]:
    try:
        document = json.loads(path.read_bytes())
    except ValueError as error:
        raise DataError(f"{path}: no JSON document ({error})") from error
    if not isinstance(document, list):
        raise DataError(f"{path}: no list of rows")
    for number, row in enumerate(document, start=1):
        place = f"row {number}"
        yield Line(place, 0, flat_document(path, place, row))


def _checked(path: Path, line: Line) -> dict[str, Any]:
    """The values of a row, each of the kind that its column has, or None."""
    values = dict(line.values)
    for name, kind in columns(classes_of(values) or ()).items():
        value = values[name]
        if kind is float and isinstance(value, int) and not isinstance(value, bool):
            values[name] = value = float(value)
        fits = type(value) is kind and (not isinstance(value, float) or math.isfinite(value))
        if value is not None and not fits:
            raise damaged(path, line.place, f"{name} is {value!r}, not {_KINDS[kind]}")
    return values


_KINDS: dict[type, str] = {str: "text", int: "a whole number", float: "a number"}


#: What a row with a face may have empty in any case, and what if nobody searched for the face.
_MAY_LACK, _SEARCHED = ("frame", "time", "track"), (*POINTS, "detection_score")


def _picture(path: Path, place: str, values: dict[str, Any]) -> PictureResult:
    """The picture that a row is of, without its faces."""
    source, status = values["source"], values["status"]
    if not source:
        raise damaged(path, place, "source is empty")
    if status not in get_args(Status):
        raise damaged(path, place, f"status is {status!r}, not {', '.join(get_args(Status))}")
    if (status == "ok") != (values["face"] is not None):
        raise damaged(path, place, f"status is {status}, but there is {'no' if status == 'ok' else 'a'} face")
    return PictureResult(Path(source), status, values["message"] or "", (), values["frame"], values["time"])


def _face(path: Path, place: str, values: dict[str, Any]) -> FacePrediction | None:
    """The face of a row, or None where the row has none."""
    if values["face"] is None:
        return None
    classes = classes_of(values) or ()
    shares = {name: values[class_column(name)] for name in classes}
    box = tuple(values[name] for name in ("x1", "y1", "x2", "y2"))
    points = [values[name] for name in POINTS]
    empty = [name for name, value in values.items() if value is None and name not in _MAY_LACK]
    if points.count(None) == len(points):
        points, empty = [], [name for name in empty if name not in _SEARCHED]
    if empty:
        raise damaged(path, place, f"{empty[0]} is empty")
    if values["label"] not in (*classes, UNSURE):
        raise damaged(path, place, f"label is '{values['label']}', not {', '.join(classes)} or {UNSURE}")
    landmarks = tuple(zip(points[::2], points[1::2], strict=True))
    detection = Detection((box[0], box[1], box[2], box[3]), landmarks, values["detection_score"])
    return FacePrediction(values["face"], detection, values["label"], values["confidence"], shares, values["track"])
