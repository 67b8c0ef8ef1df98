"""Figures for groups of faces, such as age bands, and whether their differences are more than chance."""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fercli.metrics.calibration import reliability
from fercli.metrics.scores import wilson

#: Below so many faces a group has figures, and is not compared with the others.
FEWEST = 10
#: The normal quantiles of a 95 % interval and of 80 % power.
_Z95, _Z80 = 1.959964, 0.841621


@dataclass(frozen=True)
class Difference:
    """A group's recall minus that of all other faces, at equal classes, -1 to 1, with its 95 % interval, and the
    probability `p` of one as large by chance, corrected by Holm where the column has more than two groups."""

    mean: float
    low: float
    high: float
    p: float


@dataclass(frozen=True)
class GroupScores:
    """The figures of one group. Intervals are of 95 %; macro recall is the mean over the classes that it has.

    `difference` is None for a group of fewer than FEWEST faces, without a class in common with the others, or whose
    value is not known.
    """

    group: str
    faces: int
    accuracy: float
    accuracy_interval: tuple[float, float]
    macro_recall: float
    macro_recall_interval: tuple[float, float]
    calibration_error: float
    difference: Difference | None

    def to_dict(self) -> dict[str, Any]:
        """Plain values, as JSON takes them."""
        return asdict(self)


def score_groups(
    probabilities: NDArray[np.floating], labels: NDArray[np.int64], groups: Sequence[str]
) -> tuple[GroupScores, ...]:
    """The figures of each group of faces, in the order of the names, '' (not known) last.

    `probabilities` are [N, C], `labels` [N]; `groups` has a name a face. A group is compared with all other faces of
    known groups by the Cochran–Mantel–Haenszel test with the classes as strata, so that a group with more happy faces
    is not called better for that; p values are corrected by Holm where there are more than two groups (of two, each is
    the other's comparison). Faces count as independent: where there are several of each person, intervals are too
    narrow and p values too small.
    """
    names = np.array(groups)
    right = probabilities.argmax(axis=1) == labels
    order = sorted(set(groups), key=lambda name: (not name, name))
    raw = {name: _compare(right, labels, names == name, names != "") for name in order if name}
    values = {name: found.p for name, found in raw.items() if found}
    corrected = _correct(values) if len(raw) > 2 else values
    scores = []
    for name in order:
        members = names == name
        found = raw.get(name)
        difference = Difference(found.mean, found.low, found.high, corrected[name]) if found else None
        scores.append(_score(name, probabilities[members], labels[members], right[members], difference))
    return tuple(scores)


def faces_needed(accuracy: float, difference: float = 0.05) -> int:
    """How many faces a group needs so that a difference in accuracy from many other faces is found in 80 % of cases at
    the 5 % level, uncorrected."""
    return math.ceil(((_Z95 + _Z80) / difference) ** 2 * accuracy * (1 - accuracy))


def _score(
    name: str,
    probabilities: NDArray[np.floating],
    labels: NDArray[np.int64],
    right: NDArray[np.bool_],
    difference: Difference | None,
) -> GroupScores:
    correct, faces = int(right.sum()), len(labels)
    recall, interval = _macro_recall(right, labels)
    return GroupScores(
        name,
        faces,
        correct / faces,
        wilson(correct, faces),
        recall,
        interval,
        reliability(probabilities, labels).error,
        difference,
    )


def _macro_recall(right: NDArray[np.bool_], labels: NDArray[np.int64]) -> tuple[float, tuple[float, float]]:
    """The mean recall over classes, and its interval: a normal one, with each recall's variance as of Agresti and
    Coull, which is not zero where all faces are right."""
    recalls, variance = [], 0.0
    classes = np.unique(labels)
    for label in classes:
        own = right[labels == label]
        recalls.append(float(own.mean()))
        adjusted = (own.sum() + 2) / (len(own) + 4)
        variance += float(adjusted * (1 - adjusted) / (len(own) + 4))
    mean, reach = float(np.mean(recalls)), _Z95 * math.sqrt(variance) / len(classes)
    return mean, (max(0.0, mean - reach), min(1.0, mean + reach))


def _compare(
    right: NDArray[np.bool_], labels: NDArray[np.int64], members: NDArray[np.bool_], known: NDArray[np.bool_]
) -> Difference | None:
    """A group against the others, before the correction: Mantel and Haenszel's difference of recalls over the classes
    that both have. None where that says nothing."""
    from scipy.stats import chi2

    others = known & ~members
    if members.sum() < FEWEST or others.sum() < FEWEST:
        return None
    weights, differences, variances, surplus, chance = [], [], [], 0.0, 0.0
    for label in np.unique(labels):
        own, rest = right[members & (labels == label)], right[others & (labels == label)]
        n, m = len(own), len(rest)
        if not n or not m:
            continue
        weights.append(n * m / (n + m))
        differences.append(own.mean() - rest.mean())
        a, b = (own.sum() + 1) / (n + 2), (rest.sum() + 1) / (m + 2)  # not quite 0 or 1, whose variance would be zero
        variances.append(a * (1 - a) / n + b * (1 - b) / m)
        correct = int(own.sum() + rest.sum())
        surplus += float(own.sum()) - n * correct / (n + m)
        if n + m > 1:
            chance += n * m * correct * (n + m - correct) / ((n + m) ** 2 * (n + m - 1))
    if not weights:
        return None
    fractions = np.array(weights) / sum(weights)
    mean = float(fractions @ differences)
    reach = _Z95 * math.sqrt(float(fractions**2 @ variances))
    p = float(chi2.sf(surplus**2 / chance, 1)) if chance else 1.0
    return Difference(mean, max(-1.0, mean - reach), min(1.0, mean + reach), p)


def _correct(values: dict[str, float]) -> dict[str, float]:
    """p values corrected by Holm: the smallest times their number, the next times one fewer, and never decreasing."""
    corrected, highest = {}, 0.0
    for rank, (name, p) in enumerate(sorted(values.items(), key=lambda item: item[1])):
        highest = max(highest, min(1.0, p * (len(values) - rank)))
        corrected[name] = highest
    return corrected
