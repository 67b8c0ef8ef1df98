"""Train from the beginning, or resume a run, into a run folder."""

import time
from pathlib import Path

from fercli.core.config import RunConfig
from fercli.core.errors import RunError
from fercli.core.lock import hold_lock
from fercli.core.progress import SILENT, Progress, explain_interrupt
from fercli.data.splits import read_split
from fercli.training.device import pick_device
from fercli.training.distributed import ALONE, Ranks
from fercli.workflows.run_folder import RunFolder, hold_new_run, read_config, unfinished_run
from fercli.workflows.train.data import draw_split, load_training_faces, note_splits, prepare_data
from fercli.workflows.train.follow import lead
from fercli.workflows.train.job import (
    TrainingJob,
    check_origin,
    describe_origin,
    fit_job,
    note_precision,
    set_up_job,
    write_resumption,
    write_start,
)
from fercli.workflows.train.options import TrainOptions
from fercli.workflows.train.results import TrainResult, write_results
from fercli.workflows.train.settings import describe_plan, resolve_config
from fercli.workflows.train.tensorboard import TensorBoardLog, need_tensorboard

#: The fraction of the time that checkpoints may take. A large network on a fast device trains an epoch sooner than its
#: checkpoint is written.
_CHECKPOINT_TIME = 0.05


def train(options: TrainOptions, progress: Progress = SILENT, ranks: Ranks = ALONE) -> TrainResult:
    """Train a network on a face set into a run folder, or resume a run, as `fer train` does.

    Of several `ranks` this is the first; the others call `follow` (see fercli.workflows.train.follow).

    Raises UsageError for settings that make no sense, DataError, ModelError, RunError or MachineError before anything
    is written, RunError when the folder cannot be written or training diverges. Ctrl-C leaves a run that can be
    resumed.
    """
    unfinished = unfinished_run(options.out) if options.resume else None
    file = unfinished.config if unfinished else options.config
    config = resolve_config(options, base=read_config(file) if file else None, origin=str(file))
    progress.say(f"training {config.model} on {describe_plan(config)}")
    if options.tensorboard:
        need_tensorboard()
    if unfinished:
        return resume_run(unfinished, config, progress, ranks, options.tensorboard)
    return start_run(config, options.out, options.force, progress, ranks, options.tensorboard)


def start_run(
    config: RunConfig,
    out: Path | None = None,
    force: bool = False,
    progress: Progress = SILENT,
    ranks: Ranks = ALONE,
    tensorboard: bool = False,
) -> TrainResult:
    """Train from the beginning into a new run folder: `out`, or one under runs/ named by time, model and data."""
    with hold_new_run(config, out, force) as folder:
        with explain_interrupt(progress, lambda: "stopped before anything was written"):
            device = pick_device(config.device)
            faces, extra = load_training_faces(config, progress)
            splits = draw_split(config, faces)
            note_splits(config, faces, splits, progress)
            data = prepare_data(config, faces, splits, device, progress, extra=extra)
            job = set_up_job(config, data, progress, ranks=ranks)
            folder.clear()
            folder.write_config(config)
            write_start(folder, config, data, ranks=ranks)
        return _run(job, folder, progress, tensorboard)


def resume_run(
    folder: RunFolder,
    config: RunConfig,
    progress: Progress = SILENT,
    ranks: Ranks = ALONE,
    tensorboard: bool = False,
) -> TrainResult:
    """Resume a run, to the end that it would have had.

    `config` is what is asked for now. Raises RunError where it differs from the run's own, the data changed, or the run
    is complete.
    """
    with hold_lock(folder.path):
        return _resume(folder, config, progress, ranks, tensorboard)


def _resume(folder: RunFolder, config: RunConfig, progress: Progress, ranks: Ranks, tensorboard: bool) -> TrainResult:
    if folder.complete:
        raise RunError(f"{folder.path} is complete: fer eval --model {folder.path} measures it")
    if differences := folder.read_config().differences(config):
        raise RunError(
            f"{folder.path} was begun with other settings ({'; '.join(differences)}): leave them out to continue it"
        )
    device = pick_device(config.device)
    faces, extra = load_training_faces(config, progress)
    origin = describe_origin(config, faces, extra, device, ranks)
    has_start = folder.meta.is_file() and folder.split.is_file()
    if has_start:
        check_origin(folder, origin, faces)
        note_precision(folder, origin["precision"], progress)
    splits = read_split(folder.split, faces) if has_start else draw_split(config, faces)
    note_splits(config, faces, splits, progress)
    data = prepare_data(config, faces, splits, device, progress, extra=extra)
    job = set_up_job(config, data, progress, fresh=not folder.checkpoint.is_file(), ranks=ranks)
    if has_start:
        write_resumption(folder, origin, splits)
    else:  # it was interrupted before these were written
        write_start(folder, config, data, ranks=ranks)
    if folder.checkpoint.is_file():
        job = _load_checkpoint(job, folder, progress)
    return _run(job, folder, progress, tensorboard)


def _load_checkpoint(job: TrainingJob, folder: RunFolder, progress: Progress) -> TrainingJob:
    """Continue after the last epoch, or from the beginning, to the same end, where the checkpoint is damaged."""
    try:
        job.state.load(folder.checkpoint)
    except RunError as error:
        progress.say(f"{error}: training begins again with epoch 1")
        return set_up_job(job.config, job.data, progress, previous=job, ranks=job.ranks)
    progress.say(f"continuing after epoch {job.state.epoch} of {job.config.recipe.epochs}")
    return job


def _run(job: TrainingJob, folder: RunFolder, progress: Progress, tensorboard: bool = False) -> TrainResult:
    progress.say(f"writing to {folder.path}")
    if tensorboard:
        progress = TensorBoardLog(progress, folder.path / "tensorboard")
    with explain_interrupt(progress, lambda: f"stopped; fer train --resume --out {folder.path} continues"):
        lead(job)
        return run_job(job, folder, progress)


def run_job(job: TrainingJob, folder: RunFolder, progress: Progress = SILENT) -> TrainResult:
    """Train to the end, writing the folder after each epoch, then measure what came out."""
    saved, cost = 0.0, 0.0
    for _ in fit_job(job, progress):
        # the checkpoint first: a kill between the two costs nothing, since the history is in it
        if (start := time.perf_counter()) - saved >= cost / _CHECKPOINT_TIME:
            job.state.save(folder.checkpoint)
            saved = time.perf_counter()
            cost = saved - start
        folder.write_history(job.state.history)
    return write_results(job, folder)
