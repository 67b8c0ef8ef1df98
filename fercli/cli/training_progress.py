"""Training as it is seen: a bar on a terminal, a plain line an epoch elsewhere, a table at the end."""

import sys
import time
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.table import Table

from fercli.cli import console
from fercli.cli.progress_bar import Bar
from fercli.core.progress import EpochRow, Listener

if TYPE_CHECKING:
    from fercli.workflows.train.finish import TrainResult

#: Seconds of training after which its whole duration is foretold.
_SETTLED = 6.0


class TrainingProgress(Listener):
    """Draws what training does on standard error. A context manager: the bar goes when it ends."""

    def __init__(self) -> None:
        self._err = console.err()
        self._bar: Progress | None = None
        self._task: TaskID | None = None
        self._folder: Path | None = None
        self._first: tuple[float, int] | None = None
        self._foretold = False
        self._loading = Bar()

    def __enter__(self) -> Self:
        return self

    def _start_bar(self) -> None:
        """Not before training begins: until then faces may have to be looked for, with a bar of their own."""
        if sys.stderr.isatty() and not self._err.quiet:
            columns = (
                TextColumn("{task.description}"),
                BarColumn(None),
                TextColumn("{task.percentage:.0f} %"),
            )
            self._bar = Progress(
                *columns,
                TimeRemainingColumn(compact=True),
                console=self._err,
                transient=True,
                redirect_stdout=False,
            )
            self._bar.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loading.__exit__(kind, error, trace)
        if self._bar is not None:
            self._bar.stop()

    def interrupted(self) -> None:
        """Say how to go on after Ctrl-C."""
        if self._folder is None:
            console.note("stopped before anything was written")
        else:
            console.note(f"stopped; fer train --resume --out {self._folder} continues")

    def begun(self, folder: Path) -> None:
        self._folder = folder
        self._start_bar()
        self.say(f"writing to {folder}")

    def say(self, text: str) -> None:
        self._err.print(text, markup=False, soft_wrap=True)

    def loading(self, done: int, total: int, what: str) -> None:
        self._loading.update(done, total, what)

    def step(self, epoch: int, done: int, total: int, loss: float, accuracy: float, rate: float) -> None:
        self._foretell(done, total)
        if self._bar is None:
            return
        text = f"epoch {epoch}  loss {loss:.3f}  accuracy {100 * accuracy:.1f} %  {rate:,.0f} faces/s"
        if self._task is None:
            self._task = self._bar.add_task(text, total=total)
        self._bar.update(self._task, completed=done, description=text)

    def _foretell(self, done: int, total: int) -> None:
        """Say once how long all of it will take, when the first seconds have shown the pace."""
        now = time.perf_counter()
        if self._first is None:
            self._first = (now, done)
        elif not self._foretold and now - self._first[0] > _SETTLED:
            self._foretold = True
            seconds = (now - self._first[0]) / (done - self._first[1]) * (total - self._first[1])
            self.say(f"about {duration(seconds)} to go")

    def epoch(self, row: EpochRow, best: bool) -> None:
        train = f"train loss {row.train_loss:.3f}  {100 * row.train_accuracy:5.1f} %"
        val = f"val loss {row.val_loss:.3f}  {100 * row.val_accuracy:5.1f} %"
        self.say(f"epoch {row.epoch:3d}  {train}   {val}  {row.seconds:5.1f} s{'  best' if best else ''}")


def duration(seconds: float) -> str:
    """Seconds for people: '42 s', '5 min', '2 h 10 min'."""
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h {minutes % 60} min"


def training_table(result: "TrainResult") -> Table:
    """The figures of a finished training: a row a part and view."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.title = f"best of {result.epochs} epochs: {result.best_epoch}, in {duration(result.seconds)}"
    table.title_justify, table.title_style = "left", ""
    table.add_column("part")
    table.add_column("views")
    for heading in ("faces", "accuracy", "95 %", "macro F1", "log loss", "ECE"):
        table.add_column(heading, justify="right")
    for evaluation in result.evaluations:
        scores = evaluation.scores
        low, high = scores.accuracy_interval
        table.add_row(
            evaluation.part,
            "+ mirrored" if evaluation.mirrored else "single",
            f"{scores.faces:,}",
            f"{100 * scores.accuracy:.2f} %",
            f"{100 * low:.1f}–{100 * high:.1f}",
            f"{scores.macro.f1:.3f}",
            f"{scores.log_loss:.3f}",
            f"{100 * scores.calibration_error:.1f} %",
        )
    return table
