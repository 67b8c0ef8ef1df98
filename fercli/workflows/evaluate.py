"""What `fer eval` does: a trained network and a face set in, figures out."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fercli.core.errors import DataError
from fercli.core.files import write_json
from fercli.core.progress import Steps, unheard
from fercli.core.reading import Reading
from fercli.data.faceset import FaceSet
from fercli.data.leaks import leak_note
from fercli.data.sets import SETS, load_faces, share_faces
from fercli.metrics.calibration import softmax
from fercli.metrics.plots import plot_confusion
from fercli.metrics.predictions import Predictions, write_predictions
from fercli.metrics.scores import Scores, score
from fercli.models.average import AVERAGE, trainings
from fercli.models.loaded import Model, load_model
from fercli.training.device import model_device
from fercli.workflows.classes import logits_among, with_classes
from fercli.workflows.corrupt import ROBUSTNESS_FILES, Robustness, robustness
from fercli.workflows.parts import parts_of
from fercli.workflows.run_folder import RunFolder, read_config


@dataclass(frozen=True)
class Evaluation:
    """One network on one part of one face set. `scores` are with the temperature, `uncalibrated` without."""

    model: str
    data: str
    part: str
    mirrored: bool
    temperature: float
    scores: Scores
    uncalibrated: Scores
    predictions: Predictions
    notes: tuple[str, ...] = ()
    robustness: Robustness | None = None

    def to_dict(self) -> dict[str, Any]:
        """All figures, without the predictions, as JSON takes them."""
        return {
            "model": self.model,
            "data": self.data,
            "part": self.part,
            "views": "single + mirrored" if self.mirrored else "single",
            "temperature": self.temperature,
            **self.scores.to_dict(),
            "uncalibrated": {
                "log_loss": self.uncalibrated.log_loss,
                "calibration_error": self.uncalibrated.calibration_error,
            },
            "notes": self.notes,
            **({"corruptions": self.robustness.to_list()} if self.robustness else {}),
        }

    def save(self, folder: Path) -> None:
        """Write predictions.csv, confusion.png, what there is of corruptions and, last, metrics.json into a folder."""
        self.save_predictions(folder / "predictions.csv", folder / "confusion.png")
        for name in ROBUSTNESS_FILES:
            (folder / name).unlink(missing_ok=True)  # an earlier evaluation's
        if self.robustness:
            self.robustness.save(folder, f"{self.model} on {self.data} ({self.part}): corrupted faces")
        write_json(folder / "metrics.json", self.to_dict())

    def save_predictions(self, table: Path, confusion: Path) -> None:
        """Write the table of predictions (csv) and the picture of the confusion matrix (png)."""
        write_predictions(table, self.predictions)
        title = f"{self.model} on {self.data} ({self.part})"
        plot_confusion(self.scores.confusion, self.scores.classes, confusion, title)


def measure(model: Model, faces: FaceSet, part: str, notes: tuple[str, ...] = ()) -> Evaluation:
    """Measure a network on all of `faces`, whose classes must be the network's or some of them, in the same order.

    Where they are some, the network chooses among these alone.
    """
    out = logits_among(model, faces.images, faces.classes)
    probabilities = softmax(out, model.temperature)
    return Evaluation(
        model.name,
        faces.name,
        part,
        model.mirrored,
        model.temperature,
        score(probabilities, faces.labels, faces.classes),
        score(softmax(out), faces.labels, faces.classes),
        Predictions(faces.ids, faces.labels, probabilities, faces.classes),
        notes,
    )


def evaluate(
    model: str | None = None,
    data: str | None = None,
    *,
    root: Path | None = None,
    part: str | None = None,
    mirrored: bool = False,
    device: str = "auto",
    reading: Reading | None = None,
    shared_classes: bool = False,
    corruptions: Sequence[str] = (),
    steps: Steps = unheard,
) -> Evaluation:
    """Measure a trained network on a face set: on the data and the split of its own training unless told otherwise.

    `reading` says how the data are read; None is as for training where they are the training's own, else plainly.
    With `shared_classes`, of a set with other classes only those are measured that the network knows too.
    `corruptions` are names of ways to make the faces worse (fercli.data.corruptions), in which it is measured too.
    `part` is train, val, test, spare or all. Without it: test where there is one, else val; all of a set that has
    no split of its own and that the network was not trained on.
    Raises ModelError, DataError or RunError for what does not exist or does not fit.
    """
    loaded = load_model(model, model_device(model, device), mirrored=mirrored)
    faces = _faces(loaded, data, root, reading, steps)
    parts = parts_of(faces, loaded, part)
    part, notes = _chosen(part, parts, faces, loaded)
    subset = faces if part == "all" else faces.select(parts == part)
    fitting = with_classes(subset, loaded, shared=shared_classes)
    result = measure(loaded, fitting, part, (*fitting.notes, *notes))
    if not corruptions:
        return result
    return replace(result, robustness=robustness(loaded, fitting, result.predictions, corruptions, steps))


def _faces(model: Model, data: str | None, root: Path | None, reading: Reading | None, steps: Steps) -> FaceSet:
    """The set asked for, else that of the model's own training: its run's settings know where it lies."""
    if data is not None:
        return load_faces(data, root, reading or Reading(), steps)
    config = RunFolder(model.path.parent).config
    if model.path.is_file() and config.is_file():
        own = read_config(config)
        return load_faces(own.data, root or (Path(own.root) if own.root else None), reading or own.reading, steps)
    behind = trainings(model.header)
    names = {str(trained.get("set") or trained.get("data") or "an unknown set") for trained in behind}
    readings = [trained.get("reading", {}) for trained in behind]
    if len(names) > 1 or not names <= set(SETS) or any(other != readings[0] for other in readings):
        raise DataError(f"{model.path} was trained on {' and '.join(sorted(names))}: say where it lies with --data")
    return load_faces(names.pop(), root, reading or Reading(**readings[0]), steps)


def _chosen(asked: str | None, parts: NDArray[np.str_], faces: FaceSet, model: Model) -> tuple[str, tuple[str, ...]]:
    """The part to measure, and what should be said of it. Raises DataError where the part is empty."""
    there = [part for part in ("test", "val", "train", "spare", "all") if (parts == part).any()]
    behind = trainings(model.header)
    notes: list[str] = list(dict.fromkeys(trained["remark"] for trained in behind if trained.get("remark")))
    if model.header.architecture == AVERAGE:
        notes.append("an average is of calibrated probabilities: 'before temperature' has the members' own in it")
    part = asked or there[0]
    if asked is None and part == "val":
        notes.append(f"{faces.name} has no test part here: measuring val")
    if asked is None and part == "all":
        notes.append(f"{faces.name} has no split of its own: measuring all {len(faces)} faces")
    if part != "all" and part not in there:
        raise DataError(f"{faces.name} has no {part} part here: it has {', '.join(there)} (--split)")
    notes += [
        f"the network was trained on {trained['data']}, which shares faces with {faces.name}: this is no estimate for "
        "new ones"
        for trained in behind
        if share_faces(str(trained.get("data")), faces.name)
    ]
    if any(trained.get("data") == faces.name for trained in behind):
        if part in ("val", "test", "spare") and (leak := leak_note(faces, parts, part)):
            notes.append(leak)
        if part == "val":
            notes.append("val chose the epoch and the temperature of this network: its figures flatter a little")
        if part in ("train", "all"):
            notes.append("the network was trained on these faces: this is no estimate for new ones")
    return part, tuple(notes)
