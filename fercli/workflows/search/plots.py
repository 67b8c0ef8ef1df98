"""A study's plots: how it went, which settings matter, all settings side by side, and what is traded off."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fercli.core.space import Choice, Range
from fercli.metrics.plots import FAINT, INK, save_figure
from fercli.workflows.search.options import Objective
from fercli.workflows.search.result import SearchResult, TrialRow
from fercli.workflows.search.settings import MAXIMISED

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: Settings in the plot of all settings: more cannot be told apart.
_MOST_PARALLEL = 7
#: Given up, complete, best.
_PALE, _BLUE, _BEST = "#b8c4d0", "#2166ac", "#b2182b"


def draw_plots(result: SearchResult, rows: Sequence[TrialRow]) -> dict[str, Path]:
    """Write the plots that there are trials for, of all trials in their order: the file of each, by its caption."""
    figures = {"How the search went": ("history.png", _draw_history(result, rows))}
    if result.importance:
        figures["Which settings matter"] = ("importance.png", _draw_importance(result.importance))
    if names := result.varied[:_MOST_PARALLEL]:
        figures["Settings and what they reached"] = ("parallel.png", _draw_parallel(result, rows, names))
    if len(result.config.objectives) > 1:
        figures["What is traded off"] = ("pareto.png", _draw_front(result, rows))
    for name, figure in figures.values():
        save_figure(figure, result.folder / name)
    return {caption: result.folder / name for caption, (name, _) in figures.items()}


def _draw_history(result: SearchResult, rows: Sequence[TrialRow]) -> "Figure":
    """The first objective of each trial, and the best until then; where a trial was given up, what it had reached."""
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    objective = result.config.objectives[0]
    figure = Figure(figsize=(8, 3.6), layout="constrained")
    axes = figure.subplots()
    ended = [row for row in rows if row.values]
    given_up = [(row.number, row.reached) for row in rows if row.reached is not None]
    axes.plot(*zip(*given_up, strict=True) if given_up else ([], []), "x", color=_PALE, label="given up")
    axes.plot([row.number for row in ended], [row.values[0] for row in ended], "o", color=_BLUE, label="complete")
    better = max if objective in MAXIMISED else min
    best = [better(other.values[0] for other in ended[: index + 1]) for index in range(len(ended))]
    axes.step([row.number for row in ended], best, where="post", color=_BEST, lw=1.4, label="best so far")
    _dress(axes, "trial", objective)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.legend(frameon=False, loc="upper left", bbox_to_anchor=(1, 1))
    return figure


def _draw_importance(importance: Mapping[str, float]) -> "Figure":
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 0.34 * len(importance) + 0.9), layout="constrained")
    axes = figure.subplots()
    names = list(importance)[::-1]
    axes.barh(names, [100 * importance[name] for name in names], color=_BLUE)
    _dress(axes, "percent of the spread that goes with the setting", "")
    axes.grid(axis="x", color="#e4e7eb", linewidth=0.8)
    axes.grid(visible=False, axis="y")
    axes.set_axisbelow(True)
    return figure


def _draw_parallel(result: SearchResult, rows: Sequence[TrialRow], names: Sequence[str]) -> "Figure":
    """A line a trial that came to its end, through its settings to its objective: the darker, the better."""
    from matplotlib import colormaps
    from matplotlib.figure import Figure

    objective = result.config.objectives[0]
    figure = Figure(figsize=(max(6.0, 1.5 * (len(names) + 1)), 4.2), layout="constrained")
    axes = figure.subplots()
    space = result.config.parsed_space.dimensions
    worse_first = objective not in MAXIMISED
    ended = sorted((row for row in rows if row.values), key=lambda row: row.values[0], reverse=worse_first)
    values = [row.values[0] for row in ended]
    low, high = min(values, default=0), max(values, default=1)
    for rank, row in enumerate(ended):
        heights = [_find_height(space[name], row.settings.get(name)) for name in names]
        last = (row.values[0] - low) / (high - low) if high > low else 0.5
        colour = colormaps["viridis_r"](0.05 + 0.9 * (rank + 1) / len(ended))
        # a line passes over a setting that did not count
        points = [(index, height) for index, height in enumerate([*heights, last]) if not math.isnan(height)]
        axes.plot(*zip(*points, strict=True), color=colour, lw=2.2 if rank + 1 == len(ended) else 1.1, alpha=0.85)
    for index, name in enumerate(names):
        axes.axvline(index, color=FAINT, lw=0.8, zorder=0)
        for height, text in _label(space[name]):
            axes.text(index + 0.03, height, text, fontsize=8, color=INK, va="center", bbox=_BACKGROUND)
    axes.axvline(len(names), color=FAINT, lw=0.8, zorder=0)
    for height, value in ((0, low), (1, high)):
        axes.text(len(names) + 0.03, height, f"{value:.4g}", fontsize=8, color=INK, va="center", bbox=_BACKGROUND)
    axes.set_xticks(range(len(names) + 1), [*(name.replace(".", ".\n") for name in names), objective], fontsize=9)
    axes.set_yticks([])
    axes.set_xlim(-0.05, len(names) + 0.45)
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0, colors=INK)
    return figure


_BACKGROUND: dict[str, Any] = {"facecolor": "white", "edgecolor": "none", "alpha": 0.75, "pad": 0.8}


def _find_height(dimension: Range | Choice, value: Any) -> float:
    """How high a value stands on its axis, 0 to 1; not a number where there is none."""
    if value is None:
        return math.nan
    if isinstance(dimension, Choice):
        return dimension.values.index(value) / max(1, len(dimension.values) - 1)
    low, high = dimension.low, dimension.high
    if dimension.log:
        low, high, value = math.log(low), math.log(high), math.log(value)
    return float((value - low) / (high - low))


def _label(dimension: Range | Choice) -> list[tuple[float, str]]:
    """Heights on an axis, and what stands there."""
    if isinstance(dimension, Choice):
        return [(_find_height(dimension, value), str(value)) for value in dimension.values]
    return [(0.0, f"{dimension.low:g}"), (1.0, f"{dimension.high:g}")]


def _draw_front(result: SearchResult, rows: Sequence[TrialRow]) -> "Figure":
    """The first two objectives of all trials, and those that no other one beats in all objectives."""
    from matplotlib.figure import Figure

    first, second = result.config.objectives[:2]
    figure = Figure(figsize=(8, 4.2), layout="constrained")
    axes = figure.subplots()
    ended = [row for row in rows if row.values]
    points = [row.values[1] for row in ended], [row.values[0] for row in ended]
    axes.plot(*points, "o", color=_PALE, label="other trials")
    front = sorted((row.values[1], row.values[0]) for row in result.rows)
    axes.plot(*zip(*front, strict=True), "o-", color=_BLUE, lw=1.2, label="no other is better in all")
    _dress(axes, second, first)
    if _is_cost(second):
        axes.set_xscale("log")
    axes.legend(frameon=False, loc="upper left", bbox_to_anchor=(1, 1))
    return figure


def _is_cost(objective: Objective) -> bool:
    return objective in ("multiply-adds", "parameters")


def _dress(axes: "Axes", x: str, y: str) -> None:
    axes.set_xlabel(x, color=FAINT)
    axes.set_ylabel(y, color=FAINT)
    axes.grid(axis="y", color="#e4e7eb", linewidth=0.8)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(length=0, colors=INK)
