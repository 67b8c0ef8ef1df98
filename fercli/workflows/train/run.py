"""Train from the beginning, or resume a run, into a run folder."""

import time
from pathlib import Path

from fercli.core.config import RunConfig
from fercli.core.errors import RunError
from fercli.core.files import read_json, write_json
from fercli.core.progress import Listener
from fercli.data.splits import read_split
from fercli.training.compile import should_compile
from fercli.training.loop import fit
from fercli.workflows.run_folder import RunFolder, new_run
from fercli.workflows.train.finish import TrainResult, finish
from fercli.workflows.train.job import TrainingJob

#: The fraction of the time that checkpoints may take. A large network on a fast device trains an epoch sooner than its
#: checkpoint is written.
_CHECKPOINT_TIME = 0.05


def train(
    config: RunConfig, out: Path | None = None, force: bool = False, listener: Listener | None = None
) -> TrainResult:
    """Train from the beginning into a new run folder: `out`, or one under runs/ named by time, model and data.

    Raises DataError, ModelError, RunError or MachineError before anything is written, RunError when the
    folder cannot be written or training diverges.
    """
    job = TrainingJob(config, listener or Listener())
    folder = new_run(config, out, force)
    folder.write_config(config)
    job.write_start(folder)
    return run_job(job, folder)


def resume(folder: RunFolder, config: RunConfig, listener: Listener | None = None) -> TrainResult:
    """Resume a run, to the end that it would have had.

    `config` is what was asked for now. Raises RunError where it differs from the run's own, the data changed, or
    the run is complete.
    """
    if folder.complete:
        raise RunError(f"{folder.path} is complete: fer eval --model {folder.path} measures it")
    if differences := folder.read_config().differences(config):
        raise RunError(
            f"{folder.path} was begun with other settings ({'; '.join(differences)}): leave them out to continue it"
        )
    fresh = not folder.checkpoint.is_file()
    job = TrainingJob(config, listener or Listener(), fresh=fresh)
    if folder.meta.is_file() and folder.split.is_file():
        meta = read_json(folder.meta)
        job.check_same(meta, folder)
        write_json(folder.meta, {**meta, "resumed": [*meta.get("resumed", []), job.meta()]})
        job.prepare(config, read_split(folder.split, job.data.faces), fresh=fresh)
    else:  # it was interrupted before these were written
        job.write_start(folder)
    if folder.checkpoint.is_file():
        _load_checkpoint(job, folder)
    return run_job(job, folder)


def _load_checkpoint(job: TrainingJob, folder: RunFolder) -> None:
    """Go on after the last epoch, or from the beginning, to the same end, where the checkpoint is damaged."""
    try:
        job.state.load(folder.checkpoint)
    except RunError as error:
        job.listener.say(f"{error}: training begins again with epoch 1")
        job.prepare(job.config, job.data.parts)
    else:
        job.listener.say(f"continuing after epoch {job.state.epoch} of {job.config.recipe.epochs}")


def run_job(job: TrainingJob, folder: RunFolder) -> TrainResult:
    """Train to the end, writing the folder after each epoch, then measure what came out."""
    job.listener.begun(folder.path)
    recipe, compiling, train_faces = job.config.recipe, job.config.compile, job.data.train
    worth_it = should_compile(len(train_faces), recipe.epochs, job.device)
    epochs = fit(
        job.state, train_faces, job.data.val,
        seed=job.config.seed,
        precision=job.precision,
        compile_network=compiling == "on" or (compiling == "auto" and worth_it),
        listener=job.listener,
        teacher=job.teacher,
    )  # fmt: skip
    saved, cost = 0.0, 0.0
    for _ in epochs:
        # the checkpoint first: a kill between the two costs nothing, since the history is in it
        if (start := time.perf_counter()) - saved >= cost / _CHECKPOINT_TIME:
            job.state.save(folder.checkpoint)
            saved = time.perf_counter()
            cost = saved - start
        folder.write_history(job.state.history)
    return finish(job, folder)
