"""How far a cross-validation is: the folds that are done, counted for whoever watches, and those that failed, kept
beside the fold so that neither a second attempt nor a restart forgets them."""

import time
from dataclasses import asdict, dataclass
from pathlib import Path

from fercli.core.errors import FerError, reason_of
from fercli.core.files import damage_in, read_json, write_json
from fercli.core.progress import Progress
from fercli.core.text import format_duration
from fercli.workflows.crossval.plan import Task
from fercli.workflows.run_folder import RunFolder


@dataclass(frozen=True)
class Failure:
    """Why an attempt ended. `diverged` where the training itself did, so that only another seed helps."""

    reason: str
    diverged: bool


def read_failures(folder: Path) -> list[Failure]:
    """The failed attempts of a fold, in their order."""
    file = folder / "failed.json"
    rows = read_json(file) if file.is_file() else []
    with damage_in(file):
        # version 0.1 called it 'astray'
        return [Failure(str(row["reason"]), bool(row.get("diverged", row.get("astray", False)))) for row in rows]


def record_failure(folder: Path, failure: Failure) -> None:
    """Add a failed attempt."""
    write_json(folder / "failed.json", [asdict(row) for row in (*read_failures(folder), failure)])


def describe_failure(error: Exception) -> Failure:
    """What an exception from a fold's training says to people."""
    text = reason_of(error)
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError" or "allocate memory" in text:
        return Failure("out of memory", diverged=False)
    return Failure(text, diverged=isinstance(error, FerError))


class Tally:
    """Counts folds, or trials of their settings, as they end. `pending` are those to do; `failed` has the reason of
    each that failed twice."""

    def __init__(self, folder: Path, todo: list[Task], progress: Progress) -> None:
        trying = any(task.trying for task in todo)
        self._folder, self._progress = folder, progress
        self.what = "folds' settings" if trying else "folds"
        self.total, self.done = len(todo), 0
        self.failed: dict[Task, str] = {}
        self._correct: dict[tuple[str, str], tuple[int, int]] = {}
        self._fractions: dict[int, float] = {}
        self.pending = [task for task in todo if not self._count_finished(task)]
        self._start, self._before = time.perf_counter(), self.done
        if self.done:
            progress.say(f"{self.done} of {self.total} {self.what} are {'tried' if trying else 'done'} already")
        progress.update(self.done, self.total, self.what)

    def _count_finished(self, task: Task) -> bool:
        """Count a fold if an earlier start finished it."""
        if not task.done(self._folder):
            return False
        self._count(task)
        return True

    def _count(self, task: Task) -> str:
        """Count a fold that ended: its figures for people."""
        self.done += 1
        if task.trying:
            return "settings tried"
        file = RunFolder(self._folder / task.fold_folder).metrics
        document = read_json(file)
        with damage_in(file):
            figures = document["test"]["single"]
            correct, faces = self._correct.get((task.grouping, task.method), (0, 0))
            correct, faces = correct + round(figures["accuracy"] * figures["faces"]), faces + figures["faces"]
            self._correct[task.grouping, task.method] = correct, faces
            return f"{100 * figures['accuracy']:6.2f} %   so far {100 * correct / faces:6.2f} %"

    def advance(self, slot: int, fraction: float) -> None:
        """A worker has trained this fraction of its fold."""
        self._fractions[slot] = fraction
        self._progress.update(self.done + sum(self._fractions.values()), self.total, self.what)

    def finish(self, slot: int, task: Task) -> None:
        """A worker's fold ended."""
        self._fractions.pop(slot, None)
        figures = self._count(task)
        name = f"run {task.run:2d} fold {task.fold:2d}  {task.method} by {task.grouping}"
        self._progress.say(f"{name}  {figures}   {self.done} of {self.total}{self._time_left()}")
        self._progress.update(self.done + sum(self._fractions.values()), self.total, self.what)

    def fail(self, slot: int, task: Task, reason: str) -> None:
        """A worker's fold failed for good. The others go on."""
        self._fractions.pop(slot, None)
        self.failed[task] = reason
        self._progress.say(f"{task} failed again ({reason}): going on with the others")

    def lose(self, slot: int, task: Task, reason: str) -> bool:
        """A worker died with its fold, which is tried once more."""
        path = self._folder / task.fold_folder
        last = bool(read_failures(path))
        record_failure(path, Failure(reason, diverged=False))
        if last:
            self.fail(slot, task, reason)
        else:
            self._progress.say(f"{task} failed ({reason}): trying once more")
        return not last

    def _time_left(self) -> str:
        """', 3 min left' while there is something left."""
        if self.done >= self.total:
            return ""
        seconds = (time.perf_counter() - self._start) / (self.done - self._before) * (self.total - self.done)
        return f", {format_duration(seconds)} left"
