"""One fold after the other in one process: the face set loaded, each network built and compiled, once."""

from dataclasses import dataclass
from pathlib import Path
from typing import cast

import numpy as np
from numpy.typing import NDArray

from fercli.core.config import RunConfig
from fercli.core.errors import FerError
from fercli.core.progress import Progress
from fercli.data.faceset import FaceSet
from fercli.runner.tasks import TaskFailedError
from fercli.workflows.crossval.baselines import run_baseline
from fercli.workflows.crossval.plan import Assignments, Task, assign_task_splits, derive_training_seed
from fercli.workflows.crossval.selection import (
    Choice,
    choose,
    read_choice,
    read_tried,
    try_candidates,
    write_choice,
    write_tried,
)
from fercli.workflows.crossval.settings import Baseline, CrossvalConfig
from fercli.workflows.crossval.status import describe_failure, read_failures, record_failure
from fercli.workflows.train.trainer import SetUpError, Trainer

Splits = NDArray[np.str_]


@dataclass(frozen=True)
class Work:
    """What every process of a cross-validation is given."""

    config: CrossvalConfig
    faces: FaceSet
    assignments: Assignments
    folder: Path


class FoldTrainer:
    """Trains folds, each into its run folder. What folds share is kept from one to the next."""

    def __init__(self, work: Work, progress: Progress) -> None:
        self._work, self._progress = work, progress
        self._trainer = Trainer(work.faces, progress)
        self._models = {model.model: model for model in work.config.models}

    def run(self, task: Task) -> None:
        """Train and measure one fold, or try its candidates, from where that was interrupted if it was; what is done is
        left alone.

        An attempt that fails is reported, recorded, and followed by one more: with another seed where the training
        diverged, unchanged where the machine was at fault. Raises TaskFailedError when that one fails too,
        and UsageError for settings with which no fold could begin.
        """
        path = self._work.folder / task.fold_folder
        if task.done(self._work.folder):
            return
        last = bool(read_failures(path))
        try:
            self._attempt(task, path)
        except SetUpError as error:
            raise cast(FerError, error.__cause__) from None
        except (FerError, MemoryError, RuntimeError) as error:
            failure = describe_failure(error)
        else:
            return
        record_failure(path, failure)
        self._trainer.forget()
        if last:
            raise TaskFailedError(failure.reason)
        again = "again with another seed" if failure.diverged else "once more"
        self._progress.say(f"{task} failed ({failure.reason}): trying {again}")
        self.run(task)

    def _attempt(self, task: Task, path: Path) -> None:
        config = self._work.config
        splits = assign_task_splits(self._work.assignments, task, config.folds)
        attempt = 2 if any(failure.diverged for failure in read_failures(path)) else 1
        seed = derive_training_seed(config.seed, task, attempt)
        joined = splits.copy()
        joined[splits == "val"] = "train"
        if task.method not in self._models:
            known = joined if config.select else splits
            name = cast(Baseline, task.method)
            run_baseline(name, self._work.faces, known, path, seed=seed, threads=config.threads)
            return
        settings = self._models[task.method].model_copy(update={"seed": seed, "group": task.grouping})
        record = {"crossval": {"run": task.run, "fold": task.fold}}
        if not config.select:
            self._trainer.train(settings, splits, path, record)
            return
        hidden = splits.copy()
        hidden[splits == "test"] = "spare"

        def train(candidate: RunConfig, where: Path) -> None:
            self._trainer.train(candidate, hidden, where, record)

        if task.trying:
            write_tried(path, try_candidates(settings, config.grid, path, train))
            return
        choice = read_choice(path)
        if choice is None:
            if config.folds_choose_together:
                choice = self._choice_of_run(task)
            else:
                choice = choose(try_candidates(settings, config.grid, path, train))
            write_choice(path, choice)
        self._trainer.train(choice.resolve_retraining(settings), joined, path, record, choice.temperature)

    def _choice_of_run(self, task: Task) -> Choice:
        """The setting that all folds of the task's run take. Raises RunError where one has not tried its candidates."""
        config, folder = self._work.config, self._work.folder
        run = [read_tried(folder / one.fold_folder) for one in task.list_run(config.folds)]
        return choose(run[task.fold - 1], run)
