"""The picture of a network's accuracy on corrupted faces."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from fercli.metrics.plots import FAINT, INK, save_figure
from fercli.metrics.robustness import CorruptedScores
from fercli.metrics.scores import Scores

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: From the mildest to the strongest, told apart by shape and shade.
_MARKS = (("o", "#6baed6"), ("s", "#2171b5"), ("D", "#08306b"))


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
    for place, (strength, (mark, colour)) in enumerate(zip(strengths, _MARKS, strict=False)):
        chosen = [row for row in rows if row.strength == strength]
        heights = [names.index(row.corruption) + 0.18 * (place - 1) for row in chosen]
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
