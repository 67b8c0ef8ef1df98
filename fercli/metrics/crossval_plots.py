"""Pictures of repeated cross-validation, as in the papers' figures: the spread of sensitivities, the course of runs."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from fercli.core.text import format_count
from fercli.metrics.plots import FAINT, INK, save_figure
from fercli.metrics.repeated_crossval import RepeatedScores

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_BOX, _OVERALL = "#08519c", "#e08214"

#: Told apart by shape too, for those who do not see the colours and for print.
_COLOURS = ("#08519c", "#e08214", "#1b7837", "#762a83", "#b2182b", "#35978f", "#7f5539")
_MARKS = ("o", "s", "^", "D", "v", "P", "X")


def plot_sensitivities(scores: RepeatedScores, path: Path, title: str = "") -> None:
    """Draw a box over the runs for each class' sensitivity and for the overall accuracy, every run a point, to a PNG.

    Raises RunError where the file cannot be written.
    """
    save_figure(sensitivities_figure(scores, title), path)


def plot_trend(scores: RepeatedScores, path: Path, title: str = "") -> None:
    """Draw each class' sensitivity and the overall accuracy from run to run to a PNG.

    Raises RunError where the file cannot be written.
    """
    save_figure(trend_figure(scores, title), path)


def sensitivities_figure(scores: RepeatedScores, title: str = "") -> "Figure":
    """The figure that plot_sensitivities saves."""
    from matplotlib.figure import Figure

    names = [*scores.classes, "overall"]
    columns = [100 * column[~np.isnan(column)] for column in (*scores.sensitivity.T, scores.accuracy)]
    figure = Figure(figsize=(max(4.8, 1.0 * len(names) + 1.2), 4.2), layout="constrained")
    axes = figure.add_subplot()
    boxes = axes.boxplot(
        columns, widths=0.5, showfliers=False, patch_artist=True,
        medianprops={"color": INK, "lw": 1.6}, whiskerprops={"color": FAINT}, capprops={"color": FAINT},
    )  # fmt: skip
    draw = np.random.default_rng(0)
    for position, (box, column) in enumerate(zip(boxes["boxes"], columns, strict=True), start=1):
        colour = _OVERALL if position == len(names) else _BOX
        box.set(facecolor=f"{colour}26", edgecolor=colour)
        beside = position + draw.uniform(-0.12, 0.12, len(column)) * (len(column) > 1)
        axes.plot(beside, column, "o", ms=4, color=colour, alpha=0.75, mew=0)
    axes.axvline(len(names) - 0.5, color=FAINT, lw=0.8, ls=":")
    tilted = max(map(len, names)) > 9
    axes.set_xticks(
        range(1, len(names) + 1), names, parse_math=False,
        rotation=40 if tilted else 0, ha="right" if tilted else "center", rotation_mode="anchor",
    )  # fmt: skip
    runs = len(scores.accuracy)
    _dress(axes, title, f"sensitivity over {format_count(runs, 'run')}")
    return figure


def trend_figure(scores: RepeatedScores, title: str = "") -> "Figure":
    """The figure that plot_trend saves."""
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    runs = np.arange(1, len(scores.accuracy) + 1)
    figure = Figure(figsize=(8.6, 4.4), layout="constrained")
    axes = figure.add_subplot()
    for index, (name, column) in enumerate(zip(scores.classes, scores.sensitivity.T, strict=True)):
        colour, mark = _COLOURS[index % len(_COLOURS)], _MARKS[index % len(_MARKS)]
        # an underscore would keep a name out of the legend
        label = f"\u200b{name}" if name.startswith("_") else name
        axes.plot(runs, 100 * column, marker=mark, ms=4.5, lw=1.1, color=colour, alpha=0.8, label=label)
    axes.plot(runs, 100 * scores.accuracy, marker="o", ms=6, lw=2.6, color=INK, label="overall")
    axes.set_xlabel("run", color=FAINT)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1, steps=[1, 2, 5, 10]))
    _dress(axes, title, "sensitivity and overall accuracy")
    legend = axes.legend(loc="center left", bbox_to_anchor=(1.01, 0.5), frameon=False)
    for text in legend.get_texts():
        text.set_parse_math(False)
    return figure


def _dress(axes: "Axes", title: str, measured: str) -> None:
    from matplotlib.ticker import PercentFormatter

    axes.set_title(title, parse_math=False, color=INK, fontsize=11, loc="left")
    axes.set_ylabel(measured, color=FAINT)
    axes.yaxis.set_major_formatter(PercentFormatter(xmax=100, symbol=" %"))
    axes.grid(axis="y", color="#e4e7eb", linewidth=0.8)
    axes.set_axisbelow(True)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(length=0, colors=INK)
    axes.margins(y=0.08)
