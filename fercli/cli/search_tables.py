"""A study's tables for the terminal, wide or narrow."""

from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.text import Text

from fercli.cli.crossval_tables import Shown
from fercli.workflows.crossval.report import TextTable
from fercli.workflows.search.tables import (
    Table,
    describe_counts,
    describe_verdict,
    list_best,
    list_confirmed,
    list_importance,
)

if TYPE_CHECKING:
    from fercli.workflows.search.result import SearchResult


def search_report(result: "SearchResult") -> Group:
    """The best trials, what matters, those that were trained anew, and what came of it."""
    blocks: list[RenderableType] = [Text(describe_counts(result), "bold"), _show(list_best(result))]
    if result.importance:
        heading = Text("importance: how much of the spread goes with a setting", "bold")
        blocks += [Text(), heading, _show(list_importance(result.importance))]
    if result.ranking is not None:
        blocks += [Text(), Text("trained anew", "bold"), _show(list_confirmed(result.ranking, result.config))]
    return Group(*blocks, Text(), Text(describe_verdict(result)))


def _show(table: Table) -> Shown:
    columns, rows = table
    return Shown(TextTable("", tuple(columns), tuple(map(tuple, rows)), ruled=0))
