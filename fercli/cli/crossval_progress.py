"""A cross-validation as it is seen: a bar over all folds on a terminal, a plain line a fold."""

import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from rich.progress import BarColumn, Progress, TaskID, TextColumn

from fercli.cli import console
from fercli.cli.progress_bar import Bar
from fercli.cli.training_progress import duration
from fercli.workflows.crossval.plan import Task
from fercli.workflows.crossval.progress import CrossvalListener, FoldDone


class CrossvalProgress(CrossvalListener):
    """Draws what a cross-validation does on standard error. A context manager: the bar goes when it ends."""

    def __init__(self) -> None:
        self._err = console.err()
        self._bar: Progress | None = None
        self._task: TaskID | None = None
        self._folder: Path | None = None
        self._start = time.perf_counter()
        self._before = self._done = self._total = 0
        self._running, self._what = "", "folds"
        self._loading = Bar()

    def __enter__(self) -> Self:
        return self

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
            done = f"{self._done} of {self._total} {self._what}"
            console.note(f"stopped after {done}; fer crossval --resume --out {self._folder} continues")

    def begun(self, folder: Path) -> None:
        self._folder = folder
        self.say(f"writing to {folder}")

    def say(self, text: str) -> None:
        self._err.print(text, markup=False, soft_wrap=True)

    def loading(self, done: int, total: int, what: str) -> None:
        self._loading.update(done, total, what)

    def planned(self, done: int, total: int, trying: bool = False) -> None:
        self._what = "folds' settings" if trying else "folds"
        self._start, self._before, self._done, self._total = time.perf_counter(), done, done, total
        if done:
            self.say(f"{done} of {total} {self._what} are {'tried' if trying else 'done'} already")
        if self._bar is not None:
            self._bar.stop()
        if sys.stderr.isatty() and not self._err.quiet:
            columns = (TextColumn("{task.description}"), BarColumn(None), TextColumn("{task.percentage:.0f} %"))
            self._bar = Progress(*columns, console=self._err, transient=True, redirect_stdout=False)
            self._bar.start()
            self._task = self._bar.add_task(f"{self._what} {done} of {total}", total=total, completed=done)

    def share(self, folds: float) -> None:
        if self._bar is not None and self._task is not None:
            text = f"{self._what} {self._done} of {self._total}{self._running}{self._left(folds)}"
            self._bar.update(self._task, completed=folds, description=text)

    def tried(self, task: Task, done: int, total: int) -> None:
        self._done = done
        self.say(f"{_place(task)}  settings tried   {done} of {total}{self._left(done)}")
        self.share(done)

    def fold(self, result: FoldDone) -> None:
        self._done = result.done
        self._running = f"  OA {100 * result.running:.2f} %"
        figures = f"{100 * result.accuracy:6.2f} %   so far {100 * result.running:6.2f} %"
        self.say(f"{_place(result.task)}  {figures}   {result.done} of {result.total}{self._left(result.done)}")
        self.share(result.done)

    def _left(self, folds: float) -> str:
        """', 3 min left', once a fold has shown the pace."""
        trained = folds - self._before
        if trained < 1 or folds >= self._total:
            return ""
        seconds = (time.perf_counter() - self._start) / trained * (self._total - folds)
        return f", {duration(seconds)} left"


def _place(task: Task) -> str:
    """'run  1 fold  2  lenet by image'."""
    return f"run {task.run:2d} fold {task.fold:2d}  {task.method} by {task.grouping}"
