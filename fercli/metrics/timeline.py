"""Who showed which expression when: a picture of a video's course."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from fercli.core.palette import colours
from fercli.core.text import clock
from fercli.metrics.plots import FAINT, INK, save_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: At most so many people have a panel, and a panel so many columns.
PANELS, COLUMNS = 8, 600
#: Seconds between two marks of the time axis.
_STEPS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 28800)


@dataclass(frozen=True)
class Course:
    """One person's expressions: times [N] in seconds, rising, and probabilities [N, C] at them."""

    name: str
    times: NDArray[np.float64]
    probabilities: NDArray[np.floating]


def plot_timeline(
    courses: Sequence[Course], looks: NDArray[np.float64], classes: Sequence[str], path: Path, title: str = ""
) -> None:
    """Draw each person's expressions over the time to a PNG: one panel a person, probabilities stacked.

    `looks` are the times in seconds, rising, at which anyone could be seen; a person's times are among them, and
    where they lack one there is a gap. Those who are seen most often come first; beyond `PANELS` they are
    counted only. Raises RunError where the file cannot be written.
    """
    save_figure(timeline_figure(courses, looks, classes, title), path)


def timeline_figure(
    courses: Sequence[Course], looks: NDArray[np.float64], classes: Sequence[str], title: str = ""
) -> "Figure":
    """The figure that plot_timeline saves."""
    from matplotlib.figure import Figure
    from matplotlib.patches import Patch

    shown = sorted(courses, key=lambda course: -len(course.times))[:PANELS]
    edges = _edges(looks)
    palette = colours(tuple(classes))
    figure = Figure(figsize=(10, 0.95 * len(shown) + 1.3), layout="constrained")
    panels = figure.subplots(len(shown), 1, sharex=True, squeeze=False)[:, 0]
    for axes, course in zip(panels, shown, strict=True):
        seconds = (edges[-1] - edges[0]) * len(course.times) / len(looks)
        usual = classes[int(course.probabilities.mean(axis=0).argmax())]
        _panel(axes, average_columns(course, edges), edges, palette)
        _beside(axes, course.name, f"{usual}, seen {clock(round(seconds))}")
    _time_axis(panels[-1], edges)
    panels[0].set_title(title, parse_math=False, color=INK, fontsize=11, loc="left")
    if len(courses) > len(shown):
        panels[0].set_title(f"and {len(courses) - len(shown)} more", color=FAINT, fontsize=9, loc="right")
    patches = [Patch(color=colour, label=name) for colour, name in zip(palette, classes, strict=True)]
    legend = figure.legend(
        handles=patches, loc="outside lower center", ncols=min(len(classes), 8), frameon=False,
        handlelength=1.0, columnspacing=1.4,
    )  # fmt: skip
    for text in legend.get_texts():
        text.set_parse_math(False)
    return figure


def _edges(looks: NDArray[np.float64]) -> NDArray[np.float64]:
    """Where columns begin, and where the last one ends: a column a look, or as many as can be seen."""
    usual = float(np.median(np.diff(looks))) if len(looks) > 1 else 1.0
    end = looks[-1] + usual
    return np.append(looks, end) if len(looks) <= COLUMNS else np.linspace(looks[0], end, COLUMNS + 1)


def average_columns(course: Course, edges: NDArray[np.float64]) -> NDArray[np.float64]:
    """The mean probabilities in each column [columns, C]; not a number where the person is not seen."""
    column = np.searchsorted(edges, course.times, side="right") - 1
    sums = np.zeros((len(edges) - 1, course.probabilities.shape[1]))
    np.add.at(sums, column, course.probabilities)
    seen = np.bincount(column, minlength=len(sums))[:, None].astype(float)
    means: NDArray[np.float64] = np.divide(sums, seen, out=np.full_like(sums, np.nan), where=seen > 0)
    return means


def _panel(
    axes: "Axes", probabilities: NDArray[np.float64], edges: NDArray[np.float64], palette: Sequence[str]
) -> None:
    tops = np.cumsum(probabilities, axis=1)
    x = np.repeat(edges, 2)[1:-1]
    for index, colour in enumerate(palette):
        lower, upper = np.repeat(tops[:, index] - probabilities[:, index], 2), np.repeat(tops[:, index], 2)
        axes.fill_between(x, lower, upper, color=colour, linewidth=0)
    axes.set_ylim(0, 1)
    axes.set_yticks([0, 0.5, 1], ["0", "", "100 %"], fontsize=7.5, color=FAINT)
    axes.tick_params(length=0, colors=INK)
    axes.spines[:].set_visible(False)
    axes.set_facecolor("#f6f7f9")


def _beside(axes: "Axes", name: str, facts: str) -> None:
    """A person's name and what is to be said of it, at the right of the panel."""
    axes.text(1.012, 0.54, name, va="bottom", color=INK, fontsize=10, transform=axes.transAxes, parse_math=False)
    axes.text(1.012, 0.46, facts, va="top", color=FAINT, fontsize=8, transform=axes.transAxes, parse_math=False)


def _time_axis(axes: "Axes", edges: NDArray[np.float64]) -> None:
    """Marks at round times, as many as have room, in minutes and seconds."""
    start, end = float(edges[0]), float(edges[-1])
    step = next((step for step in _STEPS if (end - start) / step <= 10), (end - start) / 10)
    marks = np.arange(np.ceil(start / step), np.floor(end / step) + 1) * step
    axes.set_xlim(start, end)
    axes.set_xticks(marks, [clock(mark + 1e-6, tenths=step < 1) for mark in marks])
    axes.set_xlabel("minutes : seconds" if end < 3600 else "hours : minutes : seconds", color=FAINT)
