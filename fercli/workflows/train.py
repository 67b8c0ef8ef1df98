"""What `fer train` does: a face set and a recipe in, a run folder out."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from fercli.core.config import RunConfig
from fercli.core.errors import DataError, RunError
from fercli.core.files import read_json, write_json
from fercli.core.progress import Listener
from fercli.data.sets import load_faces
from fercli.data.splits import split, write_split
from fercli.metrics.calibration import fit_temperature
from fercli.metrics.plots import plot_curves
from fercli.models.catalogue import build, load_catalogue
from fercli.models.classifier import Classifier
from fercli.models.inference import logits
from fercli.models.loaded import Model
from fercli.models.weights import Header, save_weights
from fercli.training.compiling import should_compile
from fercli.training.device import describe, pick_device, repeatable, resolve_precision
from fercli.training.loop import Faces, fit
from fercli.training.state import TrainingState
from fercli.workflows.evaluate import Evaluation, measure
from fercli.workflows.provenance import command_line, git_commit, versions
from fercli.workflows.run_folder import RunFolder, new_run


@dataclass(frozen=True)
class TrainResult:
    """What a training made: its folder, and its figures on val and, where there is one, test."""

    folder: Path
    best_epoch: int
    epochs: int
    evaluations: tuple[Evaluation, ...]
    seconds: float

    def to_dict(self) -> dict[str, Any]:
        """As JSON takes it."""
        return {
            "folder": str(self.folder),
            "best_epoch": self.best_epoch,
            "epochs": self.epochs,
            "seconds": self.seconds,
            "evaluations": [evaluation.to_dict() for evaluation in self.evaluations],
        }


def train(
    config: RunConfig, out: Path | None = None, force: bool = False, listener: Listener | None = None
) -> TrainResult:
    """Train from the beginning into a new run folder: `out`, or one under runs/ named by time, model and data.

    Raises DataError, ModelError, RunError or MachineError before anything is written, RunError when the
    folder cannot be written or training diverges.
    """
    job = _Job(config, listener or Listener())
    folder = new_run(config, out, force)
    folder.write_config(config)
    write_split(folder.split, job.faces, job.parts)
    write_json(folder.meta, job.meta())
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
    job = _Job(config, listener or Listener())
    begun = read_json(folder.meta)["data"]["fingerprint"] if folder.meta.is_file() else job.faces.fingerprint
    if begun != job.faces.fingerprint:
        raise RunError(f"{config.data} has changed since {folder.path} was begun: start a new run")
    write_split(folder.split, job.faces, job.parts)
    write_json(folder.meta, job.meta())
    if folder.checkpoint.is_file():
        job.state.load(folder.checkpoint)
        job.listener.say(f"continuing after epoch {job.state.epoch} of {config.recipe.epochs}")
    return job.run(folder)


class _Job:
    """Data, network and state of one training, set up from its settings."""

    def __init__(self, config: RunConfig, listener: Listener) -> None:
        self.config, self.listener = config, listener
        self.device = pick_device(config.device)
        self.precision = resolve_precision(config.precision, self.device)
        self.entry = load_catalogue()[config.model]
        self.faces = load_faces(config.data, Path(config.root) if config.root else None)
        for note in self.faces.notes:
            listener.say(note)
        self.parts = split(self.faces, config.seed, group=config.group, val_fraction=config.recipe.val_fraction)
        self.train, self.val = self._part("train"), self._part("val")
        repeatable(config.seed)
        self.network = build(self.entry, len(self.faces.classes)).to(self.device)
        self.state = TrainingState(self.network, config.recipe, len(self.train), len(self.faces.classes))

    def _part(self, part: str) -> Faces:
        """A part's faces on the device. Raises DataError where it has none."""
        places = np.flatnonzero(self.parts == part)
        if len(places) < 2:
            raise DataError(f"{self.config.data} leaves {len(places)} faces for the {part} part: too few to train with")
        images = torch.from_numpy(self.faces.images[places])
        labels = torch.from_numpy(self.faces.labels[places])
        return Faces(images.to(self.device), labels.to(self.device))

    def meta(self) -> dict[str, Any]:
        """Where the run comes from."""
        parts, counts = np.unique(self.parts, return_counts=True)
        return {
            "command": command_line(),
            "commit": git_commit(),
            "versions": versions(),
            "device": describe(self.device),
            "precision": self.precision,
            "data": {
                "name": self.faces.name,
                "fingerprint": self.faces.fingerprint,
                "faces": dict(zip(parts.tolist(), counts.tolist(), strict=True)),
            },
        }

    def run(self, folder: RunFolder) -> TrainResult:
        """Train to the end, writing the folder after each epoch, then measure what came out."""
        self.listener.begun(folder.path)
        recipe, compiling = self.config.recipe, self.config.compile
        worth_it = should_compile(len(self.train), recipe.epochs, self.device)
        epochs = fit(
            self.state, self.train, self.val,
            seed=self.config.seed,
            precision=self.precision,
            compile_network=compiling == "on" or (compiling == "auto" and worth_it),
            listener=self.listener,
        )  # fmt: skip
        for _ in epochs:
            self.state.save(folder.checkpoint)
            folder.write_history(self.state.history)
        return self._finish(folder)

    def _finish(self, folder: RunFolder) -> TrainResult:
        """Fit the temperature, measure val and test, and write weights, tables and pictures; metrics.json last."""
        network = self.network
        network.load_state_dict(self.state.best)
        seconds = sum(row.seconds for row in self.state.history)
        header = self._header(network.eval(), seconds)
        model = Model(network, header, self.device, folder.weights)
        evaluations = [
            measure(replace(model, mirrored=mirrored), self.faces.select(self.parts == part), part)
            for part in ("val", "test") if (self.parts == part).any()
            for mirrored in (False, True)
        ]  # fmt: skip
        metrics: dict[str, Any] = {}
        for evaluation in evaluations:
            views = "mirrored" if evaluation.mirrored else "single"
            metrics.setdefault(evaluation.part, {})[views] = evaluation.to_dict()
        save_weights(folder.weights, network.state_dict(), replace(header, metrics=_accuracies(evaluations)))
        single = [evaluation for evaluation in evaluations if not evaluation.mirrored]
        single[-1].save_predictions(folder.predictions, folder.confusion)
        plot_curves([asdict(row) for row in self.state.history], folder.curves, self.state.best_epoch)
        write_json(folder.meta, {**read_json(folder.meta), "seconds": round(seconds, 1)})
        write_json(folder.metrics, {"best_epoch": self.state.best_epoch, "epochs": self.state.epoch, **metrics})
        return TrainResult(folder.path, self.state.best_epoch, self.state.epoch, tuple(evaluations), seconds)

    def _header(self, network: Classifier, seconds: float) -> Header:
        """What the weights say of themselves, temperatures fitted on the validation part."""
        labels = self.val.labels.cpu().numpy()
        temperature = {
            views: fit_temperature(logits(network, self.val.images, mirrored).cpu().numpy(), labels)
            for views, mirrored in (("single", False), ("mirrored", True))
        }
        config = self.config
        training = {
            "command": command_line(),
            "recipe": config.recipe_name,
            "epochs": self.state.epoch,
            "best_epoch": self.state.best_epoch,
            "seconds": round(seconds, 1),
            "data": config.data,
            "fingerprint": self.faces.fingerprint,
            "seed": config.seed,
            "group": config.group,
            "val_fraction": config.recipe.val_fraction,
            "fercli": versions()["fercli"],
        }
        entry = self.entry
        return Header(
            config.model,
            entry.architecture,
            entry.arguments,
            entry.input.scaling,
            self.faces.classes,
            temperature,
            training,
        )


def _accuracies(evaluations: Sequence[Evaluation]) -> dict[str, dict[str, float]]:
    """Accuracy of 0 to 1 by part and views."""
    out: dict[str, dict[str, float]] = {}
    for evaluation in evaluations:
        out.setdefault(evaluation.part, {})["mirrored" if evaluation.mirrored else "single"] = (
            evaluation.scores.accuracy
        )
    return out
