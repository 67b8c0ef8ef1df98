"""The folds of a cross-validation put together: read back from their folders, so that figures are the same however
they were trained."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fercli.core.errors import RunError
from fercli.data.faceset import FaceSet
from fercli.data.folds import Grouping
from fercli.metrics.predictions import read_predictions
from fercli.metrics.repeated import Interval, corrected_t, mcnemar, repeated_scores, spread
from fercli.metrics.scores import score
from fercli.workflows.crossval.failures import read_failures
from fercli.workflows.crossval.plan import Assignments, Task
from fercli.workflows.crossval.results import Comparison, CrossvalResult, Gap, Series
from fercli.workflows.crossval.settings import CrossvalConfig
from fercli.workflows.run_folder import RunFolder


def collect(
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
        _compared(first, second, faces, _test_share(config))
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


def _test_share(config: CrossvalConfig) -> float:
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
        _within(corrected_t(by_fold.ravel(), _test_share(config))),
        score(probabilities.reshape(-1, len(faces.classes)), np.tile(faces.labels, config.runs), faces.classes),
        tuple(
            f"{task} was trained again after: {failure.reason}"
            for task in tasks
            for failure in read_failures(folder / task.place)
        ),
    )


def _out_of_fold(folder: Path, tasks: Sequence[Task], faces: FaceSet, groups: NDArray[np.int64]) -> NDArray[np.float64]:
    """The probabilities [R, N, C] that folds gave their test faces, in the set's order."""
    place = {face: number for number, face in enumerate(faces.ids)}
    probabilities = np.full((len(groups), len(faces), len(faces.classes)), np.nan)
    for task in tasks:
        file = RunFolder(folder / task.place).predictions
        found = read_predictions(file)
        rows = np.array([place.get(face, -1) for face in found.ids], dtype=np.int64)
        if not np.array_equal(np.sort(rows), np.flatnonzero(groups[task.run - 1] == task.fold - 1)):
            raise RunError(
                f"{file} is not of the faces that folds.json gives this fold: remove {file.parent}, then --resume"
            )
        probabilities[task.run - 1, rows] = found.probabilities
    return probabilities


def _within(interval: Interval) -> Interval:
    """The interval of an accuracy, which cannot leave 0 to 1."""
    return replace(interval, low=max(0.0, interval.low), high=min(1.0, interval.high))


def _confusion(predicted: NDArray[np.int64], faces: FaceSet) -> NDArray[np.int64]:
    """A run's matrix [C, C]: the sum of those of its folds, since every face is tested once."""
    counts = np.zeros((len(faces.classes), len(faces.classes)), dtype=np.int64)
    np.add.at(counts, (faces.labels, predicted), 1)
    return counts


def _compared(first: Series, second: Series, faces: FaceSet, test_share: float) -> Comparison:
    differences = (first.by_fold - second.by_fold).ravel()
    right = [one.probabilities.argmax(axis=2) == faces.labels for one in (first, second)]
    tests = tuple(mcnemar(ours, theirs) for ours, theirs in zip(*right, strict=True))
    return Comparison(first.grouping, first.method, second.method, corrected_t(differences, test_share), tests)
