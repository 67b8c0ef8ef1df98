"""Plots of results: the confusion matrix and the course of a training. Also how all plots are saved, drawn without a
display."""

import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fercli.core.files import written_whole
from fercli.core.palette import colours

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK, FAINT, _TRAIN, _VAL = "#1f2933", "#8a94a0", "#e08214", "#08519c"


def plot_confusion(counts: Sequence[Sequence[int]], classes: Sequence[str], path: Path, title: str = "") -> None:
    """Draw a confusion matrix [C, C] of faces (rows true, columns predicted) to a PNG.

    Colour and percentage are fractions of the row; the number below is the faces. A class without faces is
    marked so. Raises RunError where the file cannot be written.
    """
    save_figure(confusion_figure(counts, classes, title), path)


def plot_curves(history: Sequence[Mapping[str, float]], path: Path, kept: int | None = None) -> None:
    """Draw loss and accuracy over the epochs, training beside validation, to a PNG.

    history: a row an epoch, at least one, with epoch, train_loss, val_loss, train_accuracy and val_accuracy
    (0 to 1). `kept` is the epoch whose weights were kept, which is marked; without it, the first one with the
    best validation accuracy. Raises RunError where the file cannot be written.
    """
    save_figure(curves_figure(history, kept), path)


def confusion_figure(counts: Sequence[Sequence[int]], classes: Sequence[str], title: str = "") -> "Figure":
    """The figure that plot_confusion saves."""
    from matplotlib.figure import Figure

    matrix = np.asarray(counts, dtype=np.int64)
    faces = matrix.sum(axis=1)
    fractions = matrix / np.maximum(faces, 1)[:, None]
    side, longest = 0.78 * len(classes), max(map(len, classes))
    figure = Figure(figsize=(max(3.6, side + 0.09 * longest + 1.2), max(3.2, side + 1.4)), layout="constrained")
    axes = figure.add_subplot()
    axes.imshow(fractions, cmap="Blues", vmin=0, vmax=1)
    for row, column in np.ndindex(matrix.shape):
        _cell(axes, column, row, fractions[row, column], int(matrix[row, column]), int(faces[row]))
    positions = list(range(len(classes)))
    tilted = longest > 8
    axes.set_xticks(
        positions, classes, parse_math=False,
        rotation=40 if tilted else 0, ha="right" if tilted else "center", rotation_mode="anchor",
    )  # fmt: skip
    labels = [f"{name}  ({number:,})" for name, number in zip(classes, faces, strict=True)]
    axes.set_yticks(positions, labels, parse_math=False)
    axes.set_xlabel("predicted", color=FAINT)
    axes.set_ylabel("true  (faces)", color=FAINT)
    axes.set_title(title, parse_math=False, color=INK, fontsize=11, pad=10)
    axes.set_xticks(np.arange(len(classes) + 1) - 0.5, minor=True)
    axes.set_yticks(np.arange(len(classes) + 1) - 0.5, minor=True)
    axes.grid(which="minor", color="white", linewidth=2)
    axes.tick_params(which="both", length=0, colors=INK)
    axes.spines[:].set_visible(False)
    return figure


def _cell(axes: "Axes", x: int, y: int, fraction: float, count: int, faces: int) -> None:
    """The percentage above the count; a dash in the row of a class without faces."""
    ink = "white" if fraction > 0.55 else INK if count else FAINT
    middle: dict[str, Any] = {"ha": "center", "color": ink}
    if not faces:
        axes.text(x, y, "–", va="center", **middle)
        return
    axes.text(x, y + 0.03, f"{100 * fraction:.0f} %", va="bottom", fontsize=10.5, **middle)
    axes.text(x, y + 0.10, f"{count:,}", va="top", fontsize=7.5, **middle)


def curves_figure(history: Sequence[Mapping[str, float]], kept: int | None = None) -> "Figure":
    """The figure that plot_curves saves."""
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator, PercentFormatter

    if kept is None:
        kept = int(max(history, key=lambda row: row["val_accuracy"])["epoch"])
    figure = Figure(figsize=(9.6, 4.0), layout="constrained")
    loss, accuracy = figure.subplots(1, 2)
    for axes, name in ((loss, "loss"), (accuracy, "accuracy")):
        _curve(axes, history, f"train_{name}", "training", _TRAIN)
        _curve(axes, history, f"val_{name}", "validation", _VAL)
        _mark(axes, next(row for row in history if row["epoch"] == kept), name)
        axes.set_title(name, loc="left", color=INK, fontsize=11)
        axes.set_xlabel("epoch", color=FAINT)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1, steps=[1, 2, 5, 10]))
        axes.grid(axis="y", color="#e4e7eb", linewidth=0.8)
        axes.spines[["top", "right", "left"]].set_visible(False)
        axes.tick_params(length=0, colors=INK)
        axes.margins(y=0.12)
    accuracy.yaxis.set_major_formatter(PercentFormatter(xmax=1, symbol=" %"))
    figure.legend(*loss.get_legend_handles_labels(), loc="outside lower center", ncols=2, frameon=False)
    return figure


def plot_runs(runs: Sequence[tuple[str, Sequence[Mapping[str, float]]]], path: Path) -> None:
    """Draw the validation loss and accuracy of several runs, by their names, into one PNG file."""
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator, PercentFormatter

    figure = Figure(figsize=(9.6, 4.4), layout="constrained")
    loss, accuracy = figure.subplots(1, 2)
    palette = colours(tuple(name for name, _ in runs))
    for (name, history), colour in zip(runs, palette, strict=True):
        for axes, key in ((loss, "val_loss"), (accuracy, "val_accuracy")):
            _curve(axes, history, key, name, colour)
    for axes, title in ((loss, "validation loss"), (accuracy, "validation accuracy")):
        axes.set_title(title, loc="left", color=INK, fontsize=11)
        axes.set_xlabel("epoch", color=FAINT)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1, steps=[1, 2, 5, 10]))
        axes.grid(axis="y", color="#e4e7eb", linewidth=0.8)
        axes.spines[["top", "right", "left"]].set_visible(False)
        axes.tick_params(length=0, colors=INK)
    accuracy.yaxis.set_major_formatter(PercentFormatter(xmax=1, symbol=" %"))
    figure.legend(*loss.get_legend_handles_labels(), loc="outside lower center", ncols=2, frameon=False)
    save_figure(figure, path)


def _curve(axes: "Axes", history: Sequence[Mapping[str, float]], key: str, label: str, colour: str) -> None:
    marker = "o" if len(history) < 3 else ""
    epochs = [row["epoch"] for row in history]
    axes.plot(epochs, [row[key] for row in history], marker=marker, color=colour, label=label, lw=1.8)


def _mark(axes: "Axes", row: Mapping[str, float], name: str) -> None:
    """Ring the kept epoch on the validation curve and say its value above the axes."""
    value = row[f"val_{name}"]
    axes.axvline(row["epoch"], color=FAINT, lw=0.8, ls=":", zorder=0)
    axes.plot(row["epoch"], value, "o", ms=8, mfc="white", mec=_VAL, mew=1.8)
    figure = f"{100 * value:.2f} %" if name == "accuracy" else f"{value:.3f}"
    axes.set_title(f"{figure} at epoch {row['epoch']:g}", loc="right", color=_VAL, fontsize=10)


def save_figure(figure: "Figure", path: Path) -> None:
    """Draw a figure to a PNG, whole. Raises RunError where the file cannot be written."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    with written_whole(path) as temporary, warnings.catch_warnings():
        # a class named in a script that the font lacks is drawn as boxes; the numbers are still right
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        FigureCanvasAgg(figure)
        figure.savefig(temporary, dpi=150, bbox_inches="tight", pad_inches=0.12)
