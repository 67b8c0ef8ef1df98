"""What a cross-validation measured."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fercli.data.folds import Grouping
from fercli.metrics.repeated import Interval, McNemar, RepeatedScores, Spread
from fercli.metrics.scores import Scores
from fercli.workflows.crossval.settings import CrossvalConfig


@dataclass(frozen=True)
class Series:
    """One method under one grouping: R runs of K folds over N faces and C classes.

    probabilities [R, N, C] are out of fold, in the set's order; folds [R, N] the fold, from 0 on, that tested each
    face; by_fold [R, K] accuracies; interval is the corrected resampled t of all folds' accuracies; pooled are the
    scores of all runs' predictions together, whose own interval takes each for another face and is not to be used;
    notes say which folds needed a second attempt.
    """

    grouping: Grouping
    method: str
    scores: RepeatedScores
    probabilities: NDArray[np.float64]
    folds: NDArray[np.int64]
    by_fold: NDArray[np.float64]
    interval: Interval
    pooled: Scores
    notes: tuple[str, ...]

    @property
    def folder(self) -> Path:
        """Where its folds and tables lie inside the cross-validation's folder."""
        return Path(self.grouping, self.method)

    def to_dict(self) -> dict[str, Any]:
        """All figures, without the predictions, as JSON takes them."""
        return {
            "group": self.grouping,
            "method": self.method,
            **self.scores.to_dict(),
            "accuracy_by_fold": self.by_fold.tolist(),
            "accuracy_interval": [self.interval.low, self.interval.high],
            "notes": list(self.notes),
        }


@dataclass(frozen=True)
class Comparison:
    """Two methods on the same folds: `difference` is first less second, over folds; `mcnemar` one test a run."""

    grouping: Grouping
    first: str
    second: str
    difference: Interval
    mcnemar: tuple[McNemar, ...]


@dataclass(frozen=True)
class Gap:
    """How much better a method is where people may be in training and test: by image less by subject, over runs."""

    method: str
    image: Spread
    subject: Spread
    difference: Spread


@dataclass(frozen=True)
class CrossvalResult:
    """Everything that a cross-validation measured, in the folder where it lies."""

    folder: Path
    config: CrossvalConfig
    data: str
    classes: tuple[str, ...]
    series: tuple[Series, ...]
    comparisons: tuple[Comparison, ...]
    gaps: tuple[Gap, ...]
    notes: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """All figures as JSON takes them. Accuracies and sensitivities from 0 to 1."""
        return {
            "folder": str(self.folder),
            "data": self.data,
            "folds": self.config.folds,
            "runs": self.config.runs,
            "select": self.config.select_by if self.config.select else None,
            "classes": list(self.classes),
            "series": [one.to_dict() for one in self.series],
            "comparisons": [asdict(one) for one in self.comparisons],
            "gaps": [asdict(one) for one in self.gaps]
            if self.config.runs > 1
            else [_one_run(gap) for gap in self.gaps],
            "notes": list(self.notes),
        }


def _one_run(gap: Gap) -> dict[str, Any]:
    """JSON knows no NaN, which is the deviation of one run."""
    return {"method": gap.method} | {
        key: {"mean": getattr(gap, key).mean, "sd": None} for key in ("image", "subject", "difference")
    }
