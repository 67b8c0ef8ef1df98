"""The end of a training: temperature fitted, val and test measured, the run folder's last files written."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from fercli.core.files import read_json, write_json
from fercli.data.load import SETS
from fercli.data.splits import split_digest
from fercli.metrics.plots import plot_curves
from fercli.models.classifier import Classifier
from fercli.models.load import Model
from fercli.models.weights import Header, save_weights
from fercli.workflows.evaluate.evaluation import Evaluation, fit_temperatures, measure
from fercli.workflows.run_folder import RunFolder, versions
from fercli.workflows.train.job import TrainingJob


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


def list_accuracies(evaluations: Sequence[Evaluation]) -> dict[str, dict[str, float]]:
    """Accuracy of 0 to 1 by split and views."""
    out: dict[str, dict[str, float]] = {}
    for evaluation in evaluations:
        out.setdefault(evaluation.split, {})["mirrored" if evaluation.mirrored else "single"] = (
            evaluation.scores.accuracy
        )
    return out


def write_results(job: TrainingJob, folder: RunFolder) -> TrainResult:
    """Measure the best weights of a job that is trained and write weights, tables and pictures; metrics.json last."""
    state, network = job.state, job.network
    folder.write_history(state.history)
    network.load_state_dict(state.best)
    seconds = sum(row.seconds for row in state.history)
    meta = read_json(folder.meta)
    header = _header(job, network.eval(), seconds, meta)
    model = Model(network, header, job.data.device, folder.weights)
    remark = job.entry.remark(job.config.recipe)
    notes = (remark,) if remark else ()
    evaluations = [
        measure(replace(model, mirrored=mirrored), job.data.faces.select(job.data.splits == split), split, notes)
        for split in ("val", "test") if (job.data.splits == split).any()
        for mirrored in (False, True)
    ]  # fmt: skip
    metrics: dict[str, Any] = {}
    for evaluation in evaluations:
        views = "mirrored" if evaluation.mirrored else "single"
        metrics.setdefault(evaluation.split, {})[views] = evaluation.to_dict()
    save_weights(folder.weights, network.state_dict(), replace(header, metrics=list_accuracies(evaluations)))
    single = [evaluation for evaluation in evaluations if not evaluation.mirrored]
    single[-1].save_predictions(folder.predictions, folder.confusion)
    plot_curves([asdict(row) for row in state.history], folder.curves, state.best_epoch)
    write_json(folder.meta, {**meta, "seconds": round(seconds, 1)})
    write_json(folder.metrics, {"best_epoch": state.best_epoch, "epochs": state.epoch, **metrics})
    return TrainResult(folder.path, state.best_epoch, state.epoch, tuple(evaluations), seconds)


def _header(job: TrainingJob, network: Classifier, seconds: float, meta: dict[str, Any]) -> Header:
    """What the weights say of themselves, temperatures fitted on the validation split."""
    temperature = job.temperature or fit_temperatures(network, job.data.val.images, job.data.val.labels.cpu().numpy())
    config, entry = job.config, job.entry
    training = {
        "command": meta["command"],
        "commit": meta["commit"],
        "recipe": config.recipe_name,
        "pretrained": meta["pretrained"],
        "teacher": meta.get("teacher"),
        "start": meta.get("start"),
        "extra": meta.get("extra"),
        "remark": entry.remark(config.recipe),
        "epochs": job.state.epoch,
        "best_epoch": job.state.best_epoch,
        "seconds": round(seconds, 1),
        "data": job.data.faces.name,
        "set": config.data if config.data in SETS else None,
        "reading": config.load_options.model_dump(exclude_defaults=True),
        "fingerprint": job.data.faces.fingerprint,
        "seed": config.seed,
        "group": config.group,
        "drop_leaks": config.drop_leaks,
        "val_fraction": config.recipe.val_fraction,
        "split": split_digest(job.data.faces, job.data.splits),
        # behind the accuracies of each split
        "faces": {split: int((job.data.splits == split).sum()) for split in ("train", "val", "test")},
        "fercli": versions()["fercli"],
    }
    return Header(
        config.model,
        entry.architecture,
        entry.arguments,
        entry.input.model_dump(),
        job.data.faces.classes,
        temperature,
        training,
        label_smoothing=network.label_smoothing,
    )
