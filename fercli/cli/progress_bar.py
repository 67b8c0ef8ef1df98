"""Long work as it is seen: a bar on a terminal, now and then a plain line elsewhere."""

import sys
import time
from types import TracebackType
from typing import TYPE_CHECKING, Self

from fercli.cli import console

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

#: Seconds between two plain lines.
_PAUSE = 15.0


class Bar:
    """A context manager whose `update` is a fercli.core.progress.ProgressCallback. Draws on standard error."""

    def __init__(self) -> None:
        self._bar: Progress | None = None
        self._task: TaskID | None = None
        self._said = time.perf_counter()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def update(self, done: int, total: int, what: str) -> None:
        """`done` of `total` pieces of work are finished."""
        if sys.stderr.isatty() and not console.err().quiet:
            self._draw(done, total, what)
        elif time.perf_counter() - self._said > _PAUSE:
            self._said = time.perf_counter()
            console.note(f"{what}: {done:,} of {total:,}")

    def _draw(self, done: int, total: int, what: str) -> None:
        if self._bar is None or self._task is None:
            from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

            columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
            # standard output is left alone: it may be a pipe while standard error is a terminal
            self._bar = Progress(*columns, console=console.err(), transient=True, redirect_stdout=False)
            self._bar.start()
            self._task = self._bar.add_task(what, total=total)
        self._bar.update(self._task, completed=done, total=total, description=what)
        if done >= total:
            self._bar.stop()
            self._bar = None
