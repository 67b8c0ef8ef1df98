"""A training in several processes: what the first one tells the others, and what these do. They write nothing."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from fercli.core.config import RunConfig
from fercli.core.errors import DataError
from fercli.core.progress import SILENT
from fercli.training.device import Precision, pick_device
from fercli.training.distributed import Ranks
from fercli.workflows.train.data import load_training_faces, prepare_data
from fercli.workflows.train.job import TrainingJob, fit_job, set_up_job


@dataclass(frozen=True)
class _Plan:
    """What the processes of a training have in common: `state` is the network, its optimiser and all else that a
    checkpoint holds."""

    config: RunConfig
    precision: Precision
    fingerprint: str
    splits: NDArray[np.str_]
    state: bytes


def lead(job: TrainingJob) -> None:
    """Tell the other processes of a job, if there are any, what to train, from which state."""
    if job.ranks.size > 1:
        faces, splits = job.data.faces, job.data.splits
        job.ranks.broadcast(_Plan(job.config, job.precision, faces.fingerprint, splits, job.state.to_bytes()))


def follow(ranks: Ranks) -> None:
    """Train with the first process, to the end, what it says.

    Raises DataError where this machine has another face set by that name, and FerError for what the first process
    would raise.
    """
    plan: _Plan = ranks.broadcast()
    config = plan.config
    faces, extra = load_training_faces(config, SILENT)
    if faces.fingerprint != plan.fingerprint:
        raise DataError(
            f"process {ranks.rank} of {ranks.size} has another set '{config.data}' than the first one: copy the set "
            "of that machine"
        )
    data = prepare_data(config, faces, plan.splits, pick_device(config.device), SILENT, extra=extra)
    job = set_up_job(config, data, SILENT, fresh=False, ranks=ranks)
    job.state.from_bytes(plan.state)
    for _ in fit_job(replace(job, precision=plan.precision)):
        pass
