"""A network measured on faces: the figures, and the files that hold them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from fercli.core.catalogue import Claim
from fercli.core.files import write_json
from fercli.data.faceset import FaceSet
from fercli.metrics.calibration import Reliability, fit_temperature, reliability, softmax
from fercli.metrics.confidence_plots import plot_coverage, plot_reliability
from fercli.metrics.groups import GroupScores
from fercli.metrics.plots import plot_confusion
from fercli.metrics.predictions import Predictions, write_predictions
from fercli.metrics.scores import Coverage, Scores, score
from fercli.models.classifier import logits
from fercli.models.load import Model
from fercli.workflows.evaluate.data import select_logits
from fercli.workflows.evaluate.robustness import ROBUSTNESS_FILES, Robustness

#: The picture of a coverage curve.
COVERAGE_FILE = "coverage.png"
#: All that an evaluation may leave in a folder.
EVALUATION_FILES = (
    "metrics.json", "predictions.csv", "confusion.png", "reliability.png", COVERAGE_FILE, *ROBUSTNESS_FILES,
)  # fmt: skip


@dataclass(frozen=True)
class Evaluation:
    """One network on one split of one face set.

    `scores` and `reliability` are with the temperature, the `uncalibrated` ones without.
    """

    model: str
    data: str
    split: str
    mirrored: bool
    temperature: float
    scores: Scores
    uncalibrated: Scores
    reliability: Reliability
    uncalibrated_reliability: Reliability
    predictions: Predictions
    notes: tuple[str, ...] = ()
    robustness: Robustness | None = None
    coverage: Coverage | None = None
    #: the paper's own figures, where they are to be compared
    claim: Claim | None = None
    #: figures of groups, by the column that says who belongs to which
    groups: Mapping[str, tuple[GroupScores, ...]] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """All figures, without the predictions, as JSON takes them."""
        return {
            "model": self.model,
            "data": self.data,
            "part": self.split,
            "views": "single + mirrored" if self.mirrored else "single",
            "temperature": self.temperature,
            **self.scores.to_dict(),
            "uncalibrated": {
                "log_loss": self.uncalibrated.log_loss,
                "calibration_error": self.uncalibrated.calibration_error,
            },
            "notes": self.notes,
            **({"corruptions": self.robustness.to_list()} if self.robustness else {}),
            **({"coverage": self.coverage.to_dict()} if self.coverage else {}),
            **({"groups": self._groups_to_dict()} if self.groups else {}),
        }

    def _groups_to_dict(self) -> dict[str, Any]:
        return {column: [group.to_dict() for group in scores] for column, scores in self.groups.items()}

    @property
    def title(self) -> str:
        """What was measured, for the head of a picture."""
        return f"{self.model} on {self.data} ({self.split})"

    def save(self, folder: Path) -> list[str]:
        """Write tables, pictures and, last, metrics.json into a folder: the names of the files."""
        for name in (COVERAGE_FILE, *ROBUSTNESS_FILES):
            (folder / name).unlink(missing_ok=True)  # an earlier evaluation's
        self.save_predictions(folder / "predictions.csv", folder / "confusion.png")
        before = self.uncalibrated_reliability if self.temperature != 1 else None
        plot_reliability(self.reliability, folder / "reliability.png", before, self.title)
        if self.robustness:
            self.robustness.save(folder, f"{self.title}: corrupted faces")
        if self.coverage:
            plot_coverage(self.coverage, folder / COVERAGE_FILE, self.title)
        write_json(folder / "metrics.json", self.to_dict())
        pictures = ["reliability.png", *([COVERAGE_FILE] if self.coverage else [])]
        corrupted = ROBUSTNESS_FILES if self.robustness else ()
        return ["predictions.csv", "confusion.png", *pictures, *corrupted, "metrics.json"]

    def save_predictions(self, table: Path, confusion: Path) -> None:
        """Write the table of predictions (csv) and the picture of the confusion matrix (png)."""
        write_predictions(table, self.predictions)
        plot_confusion(self.scores.confusion, self.scores.classes, confusion, self.title)


def measure(model: Model, faces: FaceSet, split: str, notes: tuple[str, ...] = ()) -> Evaluation:
    """Measure a network on all of `faces`, whose classes must be the network's or some of them, in the same order.

    Where they are some, the network chooses among these alone.
    """
    out = select_logits(model, faces.images, faces.classes)
    probabilities, uncalibrated = softmax(out, model.temperature), softmax(out)
    return Evaluation(
        model.name,
        faces.name,
        split,
        model.mirrored,
        model.temperature,
        score(probabilities, faces.labels, faces.classes),
        score(uncalibrated, faces.labels, faces.classes),
        reliability(probabilities, faces.labels),
        reliability(uncalibrated, faces.labels),
        Predictions(faces.ids, faces.labels, probabilities, faces.classes),
        notes,
    )


def fit_temperatures(network: nn.Module, faces: Tensor, labels: NDArray[np.int64]) -> dict[str, float]:
    """The temperatures of a network by views, for faces [N, 1, 48, 48] uint8 on its device that validate it."""
    return {
        views: fit_temperature(logits(network, faces, mirrored).cpu().numpy(), labels)
        for views, mirrored in (("single", False), ("mirrored", True))
    }
