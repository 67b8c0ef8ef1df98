"""The trials of a study, drawn and trained until there are enough: here, side by side, or on a Ray cluster."""

import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TypeVar

from fercli.core.errors import UsageError
from fercli.core.lock import hold_lock
from fercli.core.progress import Progress
from fercli.core.text import format_count, format_duration
from fercli.runner.on_ray import RayCluster, run_on_ray
from fercli.runner.processes import run_here, run_in_processes
from fercli.runner.tasks import Job, Monitor, Worker
from fercli.workflows.search.study import Study
from fercli.workflows.search.trial import Outcome, TrialTask, TrialTrainer, Work, read_outcome

T = TypeVar("T")


@dataclass(frozen=True)
class Placement:
    """Where trials are trained: so many at a time, here or on a cluster; none is begun after the `deadline`, by
    time.monotonic."""

    jobs: int = 1
    cluster: RayCluster | None = None
    deadline: float | None = None

    @property
    def in_time(self) -> bool:
        """Whether a further trial may begin."""
        return self.deadline is None or time.monotonic() < self.deadline


def run_tasks(job: Job[T], monitor: Monitor[T], placement: Placement, progress: Progress) -> None:
    """Do all tasks where the placement says. Raises FerError for what none could begin with."""
    if placement.cluster is not None:
        run_on_ray(job, monitor, placement.cluster, progress, placement.jobs)
    elif placement.jobs == 1:
        run_here(job, monitor, progress)
    else:
        run_in_processes(job, monitor, placement.jobs, progress)


def conduct_trials(work: Work, study: Study, placement: Placement, progress: Progress) -> None:
    """Train trials until the study has as many as it is to have, those first that were interrupted."""
    conductor = _Conductor(work, study, placement, progress)
    job = Job(work.folder, partial(_make_trainer, work), lambda task: task.result)
    try:
        run_tasks(job, conductor, placement, progress)
    finally:
        conductor.release()


def _make_trainer(work: Work, folder: Path, progress: Progress) -> Worker[TrialTask]:
    """What trains trials in a process, into this folder."""
    return TrialTrainer(replace(work, folder=folder), progress)


class _Conductor:
    """Draws trials as workers get free, and records how they end."""

    def __init__(self, work: Work, study: Study, placement: Placement, progress: Progress) -> None:
        self._work, self._study, self._placement, self._progress = work, study, placement, progress
        self._locks: dict[int, ExitStack] = {}
        self._lost: set[int] = set()
        self._fractions: dict[int, float] = {}
        self._ended = 0

    @property
    def pending(self) -> Iterable[TrialTask]:
        """Trials to train: what is done already is recorded alone."""
        return self._list_pending()

    def _list_pending(self) -> Iterator[TrialTask]:
        yield from self._list_interrupted()
        while self._placement.in_time and (task := self._study.draw()) is not None:
            # another process that looks for interrupted trials may have been faster
            if self._hold(task):
                yield task
        # a process that took part may have been killed since
        yield from self._list_interrupted()

    def _list_interrupted(self) -> Iterator[TrialTask]:
        self._count_ended()
        for task in self._study.begun:
            if self._hold(task):
                result = self._work.folder / task.result
                if result.is_file():
                    self.finish(0, task)
                else:
                    yield task

    def _hold(self, task: TrialTask) -> bool:
        """Be the only process that trains a trial; False where another one is."""
        with ExitStack() as stack:
            try:
                stack.enter_context(hold_lock(self._work.folder / task.folder))
            except UsageError:
                return False
            self._locks[task.number] = stack.pop_all()
        return True

    def _end(self, slot: int, task: TrialTask) -> None:
        self._fractions.pop(slot, None)
        if task.number in self._locks:
            self._locks.pop(task.number).close()
        self._count_ended()

    def release(self) -> None:
        """Let go of the trials that were interrupted."""
        for stack in self._locks.values():
            stack.close()

    def advance(self, slot: int, fraction: float) -> None:
        self._fractions[slot] = fraction
        self._update()

    def _count_ended(self) -> None:
        """Read the record, which may be a database far away: not at each step of a training."""
        self._ended = self._study.count_ended()
        self._update()

    def _update(self) -> None:
        self._progress.update(self._ended + sum(self._fractions.values()), self._study.config.trials, "trials")

    def finish(self, slot: int, task: TrialTask) -> None:
        outcome = read_outcome(self._work.folder / task.result)
        self._study.tell(task, outcome)
        self._end(slot, task)
        self._progress.say(f"trial {task.number:3d}  {self._describe(outcome)}")

    def _describe(self, outcome: Outcome) -> str:
        names = self._study.config.objectives
        took = f"{format_count(outcome.epochs, 'epoch')}, {format_duration(outcome.seconds)}"
        if outcome.state == "pruned":
            *_, reached = outcome.steps.values()
            return f"given up at {reached:.4f} after {took}"
        values = ", ".join(f"{name} {_format(value)}" for name, value in zip(names, outcome.values, strict=True))
        if len(names) > 1:
            return f"{values}   ({took})"
        best = self._study.best[0]
        return f"{values}   best so far {best.values[0]:.4f}, trial {best.number}   ({took})"

    def fail(self, slot: int, task: TrialTask, reason: str) -> None:
        self._study.tell_failure(task, reason)
        self._end(slot, task)
        self._progress.say(f"{task} failed ({reason}): going on with the others")

    def lose(self, slot: int, task: TrialTask, reason: str) -> bool:
        """A worker died with its trial, which is tried once more."""
        if task.number in self._lost:
            self.fail(slot, task, reason)
            return False
        self._lost.add(task.number)
        self._progress.say(f"{task} failed ({reason}): trying once more")
        return True


def _format(value: float) -> str:
    return f"{value:.4f}" if value < 1000 else f"{value:,.0f}"
