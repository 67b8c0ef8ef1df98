"""How much of its accuracy a network keeps on corrupted faces: the scores, their table as csv, and their plot."""

import csv
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from fercli.core.files import written_whole
from fercli.metrics.plots import FAINT, INK, save_figure
from fercli.metrics.predictions import Predictions
from fercli.metrics.repeated_crossval import Interval, paired_difference
from fercli.metrics.scores import Scores, score

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_COLUMNS = (
    *("corruption", "strength", "amount", "accuracy", "macro_recall", "calibration_error"),
    *("difference", "low", "high", "p"),
)


#: From the mildest to the strongest, told apart by shape and shade.
_MARKS = (("o", "#6baed6"), ("s", "#2171b5"), ("D", "#08306b"))


@dataclass(frozen=True)
class CorruptedScores:
    """One corruption at one strength, `amount` in words. Fractions run from 0 to 1.

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


def plot_corrupted(clean: Scores, rows: Sequence[CorruptedScores], path: Path, title: str = "") -> None:
    """Draw the accuracy for each corruption and strength, with the interval of what was lost, to a PNG; beside it that
    on the faces as they are and that of always naming the most frequent class.

    Raises RunError where the file cannot be written.
    """
    save_figure(corrupted_figure(clean, rows, title), path)


def corrupted_figure(clean: Scores, rows: Sequence[CorruptedScores], title: str = "") -> "Figure":
    """The figure that plot_corrupted saves."""
    from matplotlib.figure import Figure
    from matplotlib.ticker import PercentFormatter

    floor = max(row.support for row in clean.per_class) / clean.faces
    names = list(dict.fromkeys(row.corruption for row in rows))
    strengths = list(dict.fromkeys(row.strength for row in rows))
    figure = Figure(figsize=(8, 1.6 + 0.36 * len(names)), layout="constrained")
    axes = figure.add_subplot()
    axes.axvline(clean.accuracy, color=INK, lw=1.2, label=f"as they are: {100 * clean.accuracy:.1f} %")
    axes.axvline(floor, color=FAINT, lw=1, ls=":", label=f"most frequent class: {100 * floor:.1f} %")
    for index, (strength, (mark, colour)) in enumerate(zip(strengths, _MARKS, strict=False)):
        chosen = [row for row in rows if row.strength == strength]
        heights = [names.index(row.corruption) + 0.18 * (index - 1) for row in chosen]
        ends = [(row.difference.low, row.difference.high) for row in chosen]
        spread = np.abs(np.transpose(ends) - [row.difference.mean for row in chosen])
        axes.errorbar(
            [row.accuracy for row in chosen], heights, xerr=spread,
            fmt=mark, ms=5, mew=0, color=colour, elinewidth=1.1, label=strength,
        )  # fmt: skip
    axes.set_yticks(range(len(names)), names)
    axes.invert_yaxis()
    axes.set_xlim(left=0)
    axes.xaxis.set_major_formatter(PercentFormatter(xmax=1, symbol=" %"))
    axes.set_xlabel("accuracy, with the 95 % interval of the difference from the faces as they are", color=FAINT)
    axes.set_title(title, parse_math=False, color=INK, fontsize=11, loc="left")
    axes.grid(axis="x", color="#e4e7eb", linewidth=0.8)
    axes.set_axisbelow(True)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(length=0, colors=INK)
    figure.legend(loc="outside lower center", ncols=5, frameon=False, fontsize=9)
    return figure
