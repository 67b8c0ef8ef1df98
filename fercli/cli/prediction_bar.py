"""The progress bar of `fer predict`."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from fercli.cli import console

if TYPE_CHECKING:
    from fercli.workflows.predict.results import PictureResult


def bar_fits(pictures: int, form: str, output: Path | None) -> bool:
    """Whether there is something to wait for, someone to see it, and no data that would run into it."""
    streaming = form != "table" and output is None and sys.stdout.isatty()
    return pictures > 1 and sys.stderr.isatty() and not streaming


def with_bar(results: "Iterator[PictureResult]", total: int) -> "Iterator[PictureResult]":
    """The same results, with a progress bar on standard error that goes when they end."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("pictures"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    # standard output is left alone: it may be a pipe while standard error is a terminal
    with Progress(*columns, console=console.err(), transient=True, redirect_stdout=False) as bar:
        yield from bar.track(results, total=total)
