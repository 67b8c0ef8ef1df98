"""Where the folds of a cross-validation are trained: in this process, side by side, or on a Ray cluster."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

import torch

from fercli.core.progress import Progress, explain_interrupt
from fercli.runner.on_ray import RayCluster, run_on_ray
from fercli.runner.processes import run_here, run_in_processes
from fercli.runner.tasks import Job
from fercli.workflows.crossval.fold import FoldTrainer, Work
from fercli.workflows.crossval.plan import TRIED, Task
from fercli.workflows.crossval.settings import CrossvalConfig
from fercli.workflows.crossval.status import Tally


def train_folds(
    work: Work, todo: list[Task], jobs: int | None, progress: Progress, cluster: RayCluster | None = None
) -> dict[Task, str]:
    """Train every fold that is not complete, `jobs` at a time; the reason of each that failed twice.

    Raises FerError for what no fold could begin with.
    """
    tally = Tally(work.folder, todo, progress)
    job = Job(work.folder, partial(_make_trainer, work), lambda task: task.result, partial(_read_by, work.config))
    command = f"fer crossval --resume --out {work.folder}"
    with explain_interrupt(
        progress, lambda: f"stopped after {tally.done} of {tally.total} {tally.what}; {command} continues"
    ):
        at_once = min(jobs or 1, len(tally.pending))
        if not tally.pending:
            pass
        elif cluster is not None:
            run_on_ray(job, tally, cluster, progress, jobs)
        elif at_once == 1:
            with _threads_kept():
                run_here(job, tally, progress)
        else:
            run_in_processes(job, tally, at_once, progress)
    return tally.failed


def _make_trainer(work: Work, folder: Path, progress: Progress) -> FoldTrainer:
    """What trains folds in a process, into this folder."""
    torch.set_num_threads(work.config.threads)
    return FoldTrainer(replace(work, folder=folder), progress)


def _read_by(config: CrossvalConfig, task: Task) -> list[Path]:
    """What a fold reads of others: what their candidates reached, where all folds of a run choose together."""
    if not config.folds_choose_together or task.trying:
        return []
    return [other.fold_folder / TRIED for other in task.list_run(config.folds)]


@contextmanager
def _threads_kept() -> Iterator[None]:
    """Give this process back the threads that it has."""
    before = torch.get_num_threads()
    try:
        yield
    finally:
        torch.set_num_threads(before)
