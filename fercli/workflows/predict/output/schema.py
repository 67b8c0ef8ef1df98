"""What a row says: one list of columns for every form. docs/output.md says what each means.

Each face has a row, and each picture without faces or that failed. What does not apply is None; a message is ''.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from fercli.faces.detection import Detection
from fercli.workflows.predict.results import FacePrediction, PictureResult

#: The five points of a face. Left is left in the picture.
LANDMARKS = ("left_eye", "right_eye", "nose", "mouth_left", "mouth_right")
#: Their columns, where each coordinate has one of its own.
POINTS = tuple(f"{name}_{axis}" for name in LANDMARKS for axis in "xy")

#: The version of the schema, which jobs keep beside or in their files: raised whenever a column is added, renamed or
#: gets another meaning. Readers go by the names of columns, so that they take files of other versions too.
SCHEMA = 2

Value = str | int | float | None
Row = dict[str, Value]
Kind = type[str] | type[int] | type[float]

# a column between `confidence` and `status` is a class: new ones go before or after these two
_BEFORE: dict[str, Kind] = {
    "source": str,
    "frame": int,
    "time": float,
    "face": int,
    "track": int,
    **dict.fromkeys(("x1", "y1", "x2", "y2", *POINTS, "detection_score", "face_size", "blur"), float),
    "yaw": int,
    "label": str,
    "confidence": float,
}
_AFTER: dict[str, Kind] = {"status": str, "message": str}
_OWN = {*_BEFORE, *_AFTER, "landmarks"}
_MARK = "_probability"
#: The columns that a file must have to be read, and that a face always has, like its classes. Others may be missing.
REQUIRED = ("source", "face", "x1", "y1", "x2", "y2", "label", "confidence", "status")


def columns(classes: Sequence[str]) -> Mapping[str, Kind]:
    """Every column in its order, with the kind of its values."""
    return _columns(tuple(classes))


def classes_of(names: Iterable[str]) -> tuple[str, ...]:
    """The classes of a file with these columns. Raises ValueError where they are no columns of this schema, of
    whatever version: columns that it does not know are allowed, required ones must be there."""
    return _classes_of(tuple(names))


# asked for every row that is written or read
@lru_cache(8)
def _columns(classes: tuple[str, ...]) -> Mapping[str, Kind]:
    return {**_BEFORE, **dict.fromkeys(map(class_column, classes), float), **_AFTER}


@lru_cache(8)
def _classes_of(names: tuple[str, ...]) -> tuple[str, ...]:
    wrong = "not the columns that fer predict writes"
    if missing := [name for name in REQUIRED if name not in names]:
        raise ValueError(f"{wrong}: there is no {', no '.join(missing)}")
    if len(set(names)) < len(names):
        raise ValueError(f"{wrong}: two have the same name")
    between = names[names.index("confidence") + 1 : names.index("status")]
    classes = tuple(name.removesuffix(_MARK) for name in between if name not in _OWN)
    if not classes:
        raise ValueError(f"{wrong}: there is no class between confidence and status")
    return classes


def class_column(name: str) -> str:
    """The column of a class: its name, marked where that could be taken for another column."""
    return f"{name}{_MARK}" if name in _OWN or name.endswith(_MARK) else name


def to_rows(result: PictureResult, classes: Sequence[str]) -> list[Row]:
    """The rows of one picture, each with every column."""
    picture = result.to_dict()
    del picture["faces"]
    names = columns(classes)
    values = [{**picture, **_face_values(face)} for face in result.faces] or [picture]
    return [{name: known.get(name) for name in names} for known in values]


def to_picture(row: Mapping[str, Any]) -> PictureResult:
    """The picture of a checked row, without its faces."""
    return PictureResult(Path(row["source"]), row["status"], row["message"] or "", (), row["frame"], row["time"])


def to_face(row: Mapping[str, Any], classes: Sequence[str]) -> FacePrediction:
    """The face of a checked row that has one."""
    points = [row[name] for name in POINTS]
    landmarks = () if None in points else tuple(zip(points[::2], points[1::2], strict=True))
    detection = Detection((row["x1"], row["y1"], row["x2"], row["y2"]), landmarks, row["detection_score"])
    probabilities = {name: row[class_column(name)] for name in classes}
    return FacePrediction(
        row["face"], detection, row["label"], row["confidence"], probabilities, row["track"], row["blur"]
    )


def nest_landmarks(row: Row) -> dict[str, Any]:
    """A row as JSON has it: the landmarks as one list of pairs, or None."""
    points = [[row[f"{name}_x"], row[f"{name}_y"]] for name in LANDMARKS]
    out: dict[str, Any] = {}
    for name, value in row.items():
        if name == POINTS[0]:
            out["landmarks"] = None if points[0][0] is None else points
        elif name not in POINTS:
            out[name] = value
    return out


def flatten_landmarks(document: dict[str, Any]) -> dict[str, Any]:
    """What `nest_landmarks` gave, with a column a coordinate again.

    Raises ValueError where the landmarks are no five pairs.
    """
    out: dict[str, Any] = {}
    for name, value in document.items():
        if name == "landmarks":
            out |= zip(POINTS, [None] * len(POINTS) if value is None else _coordinates(value), strict=True)
        else:
            out[name] = value
    return out


def _coordinates(points: Any) -> Iterable[Any]:
    pairs = isinstance(points, list) and all(isinstance(point, list) and len(point) == 2 for point in points)
    if not pairs or len(points) != len(LANDMARKS):
        raise ValueError(f"landmarks are no list of {len(LANDMARKS)} pairs")
    return [value for point in points for value in point]


def _face_values(face: FacePrediction) -> Row:
    plain = face.to_dict()
    points = plain.pop("landmarks")
    probabilities = plain.pop("probabilities")
    coordinates = zip(POINTS, [value for point in points for value in point], strict=True) if points else ()
    return {**plain, **dict(coordinates), **{class_column(name): value for name, value in probabilities.items()}}
