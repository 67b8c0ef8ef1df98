"""predictions.csv: a row a face, with its id, its label, what was predicted and how sure."""

import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fercli.core.errors import RunError, reason_of
from fercli.core.files import written_whole
from fercli.core.parse import parse_number

_FIRST_COLUMNS = ["id", "label", "predicted"]


@dataclass(frozen=True)
class Predictions:
    """What predictions.csv holds: ids [N], labels [N] and probabilities [N, C] over C class names."""

    ids: tuple[str, ...]
    labels: NDArray[np.int64]
    probabilities: NDArray[np.float64]
    classes: tuple[str, ...]


def write_predictions(path: Path, predictions: Predictions) -> None:
    """Write the columns id, label, predicted (names as text) and one probability a class, named as the class.

    Probabilities have all their digits: what is measured on the file is what was measured on the arrays.
    Raises RunError where the file cannot be written.
    """
    classes = predictions.classes
    with written_whole(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([*_FIRST_COLUMNS, *classes])
        rows = zip(predictions.ids, predictions.labels, predictions.probabilities, strict=True)
        for name, label, row in rows:
            writer.writerow([name, classes[label], classes[row.argmax()], *row.tolist()])


def read_predictions(path: Path) -> Predictions:
    """Read what write_predictions wrote. Raises RunError where it is missing or something else."""
    try:
        with path.open(encoding="utf-8", newline="") as file:
            return _parsed(csv.reader(file))
    except OSError as error:
        raise RunError(f"cannot read {path}: {error.strerror or error}") from error
    except (ValueError, csv.Error) as error:
        raise RunError(f"{path} is no table of predictions as `fer eval` writes it: {reason_of(error)}") from error


def _parsed(rows: Iterable[Sequence[str]]) -> Predictions:
    lines = iter(rows)
    header = next(lines, [])
    classes = tuple(header[3:])
    if list(header[:3]) != _FIRST_COLUMNS or not classes:
        raise ValueError("its columns should be id, label, predicted and one for each class")
    index = {name: i for i, name in enumerate(classes)}
    ids, labels, probabilities = [], [], []
    for number, row in enumerate(lines, start=1):
        if len(row) != len(header) or row[1] not in index:
            raise ValueError(f"face {number} has {len(row)} of {len(header)} values, or a label of no column")
        ids.append(row[0])
        labels.append(index[row[1]])
        probabilities.append([parse_number(text, float) for text in row[3:]])
    table = np.array(probabilities, dtype=np.float64).reshape(len(ids), len(classes))
    with np.errstate(over="ignore", invalid="ignore"):
        right = (table >= 0).all(axis=1) & np.isclose(table.sum(axis=1), 1, atol=1e-3)
    if not right.all():
        raise ValueError(
            f"the values of face {right.argmin() + 1} are no probabilities: none is negative, their sum is 1"
        )
    return Predictions(tuple(ids), np.array(labels, dtype=np.int64), table, classes)
