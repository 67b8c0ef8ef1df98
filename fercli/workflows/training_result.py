"""What a training made, as its caller gets it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fercli.workflows.evaluation import Evaluation


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


def accuracies(evaluations: Sequence[Evaluation]) -> dict[str, dict[str, float]]:
    """Accuracy of 0 to 1 by part and views."""
    out: dict[str, dict[str, float]] = {}
    for evaluation in evaluations:
        out.setdefault(evaluation.part, {})["mirrored" if evaluation.mirrored else "single"] = (
            evaluation.scores.accuracy
        )
    return out
