"""How much of its accuracy a network keeps on the same faces made worse."""

import csv
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fercli.core.files import written_whole
from fercli.metrics.predictions import Predictions
from fercli.metrics.resampled import Interval, paired_difference
from fercli.metrics.scores import score

_COLUMNS = (
    *("corruption", "strength", "amount", "accuracy", "macro_recall", "calibration_error"),
    *("difference", "low", "high", "p"),
)


@dataclass(frozen=True)
class CorruptedScores:
    """One corruption at one strength, `amount` in words. Shares run from 0 to 1.

    macro_recall: the mean over the classes that have faces. difference: the accuracy less that on the clean faces,
    face by face, with its 95 % interval and McNemar's p.
    """

    corruption: str
    strength: str
    amount: str
    accuracy: float
    macro_recall: float
    calibration_error: float
    difference: Interval

    def to_dict(self) -> dict[str, Any]:
        """As JSON takes it."""
        return asdict(self)


def score_corrupted(
    named: tuple[str, str, str], clean: Predictions, probabilities: NDArray[np.floating]
) -> CorruptedScores:
    """Measure predictions [N, C] on corrupted faces against those on the clean ones; `named` are corruption, strength
    and amount."""
    scores = score(probabilities, clean.labels, clean.classes)
    right = [rows.argmax(axis=1) == clean.labels for rows in (clean.probabilities, probabilities)]
    return CorruptedScores(
        *named, scores.accuracy, scores.balanced_accuracy, scores.calibration_error, paired_difference(*right)
    )


def write_corrupted(path: Path, rows: Sequence[CorruptedScores]) -> None:
    """Write the figures as csv, a row a corruption and strength. Raises RunError where it cannot be written."""
    with written_whole(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(_COLUMNS)
        for row in rows:
            figures = (row.accuracy, row.macro_recall, row.calibration_error, *asdict(row.difference).values())
            writer.writerow([row.corruption, row.strength, row.amount, *figures])
