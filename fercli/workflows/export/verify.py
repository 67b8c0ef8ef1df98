"""What is found out about an exported file before it is called done, and what its report says."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch

from fercli.core.errors import DataError
from fercli.data.cartoon import cartoon
from fercli.data.faceset import FaceSet
from fercli.data.load import load_faces
from fercli.data.splits import assign_splits
from fercli.models.export.graph import InputType
from fercli.models.export.quantise import CALIBRATION_FACES
from fercli.models.export.verify import (
    BATCHES,
    TOLERANCE,
    Runner,
    differences,
    milliseconds,
    probabilities,
    random_faces,
)
from fercli.models.load import Model
from fercli.workflows.evaluate.data import find_splits, match_classes
from fercli.workflows.run_folder import command_line, versions

ORIGINAL, EXPORTED = "pytorch", "exported"


Form = Literal["onnx", "onnx-int8", "pt2", "safetensors", "safetensors-half"]
#: What the file of each form ends in.
SUFFIXES: dict[Form, str] = {
    "onnx": ".onnx",
    "onnx-int8": ".onnx",
    "pt2": ".pt2",
    "safetensors": ".safetensors",
    "safetensors-half": ".safetensors",
}
#: Forms that round: their probabilities need not be PyTorch's, their accuracy is what counts.
ROUNDED: tuple[Form, ...] = ("onnx-int8", "safetensors-half")


@dataclass(frozen=True)
class ExportFaces:
    """Faces whose labels index the model's classes: some of the train split, and all of the split that is measured."""

    calibration: FaceSet
    measured: FaceSet
    split: str


def export_faces(model: Model, data: str, root: Path | None = None) -> ExportFaces:
    """Faces of a set as the model's own training had it split. val is measured, where there is one: whether a file is
    good enough is a decision, and a test split is not for those.

    Raises DataError where the set lacks a split or has other classes, RunError where its split is not known.
    """
    faces = load_faces(data, root)
    splits = find_splits(faces, model)
    if (splits == "all").all():
        splits = assign_splits(faces, 0)
    split = "val" if "val" in splits else "test"
    for needed in ("train", split):
        if needed not in splits:
            raise DataError(
                f"{faces.name} has no {needed} split: export calibrates on train and measures on val or test"
            )
    faces = match_classes(faces, model)
    indices = np.flatnonzero(splits == "train")
    chosen = np.zeros(len(faces), np.bool_)
    # at even distances, so that a set sorted by class gives some of each
    chosen[indices[np.linspace(0, len(indices) - 1, min(CALIBRATION_FACES, len(indices))).astype(int)]] = True
    return ExportFaces(faces.select(chosen), faces.select(splits == split), split)


@dataclass(frozen=True)
class Accuracy:
    """Top-1 accuracy of both, 0 to 1, on one split of a face set; `differing` are the faces whose label is not the
    same: id, label, and what each of the two names it. `largest_difference` is that of a probability, on all of them.
    """

    data: str
    split: str
    faces: int
    pytorch: float
    exported: float
    largest_difference: float
    differing: tuple[dict[str, str], ...]

    @property
    def drop(self) -> float:
        """How many points of accuracy (of 100) the exported file loses; below 0 where it gains."""
        return 100 * (self.pytorch - self.exported)

    def to_dict(self) -> dict[str, Any]:
        """As JSON takes it."""
        figures = {"part" if name == "split" else name: value for name, value in asdict(self).items()}
        return figures | {"drop_points": self.drop}


@dataclass(frozen=True)
class Check:
    """An exported file beside PyTorch: the largest difference of a probability by kind of faces and size of batch,
    accuracy where faces with labels were given, and the median milliseconds of a batch by its size, on one thread.
    """

    differences: Mapping[str, Mapping[int, float]]
    accuracy: Accuracy | None
    milliseconds: Mapping[int, Mapping[str, float]]

    @property
    def largest_difference(self) -> float:
        """Over all faces and sizes."""
        values = [value for sizes in self.differences.values() for value in sizes.values()]
        return float(np.max([*values, self.accuracy.largest_difference if self.accuracy else 0.0]))

    def fault(self, exact: bool, max_drop: float) -> str | None:
        """Why the file must not be shipped: its probabilities are not finite, or off where they should be `exact`
        (float32), or it loses more than `max_drop` points of accuracy. None where all is well.
        """
        if not math.isfinite(self.largest_difference):
            return "probabilities are no longer numbers: the format cannot hold this network's weights"
        if exact and not self.largest_difference <= TOLERANCE:
            return f"probabilities differ from PyTorch's by up to {self.largest_difference:.2g}, not {TOLERANCE:g}"
        if self.accuracy and self.accuracy.drop > max_drop:
            return (
                f"accuracy on {self.accuracy.data} {self.accuracy.split} drops by {self.accuracy.drop:.2f} points, "
                f"more than --max-drop {max_drop:g}"
            )
        return None

    def to_dict(self) -> dict[str, Any]:
        """All of it as JSON takes it."""
        accuracy = self.accuracy.to_dict() if self.accuracy else None
        return {
            "largest_difference": self.largest_difference,
            "differences": self.differences,
            "accuracy": accuracy,
            "milliseconds": self.milliseconds,
        }


def check(original: Runner, exported: Runner, faces: ExportFaces | None, seconds: float) -> Check:
    """Compare a file with what it was made of, on noise and on faces, drawn ones where none are given. Timing takes
    about 4 × `seconds`."""
    measured = faces.measured if faces else cartoon(subjects=2)
    size = max(BATCHES)
    found = {
        "random": differences(original, exported, random_faces(size)),
        measured.name: differences(original, exported, torch.from_numpy(measured.images[:size])),
    }
    accuracy = _accuracy(original, exported, measured, faces.split) if faces else None
    return Check(found, accuracy, milliseconds({ORIGINAL: original, EXPORTED: exported}, seconds))


def _accuracy(original: Runner, exported: Runner, faces: FaceSet, split: str) -> Accuracy:
    here, there = (probabilities(runner, faces.images) for runner in (original, exported))
    ours, theirs = here.argmax(axis=1), there.argmax(axis=1)
    name = faces.classes.__getitem__
    differing = tuple(
        {
            "id": faces.ids[index],
            "label": name(faces.labels[index]),
            ORIGINAL: name(ours[index]),
            EXPORTED: name(theirs[index]),
        }
        for index in np.flatnonzero(ours != theirs)
    )
    return Accuracy(
        data=faces.name,
        split=split,
        faces=len(faces),
        pytorch=float((ours == faces.labels).mean()),
        exported=float((theirs == faces.labels).mean()),
        largest_difference=float(np.abs(here - there).max()),
        differing=differing,
    )


@dataclass(frozen=True)
class Export:
    """One exported file. Sizes in bytes; `weights_size` is that of PyTorch's tensors. `calibration` faces, of the
    train split, showed int8 its ranges. `temperature` is by views, as the file has it; `remark` what must be said of
    it.
    """

    path: Path
    model: str
    form: Form
    input_type: InputType
    size: int
    weights_size: int
    calibration: int
    temperature: Mapping[str, float]
    check: Check
    detector: tuple[Path, ...] = ()
    remark: str = ""

    @property
    def report(self) -> Path:
        """The JSON report beside the file."""
        return report_path(self.path)

    def to_dict(self) -> dict[str, Any]:
        """The report."""
        return {
            "file": self.path.name,
            "model": self.model,
            "format": self.form,
            "input": self.input_type,
            "bytes": self.size,
            "weights_bytes": self.weights_size,
            "calibration_faces": self.calibration,
            "temperature": dict(self.temperature),
            **({"remark": self.remark} if self.remark else {}),
            **self.check.to_dict(),
            "detector": [path.name for path in self.detector],
            "command": command_line(),
            "versions": versions(),
        }


def report_path(path: Path) -> Path:
    """Where the report of an exported file lies."""
    return path.with_name(f"{path.name}.json")
