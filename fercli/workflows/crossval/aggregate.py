"""What a cross-validation measured, and how its folds are pooled: they are read back from their folders, so that the
figures are the same however they were trained."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fercli.core.errors import RunError
from fercli.data.faceset import FaceSet
from fercli.data.folds import Grouping
from fercli.metrics.predictions import read_predictions
from fercli.metrics.repeated_crossval import (
    Interval,
    McNemar,
    RepeatedScores,
    Spread,
    corrected_t,
    mcnemar,
    repeated_scores,
    spread,
)
from fercli.metrics.scores import Scores, score
from fercli.workflows.crossval.plan import Assignments, Task
from fercli.workflows.crossval.settings import CrossvalConfig
from fercli.workflows.crossval.status import read_failures
from fercli.workflows.run_folder import RunFolder


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


def pool_folds(
    folder: Path, config: CrossvalConfig, faces: FaceSet, assignments: Assignments, notes: tuple[str, ...] = ()
) -> CrossvalResult:
    """Pool all folds. Raises RunError where one is missing or was made of other faces than folds.json says."""
    series = tuple(
        _series(folder, config, faces, groups, grouping, method)
        for grouping, groups in assignments.items()
        for method in config.methods
    )
    networks = {model.model for model in config.models}
    comparisons = tuple(
        _compare(first, second, faces, _test_fraction(config))
        for first, second in combinations(series, 2)
        if first.grouping == second.grouping and first.method in networks
    )
    by_subject = {one.method: one for one in series if one.grouping == "subject"}
    gaps = tuple(
        Gap(
            one.method,
            one.scores.accuracy_spread,
            by_subject[one.method].scores.accuracy_spread,
            spread(one.scores.accuracy - by_subject[one.method].scores.accuracy),
        )
        for one in series
        if one.grouping == "image" and one.method in by_subject
    )
    return CrossvalResult(folder, config, faces.name, faces.classes, series, comparisons, gaps, notes)


def _test_fraction(config: CrossvalConfig) -> float:
    """Test faces / training faces of a fold: one group to all but two, or to all but one after a selection."""
    return 1 / (config.folds - (1 if config.select else 2))


def _series(
    folder: Path,
    config: CrossvalConfig,
    faces: FaceSet,
    groups: NDArray[np.int64],
    grouping: Grouping,
    method: str,
) -> Series:
    """One method's folds put together."""
    tasks = [Task(grouping, method, run + 1, fold + 1) for run in range(config.runs) for fold in range(config.folds)]
    probabilities = _out_of_fold(folder, tasks, faces, groups)
    right = probabilities.argmax(axis=2) == faces.labels
    by_fold = np.array(
        [[row[own == fold].mean() for fold in range(config.folds)] for row, own in zip(right, groups, strict=True)]
    )
    return Series(
        grouping,
        method,
        repeated_scores([_confusion(row.argmax(axis=1), faces) for row in probabilities], faces.classes),
        probabilities,
        groups,
        by_fold,
        _clip(corrected_t(by_fold.ravel(), _test_fraction(config))),
        score(probabilities.reshape(-1, len(faces.classes)), np.tile(faces.labels, config.runs), faces.classes),
        tuple(
            f"{task} was trained again after: {failure.reason}"
            for task in tasks
            for failure in read_failures(folder / task.fold_folder)
        ),
    )


def _out_of_fold(folder: Path, tasks: Sequence[Task], faces: FaceSet, groups: NDArray[np.int64]) -> NDArray[np.float64]:
    """The probabilities [R, N, C] that folds gave their test faces, in the set's order."""
    row_of = {face: row for row, face in enumerate(faces.ids)}
    probabilities = np.full((len(groups), len(faces), len(faces.classes)), np.nan)
    for task in tasks:
        file = RunFolder(folder / task.fold_folder).predictions
        found = read_predictions(file)
        rows = np.array([row_of.get(face, -1) for face in found.ids], dtype=np.int64)
        if not np.array_equal(np.sort(rows), np.flatnonzero(groups[task.run - 1] == task.fold - 1)):
            raise RunError(
                f"{file} is not of the faces that folds.json gives this fold: remove {file.parent}, then --resume"
            )
        probabilities[task.run - 1, rows] = found.probabilities
    return probabilities


def _clip(interval: Interval) -> Interval:
    """The interval of an accuracy, which cannot leave 0 to 1."""
    return replace(interval, low=max(0.0, interval.low), high=min(1.0, interval.high))


def _confusion(predicted: NDArray[np.int64], faces: FaceSet) -> NDArray[np.int64]:
    """A run's matrix [C, C]: the sum of those of its folds, since every face is tested once."""
    counts = np.zeros((len(faces.classes), len(faces.classes)), dtype=np.int64)
    np.add.at(counts, (faces.labels, predicted), 1)
    return counts


def _compare(first: Series, second: Series, faces: FaceSet, test_fraction: float) -> Comparison:
    differences = (first.by_fold - second.by_fold).ravel()
    right = [one.probabilities.argmax(axis=2) == faces.labels for one in (first, second)]
    tests = tuple(mcnemar(ours, theirs) for ours, theirs in zip(*right, strict=True))
    return Comparison(first.grouping, first.method, second.method, corrected_t(differences, test_fraction), tests)
