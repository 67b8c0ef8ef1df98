"""Pictures of what confidence is worth: how often it is right, and what leaving out the unsure buys."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from fercli.metrics.calibration import Reliability
from fercli.metrics.plots import FAINT, INK, save_figure
from fercli.metrics.scores import LEVELS, Coverage, wilson

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure

_AFTER, _BEFORE, _GRID = "#08519c", "#e08214", "#e4e7eb"


def plot_reliability(after: Reliability, path: Path, before: Reliability | None = None, title: str = "") -> None:
    """Draw accuracy against confidence, bin by bin with their faces below, to a PNG.

    `after` is with the temperature, `before` without it where there is one; both have the same number of bins.
    Raises RunError where the file cannot be written.
    """
    save_figure(reliability_figure(after, before, title), path)


def plot_coverage(curve: Coverage, path: Path, title: str = "") -> None:
    """Draw accuracy against the fraction of faces answered to a PNG. Raises RunError where it cannot be written."""
    save_figure(coverage_figure(curve, title), path)


def reliability_figure(after: Reliability, before: Reliability | None = None, title: str = "") -> "Figure":
    """The figure that plot_reliability saves."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5.6, 6.4), layout="constrained")
    accuracy, faces = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    accuracy.plot([0, 1], [0, 1], color=FAINT, lw=1, ls="--", label="as often right as it says")
    if before is not None:
        _bins(accuracy, faces, before, "before temperature", _BEFORE, "s")
    _bins(accuracy, faces, after, "confidence" if before is None else "after temperature", _AFTER, "o")
    accuracy.set(xlim=(0, 1), ylim=(0, 1))
    # above the axes: within them, points and their intervals may lie anywhere
    legend = accuracy.legend(loc="lower left", bbox_to_anchor=(0, 1), frameon=False, fontsize=9)
    accuracy.set_title(
        title, parse_math=False, color=INK, fontsize=11, loc="left", pad=12 + 15 * len(legend.get_texts())
    )
    faces.set_xlabel("confidence", color=FAINT)
    faces.yaxis.set_major_formatter("{x:,.0f}")
    for axes, measured in ((accuracy, "accuracy"), (faces, "faces")):
        _dress(axes, measured)
    _percent(accuracy.xaxis, accuracy.yaxis)
    return figure


def _bins(accuracy: "Axes", faces: "Axes", bins: Reliability, name: str, colour: str, mark: str) -> None:
    """A point a bin that has faces, with the 95 % interval of its accuracy; below, how many faces these are."""
    there = bins.count > 0
    right, count = bins.accuracy[there], bins.count[there]
    ends = np.array([wilson(round(s * n), n) for s, n in zip(right, count.tolist(), strict=True)]).T
    accuracy.errorbar(
        bins.confidence[there], right, np.abs(ends - right), fmt=f"-{mark}", color=colour, mfc="white",
        lw=1.4, ms=5, elinewidth=0.8, capsize=2, clip_on=False, label=f"{name}: ECE {100 * bins.error:.1f} %",
    )  # fmt: skip
    faces.stairs(bins.count, np.linspace(0, 1, len(bins.count) + 1), color=colour, lw=1.4, fill=False)


def coverage_figure(curve: Coverage, title: str = "") -> "Figure":
    """The figure that plot_coverage saves."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.4, 4.6), layout="constrained")
    axes = figure.add_subplot()
    levels = [curve.level(percent) for percent in LEVELS]
    # the first few faces alone make the curve jump from 0 to 1: it begins where there is something to see
    drawn = curve.fraction >= min(level.fraction for level in levels) / 2
    axes.plot(curve.fraction[drawn], curve.accuracy[drawn], color=_AFTER, lw=1.8, label=f"AURC {curve.aurc:.3f}")
    low, high = zip(*(level.accuracy_interval for level in levels), strict=True)
    fraction = [level.fraction for level in levels]
    axes.fill_between(fraction, low, high, color=_AFTER, alpha=0.12, lw=0, label="95 % interval")
    axes.plot(fraction, [level.accuracy for level in levels], "o", color=_AFTER, ms=4, label="≥ least confidence")
    for level in levels[:: 2 if len({round(s, 2) for s in fraction}) > 5 else 1]:
        axes.annotate(
            f"≥ {100 * level.threshold:.0f} %", (level.fraction, level.accuracy), (-5, -11),
            textcoords="offset points", ha="right", fontsize=8, color=INK,
        )  # fmt: skip
    axes.set_xlabel("fraction of faces answered, the most certain first", color=FAINT)
    axes.set_title(title, parse_math=False, color=INK, fontsize=11, loc="left", pad=10)
    axes.set_xlim(0, 1.02)
    axes.margins(y=0.12)
    axes.legend(loc="lower left", frameon=False, fontsize=9)
    _dress(axes, "accuracy among these")
    _percent(axes.xaxis, axes.yaxis)
    return figure


def _dress(axes: "Axes", measured: str) -> None:
    axes.set_ylabel(measured, color=FAINT)
    axes.grid(color=_GRID, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(FAINT)
    axes.tick_params(length=0, colors=INK)


def _percent(*sides: "Axis") -> None:
    from matplotlib.ticker import PercentFormatter

    for side in sides:
        side.set_major_formatter(PercentFormatter(xmax=1, symbol=" %"))
