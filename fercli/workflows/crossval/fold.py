"""One fold after the other in one process: the face set loaded, each network built and compiled, once."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import numpy as np
from numpy.typing import NDArray

from fercli.core.config import RunConfig
from fercli.core.errors import FerError, RunError, UsageError
from fercli.core.progress import Listener
from fercli.data.faceset import FaceSet
from fercli.workflows.crossval.baselines import run_baseline
from fercli.workflows.crossval.failures import FoldFailedError, failure_of, read_failures, record_failure
from fercli.workflows.crossval.plan import Assignments, Task, parts_of, training_seed
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
from fercli.workflows.run_folder import RunFolder
from fercli.workflows.train.job import TrainingJob
from fercli.workflows.train.run import run_job

Parts = NDArray[np.str_]


@dataclass(frozen=True)
class Work:
    """What every process of a cross-validation is given."""

    config: CrossvalConfig
    faces: FaceSet
    assignments: Assignments
    folder: Path


class FoldTrainer:
    """Trains folds, each into its run folder. What folds share is kept from one to the next."""

    def __init__(self, work: Work, listener: Listener) -> None:
        self._work, self._listener = work, listener
        self._jobs: dict[str, TrainingJob] = {}
        self._models = {model.model: model for model in work.config.models}

    def run(self, task: Task) -> None:
        """Train and measure one fold, or try its candidates, from where that was interrupted if it was; what is done is
        left alone.

        An attempt that breaks down is told, filed, and followed by one more: with another seed where the training
        diverged, unchanged where the machine was at fault. Raises FoldFailedError when that one breaks down too,
        and UsageError for settings with which no fold could begin.
        """
        place = self._work.folder / task.place
        if task.done(self._work.folder):
            return
        last = bool(read_failures(place))
        try:
            self._attempt(task, place)
        except _SetUpError as error:
            raise cast(FerError, error.__cause__) from None
        except (FerError, MemoryError, RuntimeError) as error:
            failure = failure_of(error)
        else:
            return
        record_failure(place, failure)
        self._jobs.clear()  # whatever it held is let go of
        if last:
            raise FoldFailedError(failure.reason)
        again = "again with another seed" if failure.diverged else "once more"
        self._listener.say(f"{task} failed ({failure.reason}): trying {again}")
        self.run(task)

    def _attempt(self, task: Task, place: Path) -> None:
        config = self._work.config
        parts = parts_of(self._work.assignments, task, config.folds)
        attempt = 2 if any(failure.diverged for failure in read_failures(place)) else 1
        seed = training_seed(config.seed, task, attempt)
        joined = parts.copy()
        joined[parts == "val"] = "train"
        if task.method not in self._models:
            known = joined if config.select else parts
            name = cast(Baseline, task.method)
            run_baseline(name, self._work.faces, known, place, seed=seed, threads=config.threads)
            return
        settings = self._models[task.method].model_copy(update={"seed": seed, "group": task.grouping})
        record = {"crossval": {"run": task.run, "fold": task.fold}}
        if not config.select:
            self._train(settings, parts, place, record)
            return
        hidden = parts.copy()
        hidden[parts == "test"] = "spare"

        def train(candidate: RunConfig, where: Path) -> None:
            self._train(candidate, hidden, where, record)

        if task.trying:
            write_tried(place, try_candidates(settings, config.grid, place, train))
            return
        choice = read_choice(place)
        if choice is None:
            if config.folds_choose_together:
                choice = self._choice_of_run(task)
            else:
                choice = choose(try_candidates(settings, config.grid, place, train))
            write_choice(place, choice)
        self._train(choice.retraining(settings), joined, place, record, choice.temperature)

    def _choice_of_run(self, task: Task) -> Choice:
        """The setting that all folds of the task's run take. Raises RunError where one has not tried its candidates."""
        config, folder = self._work.config, self._work.folder
        run = [read_tried(folder / one.place) for one in task.of_its_run(config.folds)]
        return choose(run[task.fold - 1], run)

    def _train(
        self,
        config: RunConfig,
        parts: Parts,
        place: Path,
        record: Mapping[str, object],
        temperature: Mapping[str, float] | None = None,
    ) -> None:
        """One training into a run folder, resumed where it stopped unless it was begun with other settings."""
        folder = RunFolder(place)
        begun = all(file.is_file() for file in (folder.config, folder.meta, folder.split))
        begun = begun and not folder.read_config().differences(config)
        resumes = begun and folder.checkpoint.is_file()
        job = self._job(config, parts, not resumes, temperature)
        if resumes:
            try:
                job.state.load(folder.checkpoint)
            except RunError:  # damaged: the same training from its beginning ends the same
                job.prepare(config, parts, temperature=temperature)
        elif not begun:
            folder.checkpoint.unlink(missing_ok=True)
            folder.write_config(config)
            job.write_start(folder, record)
        run_job(job, folder)
        # a finished fold needs nothing to go on with, and a hundred such files take room
        folder.checkpoint.unlink(missing_ok=True)

    def _job(
        self, config: RunConfig, parts: Parts, fresh: bool, temperature: Mapping[str, float] | None
    ) -> TrainingJob:
        """The model's job, set up for this training."""
        job = self._jobs.get(config.model)
        if job is not None:
            job.prepare(config, parts, fresh=fresh, temperature=temperature)
            return job
        try:
            faces = self._work.faces
            job = TrainingJob(config, self._listener, fresh=fresh, faces=faces, parts=parts, temperature=temperature)
        except UsageError as error:
            raise _SetUpError from error
        self._jobs[config.model] = job
        return job


class _SetUpError(Exception):
    """What is wrong before the first epoch is wrong for every fold: its cause is for the user."""
