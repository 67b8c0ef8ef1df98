"""Scores as tables for the terminal, dark or light, wide or narrow, with colour or without."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.cells import cell_len, set_cell_size
from rich.console import Console, ConsoleOptions, RenderResult
from rich.table import Table
from rich.text import Text

from fercli.core.text import format_count

if TYPE_CHECKING:
    from fercli.metrics.scores import Scores
if TYPE_CHECKING:
    from fercli.metrics.scores import Coverage
if TYPE_CHECKING:
    from fercli.metrics.robustness import CorruptedScores
    from fercli.workflows.evaluate.robustness import Robustness

# Least fraction of the row, and the background from there on. Colours of middling lightness with white on them
# stand out on dark and light terminals alike; where there are 16 colours they become grey, blue or red.
_RIGHT = ((0.05, "#6a7391"), (0.35, "#4a5cae"), (0.6, "#3b55b8"), (0.8, "#1f3bb3"))
_WRONG = ((0.1, "#8c7370"), (0.15, "#9c5f58"), (0.25, "#b02020"))


#: Columns that the table needs with the amounts and with whole headings.
_ROOMY = 90


def class_table(scores: "Scores") -> Table:
    """Precision, recall, F1 and support of each class, then their macro and weighted averages."""
    table = Table(box=None, pad_edge=False, header_style="bold", caption_justify="left")
    table.caption = explain_macro(scores, "macro average")
    table.add_column("class", overflow="ellipsis", no_wrap=True)
    for heading in ("precision", "recall", "F1", "support"):
        table.add_column(heading, justify="right", no_wrap=True)
    for row in scores.per_class:
        table.add_row(Text(row.name), *_decimals(row.precision, row.recall, row.f1), f"{row.support:,}")
    table.add_row()
    for name, average in (("macro average", scores.macro), ("weighted average", scores.weighted)):
        values = _decimals(average.precision, average.recall, average.f1)
        table.add_row(name, *values, f"{scores.faces:,}")
    return table


def explain_macro(scores: "Scores", figure: str) -> str | None:
    """What must be said beside a macro figure where classes have no faces; None where all have some."""
    if not (empty := scores.empty_classes):
        return None
    return f"{figure}: {format_count(empty, 'class', 'classes')} without faces count{'s' * (empty == 1)} as 0"


def summary(scores: "Scores", uncalibrated: "Scores | None" = None) -> Table:
    """The figures for all classes together.

    `uncalibrated` are the scores of the same predictions before the temperature, where there is one.
    """
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True)
    table.add_column(justify="right", no_wrap=True)
    table.add_column(style="dim")
    low, high = scores.accuracy_interval
    loss_before = error_before = ""
    if uncalibrated is not None:
        loss_before = f"{uncalibrated.log_loss:.4f} before temperature"
        error_before = f"{_percent(uncalibrated.calibration_error)} before temperature"
    table.add_row("faces", f"{scores.faces:,}")
    interval = f"95 %: {100 * low:.2f} to {_percent(high)}"
    table.add_row(Text("accuracy", "bold"), Text(_percent(scores.accuracy), "bold"), interval)
    table.add_row(
        "balanced accuracy",
        _percent(scores.balanced_accuracy),
        "mean recall of classes with faces" if scores.empty_classes else "mean recall of classes",
    )
    table.add_row("log loss", f"{scores.log_loss:.4f}", loss_before)
    table.add_row("calibration error (ECE)", _percent(scores.calibration_error), error_before)
    table.add_row("element-wise accuracy", _percent(scores.elementwise_accuracy), "at threshold 0.5")
    return table


@dataclass(frozen=True)
class ConfusionTable:
    """The confusion matrix, rows true, columns predicted: faces and fractions of the row.

    Made to the width it is printed at. As that shrinks, fractions move below their counts, headings are cut (or
    become numbers where cutting makes two alike), fractions go, and at last the columns are dealt out over
    several blocks. Right answers are blue, wrong ones red, stronger as their fraction grows.
    """

    scores: "Scores"

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        rows: Sequence[str] = self.scores.classes
        longest = max(map(cell_len, rows)) + 1
        label = min(longest, options.max_width // 4)
        digits = max(len(f"{count}") for row in self.scores.confusion for count in row)
        layouts = ((" ", digits + 8), ("\n", max(digits, 5) + 2), ("", digits + 1))
        room = (options.max_width - label) // len(rows)
        between, needed = next((layout for layout in layouts if layout[1] <= room), layouts[-1])
        cell = max(needed, min(room, longest))
        headings = [_cut(name, cell - 1) for name in rows]
        if len(set(headings)) < len(headings):
            headings = [f"{i}" for i in range(1, len(rows) + 1)]
            rows = [f"{i} {name}" for i, name in zip(headings, rows, strict=True)]
        yield Text("rows: true, columns: predicted", "dim")
        at_once = max(1, (options.max_width - label) // cell)
        for first in range(0, len(rows), at_once):
            block = range(len(rows))[first : first + at_once]
            table = Table.grid()
            table.add_row("", *(Text(_right(headings[column], cell), "bold") for column in block))
            for row, name in enumerate(rows):
                cells = (self._cell(row, column, cell, between) for column in block)
                table.add_row(Text(set_cell_size(_cut(name, label - 1), label)), *cells)
            yield table

    def _cell(self, row: int, column: int, width: int, between: str) -> Text:
        """`between` stands between count and fraction; where it is empty there is no fraction."""
        count, fraction = self.scores.confusion[row][column], self.scores.confusion_fractions[row][column]
        percent = f"{100 * fraction:.0f} %"
        text = f"{count}{between}{percent:>5}" if between else f"{count}"
        lines = "\n".join(_right(line, width) for line in text.split("\n"))
        return Text(lines, _heat(fraction, right=row == column))


def _heat(fraction: float, right: bool) -> str:
    """The style of a cell: the further its fraction of the row is up the steps, the stronger."""
    reached = [colour for least, colour in (_RIGHT if right else _WRONG) if fraction >= least]
    return f"bold #ffffff on {reached[-1]}" if reached else "" if fraction else "dim"


def _right(text: str, width: int) -> str:
    """Text at the right of a column `width` cells wide, a blank after it; what is too long is cut."""
    cut = _cut(text, width - 1)
    return " " * (width - 1 - cell_len(cut)) + cut + " "


def _cut(text: str, width: int) -> str:
    return text if cell_len(text) <= width else set_cell_size(text, width)


def _decimals(*values: float) -> Iterable[str]:
    return (f"{value:.3f}" for value in values)


def _percent(fraction: float) -> str:
    return f"{100 * fraction:.2f} %"


def coverage_table(curve: "Coverage") -> Table:
    """A row for each fraction answered: from which confidence on, and how many of these are right.

    Levels that come to the same, because many faces are equally sure, are one row.
    """
    from fercli.metrics.scores import LEVELS

    guess = 1 - curve.level(100).accuracy
    text = f"AURC {curve.aurc:.4f} ({guess:.4f} if confidence were random)"
    table = Table(box=None, pad_edge=False, header_style="bold", caption=text, caption_justify="left")
    for heading in ("answered", "faces", "confidence from", "accuracy", "95 % interval"):
        table.add_column(heading, justify="right", no_wrap=True)
    for level in dict.fromkeys(curve.level(percent) for percent in LEVELS):
        low, high = level.accuracy_interval
        table.add_row(
            f"{100 * level.fraction:.0f} %", f"{level.faces:,}", f"{100 * level.threshold:.1f} %",
            f"{100 * level.accuracy:.2f} %", f"{100 * low:.2f} to {100 * high:.2f} %",
        )  # fmt: skip
    return table


def corruption_table(measured: "Robustness", width: int) -> Table:
    """A row a corruption and strength: accuracy, what was lost, macro recall and calibration error, in percent and
    points.

    Where the terminal is narrow the amounts are left out and headings stand in two lines.
    """
    roomy = width >= _ROOMY
    table = Table(
        box=None, pad_edge=False, header_style="bold", title_justify="left", title_style="dim",
        title="corrupted faces: percent, and points against the same faces as they are",
    )  # fmt: skip
    for heading in ("corruption", "strength", *(("amount",) if roomy else ())):
        table.add_column(heading, no_wrap=True)
    for heading in ("accuracy", "difference\n± 95 %", "macro\nrecall", "calibration\nerror" if roomy else "ECE"):
        table.add_column(heading, justify="right", no_wrap=True)
    clean = measured.clean
    accuracy, *others = (
        f"{100 * fraction:.2f}" for fraction in (clean.accuracy, clean.balanced_accuracy, clean.calibration_error)
    )
    table.add_row("none", "", *("",) * roomy, Text(accuracy, "bold"), "", *others)
    for row in measured.rows:
        first = row.strength == measured.rows[0].strength
        amount = (row.amount,) if roomy else ()
        table.add_row(row.corruption if first else "", row.strength, *amount, *_figures(row))
    return table


def _figures(row: "CorruptedScores") -> tuple[str, ...]:
    """Percent, and points with half the interval's width."""
    interval = row.difference
    reach = 50 * (interval.high - interval.low)
    lost = f"{100 * interval.mean:+.1f} ± {reach:.1f}"
    return f"{100 * row.accuracy:.2f}", lost, f"{100 * row.macro_recall:.2f}", f"{100 * row.calibration_error:.2f}"
