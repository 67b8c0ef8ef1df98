"""A cross-validation's tables for the terminal, wide or narrow."""

from typing import TYPE_CHECKING

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.table import Table
from rich.text import Text

from fercli.metrics.repeated_crossval import RepeatedScores, percent, spread
from fercli.workflows.crossval.report import TextTable, runs_table

if TYPE_CHECKING:
    from fercli.workflows.crossval.aggregate import CrossvalResult


class Shown:
    """A table of text: in columns where there is room for all of them, else a row below the other."""

    def __init__(self, table: TextTable) -> None:
        self._table = table

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        if _fits(table := in_columns(self._table), console, options):
            yield table
            return
        for row in self._table.rows:
            yield Text(row[0], "bold")
            pairs = Table.grid(padding=(0, 2))
            pairs.add_column(style="dim", no_wrap=True)
            for name, cell in zip(self._table.columns[1:], row[1:], strict=True):
                pairs.add_row(Text(f"  {name}"), Text(cell))
            yield pairs


class RunsShown:
    """Sensitivities and accuracy: a row a run, as in the papers; where that is too wide, a row a class."""

    def __init__(self, scores: RepeatedScores) -> None:
        self._scores = scores

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        by_class = _by_class(self._scores)
        narrow = TextTable("", by_class.columns[:2], tuple(row[:2] for row in by_class.rows), ruled=1)
        layouts = [in_columns(one) for one in (_two_lines(runs_table(self._scores, "")), by_class, narrow)]
        yield next((one for one in layouts if _fits(one, console, options)), layouts[-1])


def _fits(table: Table, console: Console, options: ConsoleOptions) -> bool:
    return console.measure(table, options=options.update(max_width=1000)).maximum <= options.max_width


def in_columns(table: TextTable) -> Table:
    """A plain table, figures to the right."""
    drawn = Table(box=None, pad_edge=False, header_style="bold")
    drawn.add_column(table.columns[0], no_wrap=True)
    for name in table.columns[1:]:
        drawn.add_column(Text(name), justify="right", no_wrap=True)
    for number, row in enumerate(table.rows):
        last = number >= len(table.rows) - table.ruled
        drawn.add_row(*(Text(cell, "bold" if last else "") for cell in row))
    return drawn


def _two_lines(table: TextTable) -> TextTable:
    """Mean and deviation below each other, so that seven classes fit into 80 columns."""
    *runs, last = table.rows
    if not any(" ± " in cell for cell in last[1:]):
        return table
    pairs = [cell.partition(" ± ") for cell in last[1:]]
    means = ("mean", *(mean for mean, _, _ in pairs))
    deviations = ("± SD", *(f"± {sd}" if sd else "" for _, _, sd in pairs))
    return TextTable(table.title, table.columns, (*runs, means, deviations), ruled=2)


def _by_class(scores: RepeatedScores) -> TextTable:
    rows = [
        (name, over.percent(), f"{percent(min(column))} to {percent(max(column))}")
        for name, over, column in (
            *zip(scores.classes, scores.class_spreads, scores.sensitivity.T, strict=True),
            ("OA", spread(scores.accuracy), scores.accuracy),
        )
    ]
    return TextTable("", ("class", "mean ± SD", "runs"), tuple(rows), ruled=1)


def crossval_report(result: "CrossvalResult") -> RenderableType:
    """All tables of a cross-validation, one below the other."""
    from fercli.cli.evaluate_tables import ConfusionTable
    from fercli.workflows.crossval import report as tables
    from fercli.workflows.crossval.report import REMARK, STATISTICS, comparable, title_of

    networks = {model.model for model in result.config.models}
    blocks: list[RenderableType] = []
    for series in result.series:
        blocks += [Text(title_of(series, result), "bold"), Text("sensitivity of each class and OA in %", "dim")]
        blocks += [RunsShown(series.scores), ""]
        if series.method in networks:
            blocks += [ConfusionTable(series.pooled), ""]
        blocks += [Text(note) for note in series.notes]
    blocks += [Text("overall accuracy in %", "bold"), Shown(tables.accuracy_table(result.series)), ""]
    if result.comparisons:
        blocks += [
            Text("differences on the same folds", "bold"),
            Shown(tables.comparison_table(result.comparisons)),
            "",
        ]
    if result.gaps:
        text = "by image less by subject: by how much people who are in training and test raise the figures"
        blocks += [Text(text, "bold"), Shown(tables.gap_table(result.gaps)), ""]
    if comparable(result.classes):
        blocks += [Text("beside the papers, OA in %", "bold"), Shown(tables.papers_table(result)), Text(REMARK, "dim")]
    return Group(*blocks, Text(STATISTICS, "dim"), *(Text(note, "dim") for note in result.notes))
