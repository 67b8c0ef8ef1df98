"""What `fer train` does: a face set and a recipe in, a run folder out."""

from pathlib import Path

from fercli.core.config import RunConfig
from fercli.core.errors import RunError
from fercli.core.files import read_json, write_json
from fercli.core.progress import Listener
from fercli.data.splits import read_split
from fercli.workflows.run_folder import RunFolder, new_run
from fercli.workflows.training_job import TrainingJob
from fercli.workflows.training_result import TrainResult


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
    job.start(folder)
    return job.run(folder)


def resume(folder: RunFolder, config: RunConfig, listener: Listener | None = None) -> TrainResult:
    """Continue a run that was broken off, to the end that it would have had.

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
        job.prepare(config, read_split(folder.split, job.faces), fresh=fresh)
    else:  # it was broken off before these were written
        job.start(folder)
    if folder.checkpoint.is_file():
        job.state.load(folder.checkpoint)
        job.listener.say(f"continuing after epoch {job.state.epoch} of {config.recipe.epochs}")
    return job.run(folder)
