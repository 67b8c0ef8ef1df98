"""One training after the other on the same faces in one process: what they share is kept from one to the next."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fercli.core.config import RunConfig
from fercli.core.errors import RunError, UsageError
from fercli.core.progress import EpochRow, Progress
from fercli.data.faceset import FaceSet
from fercli.training.device import pick_device
from fercli.workflows.run_folder import RunFolder
from fercli.workflows.train.data import load_extra, prepare_data
from fercli.workflows.train.job import TrainingJob, set_up_job, write_start
from fercli.workflows.train.results import TrainResult
from fercli.workflows.train.run import run_job


class SetUpError(Exception):
    """What is wrong before the first epoch of the first training is wrong for all of them: its cause, a UsageError, is
    for the user."""


class Trainer:
    """Trains into run folders. A network that was compiled serves the next training of its kind."""

    def __init__(self, faces: FaceSet, progress: Progress) -> None:
        self._faces, self._progress = faces, progress
        self._jobs: dict[str, TrainingJob] = {}

    def forget(self) -> None:
        """Let go of what is kept, and of the memory that it holds."""
        self._jobs.clear()

    def train(
        self,
        config: RunConfig,
        splits: NDArray[np.str_],
        path: Path,
        record: Mapping[str, object] | None = None,
        temperature: Mapping[str, float] | None = None,
        *,
        progress: Progress | None = None,
        replay: Callable[[Sequence[EpochRow]], None] = lambda history: None,
    ) -> TrainResult:
        """One training on the faces, each of which is in one of the splits [N], into a run folder; resumed where it
        stopped unless it was begun with other settings. With a `temperature`, by views, no face validates.

        `replay` gets the epochs that an earlier start has finished. Raises SetUpError where no training could begin,
        and else as `fercli.workflows.train.run.train` does.
        """
        folder = RunFolder(path)
        has_start = all(file.is_file() for file in (folder.config, folder.meta, folder.split))
        has_start = has_start and not folder.read_config().differences(config)
        resumes = has_start and folder.checkpoint.is_file()
        job = self._set_up(config, splits, temperature, fresh=not resumes)
        if resumes:
            try:
                job.state.load(folder.checkpoint)
            except RunError:  # damaged: the same training from its beginning ends the same
                job = self._set_up(config, splits, temperature)
        elif not has_start:
            folder.checkpoint.unlink(missing_ok=True)
            folder.write_config(config)
            write_start(folder, config, job.data, record)
        replay(job.state.history)
        result = run_job(job, folder, progress or self._progress)
        # a finished training needs nothing to continue with, and a hundred such files take room
        folder.checkpoint.unlink(missing_ok=True)
        return result

    def _set_up(
        self,
        config: RunConfig,
        splits: NDArray[np.str_],
        temperature: Mapping[str, float] | None,
        *,
        fresh: bool = True,
    ) -> TrainingJob:
        """A job for this training; the network of the last one of its model is used again where it is the same."""
        before, device = self._jobs.get(config.model), pick_device(config.device)
        previous = before if before is not None and _is_alike(before.config, config) else None
        extra = previous.data.extra if previous else load_extra(config, self._faces.classes)
        validates = temperature is None
        try:
            data = prepare_data(config, self._faces, splits, device, self._progress, extra=extra, validates=validates)
            job = set_up_job(config, data, self._progress, fresh=fresh, temperature=temperature, previous=previous)
        except UsageError as error:
            if before is not None:
                raise
            raise SetUpError from error
        self._jobs[config.model] = job
        return job


def _is_alike(before: RunConfig, now: RunConfig) -> bool:
    """Whether a network that was compiled for one training serves another one."""
    sizes = [(config.arguments, config.recipe.batch_size, config.extra, config.teacher) for config in (before, now)]
    return sizes[0] == sizes[1]
