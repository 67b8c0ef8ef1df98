"""Long work on the terminal: lines as they come and a bar on standard error; elsewhere now and then a plain line."""

import sys
import time
from types import TracebackType
from typing import TYPE_CHECKING, Self

import typer

from fercli.cli import console
from fercli.core.progress import EpochRow, Progress
from fercli.core.text import format_duration

if TYPE_CHECKING:
    from rich import progress

#: Where there is no bar: seconds without a line before a plain one, and the fraction of the work between two of these.
_PAUSE, _FRACTION = 15.0, 0.05
#: Seconds of training after which its whole duration is foretold.
_SETTLED = 6.0


class TerminalProgress(Progress):
    """Shows work on standard error. A context manager: the bar goes when it ends, and Ctrl-C becomes the exit code
    130, after whoever works has said how to continue."""

    def __init__(self) -> None:
        self._bar: progress.Progress | None = None
        self._task: progress.TaskID | None = None
        self._total = 0.0
        self._plain = (time.perf_counter(), 0.0)
        self._first: tuple[float, int] | None = None
        self._foretold = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop_bar()
        if kind is not None and issubclass(kind, KeyboardInterrupt):
            raise typer.Exit(130) from None

    def say(self, text: str) -> None:
        self._plain = (time.perf_counter(), self._plain[1])
        if self._bar is None:
            console.note(text)
        else:  # above the bar
            self._bar.console.print(text, markup=False, emoji=False, soft_wrap=True)

    def update(self, done: float, total: float, what: str) -> None:
        if self._draws:
            self._draw(done, total, what)
            return
        now, fraction = time.perf_counter(), done / max(total, 1)
        last, shown = self._plain
        # another piece of work begins where the fraction falls
        if fraction < shown:
            self._plain = (last, fraction)
        elif done < total and now - last > _PAUSE and fraction - shown > _FRACTION:
            self._plain = (now, fraction)
            self.say(f"{what}: {int(done):,} of {int(total):,}")

    def step(self, epoch: int, done: int, total: int, loss: float, accuracy: float, rate: float) -> None:
        self._foretell(done, total)
        if self._draws:
            text = f"epoch {epoch}  loss {loss:.3f}  accuracy {100 * accuracy:.1f} %  {rate:,.0f} faces/s"
            self._draw(done, total, text)

    def epoch(self, row: EpochRow, best: bool) -> None:
        train = f"train loss {row.train_loss:.3f}  {100 * row.train_accuracy:5.1f} %"
        val = f"val loss {row.val_loss:.3f}  {100 * row.val_accuracy:5.1f} %"
        self.say(f"epoch {row.epoch:3d}  {train}   {val}  {row.seconds:5.1f} s{'  best' if best else ''}")

    @property
    def _draws(self) -> bool:
        """Whether there is someone to see a bar."""
        return sys.stderr.isatty() and not console.is_quiet()

    def _draw(self, done: float, total: float, what: str) -> None:
        if done >= total or total != self._total:
            self.stop_bar()
        if done >= total:
            return
        if self._bar is None or self._task is None:
            self._start_bar(done, total, what)
        else:
            self._bar.update(self._task, completed=done, description=what, done=int(done))

    def _start_bar(self, done: float, total: float, what: str) -> None:
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

        columns = (
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            TextColumn("{task.fields[done]:,}/{task.total:,.0f}"),
            TimeRemainingColumn(),
        )
        # standard output is left alone: it may be a pipe while standard error is a terminal
        self._bar = Progress(*columns, console=console.err(), transient=True, redirect_stdout=False)
        self._bar.start()
        self._total = total
        self._task = self._bar.add_task(what, total=total, completed=int(done), done=int(done))

    def stop_bar(self) -> None:
        """Take the bar away, if there is one."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None

    def _foretell(self, done: int, total: int) -> None:
        """Say once how long all of a training will take, when the first seconds have shown the pace."""
        now = time.perf_counter()
        if self._first is None:
            self._first = (now, done)
        elif not self._foretold and now - self._first[0] > _SETTLED:
            self._foretold = True
            seconds = (now - self._first[0]) / (done - self._first[1]) * (total - self._first[1])
            self.say(f"about {format_duration(seconds)} to go")
