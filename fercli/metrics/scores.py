"""How good a set of predictions is, in every figure that this project reports.

Also coverage: accuracy among the faces that are answered, if the least certain ones are not.
"""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fercli.core.errors import DataError
from fercli.metrics.calibration import reliability

#: Fractions of the faces answered, in percent, that tables and JSON give.
LEVELS = (100, 90, 80, 70, 60, 50, 40, 30, 20, 10)


@dataclass(frozen=True)
class Averages:
    """Precision, recall and F1 over all classes, 0 to 1."""

    precision: float
    recall: float
    f1: float


@dataclass(frozen=True)
class ClassScores:
    """One class: precision, recall and F1, 0 to 1 (0 where undefined), and its number of faces."""

    name: str
    precision: float
    recall: float
    f1: float
    support: int


@dataclass(frozen=True)
class Scores:
    """Everything measured on one set of predictions. Fractions run from 0 to 1.

    accuracy_interval: 95 % Wilson score interval. macro: the plain mean over all classes, those without
    faces included (as scikit-learn with `labels` does). weighted: by support. balanced_accuracy: mean recall
    over the classes that have faces. log_loss: in nats. calibration_error: expected calibration error,
    15 equal bins. elementwise_accuracy: the fraction of all N·C entries in which 'probability > 0.5' agrees with
    the one-hot label; it is (C - 1)/C for a network that never commits itself, and no top-1 accuracy.
    confusion: faces, rows true, columns predicted.
    """

    classes: tuple[str, ...]
    faces: int
    accuracy: float
    accuracy_interval: tuple[float, float]
    balanced_accuracy: float
    log_loss: float
    calibration_error: float
    elementwise_accuracy: float
    per_class: tuple[ClassScores, ...]
    macro: Averages
    weighted: Averages
    confusion: tuple[tuple[int, ...], ...]

    @property
    def empty_classes(self) -> int:
        """How many classes have no face; each counts as 0 in the macro averages."""
        return sum(row.support == 0 for row in self.per_class)

    @property
    def confusion_fractions(self) -> tuple[tuple[float, ...], ...]:
        """The confusion matrix with each row as fractions of its faces; a class without faces has zeros."""
        return tuple(tuple(count / max(1, sum(row)) for count in row) for row in self.confusion)

    def to_dict(self) -> dict[str, Any]:
        """All of it, row fractions included, as plain values that JSON can hold."""
        return asdict(self) | {"confusion_shares": self.confusion_fractions}


def score(probabilities: NDArray[np.floating], labels: NDArray[np.int64], classes: tuple[str, ...]) -> Scores:
    """Measure predictions: probabilities [N, C] whose rows sum to 1, labels [N] that index C ≥ 2 class names.

    The predicted class is the most probable, the first of equals. Raises DataError where there is no face,
    ValueError where the arguments do not fit each other.
    """
    from sklearn.metrics import confusion_matrix, precision_recall_fscore_support

    _check(probabilities, labels, classes)
    predicted = probabilities.argmax(axis=1)
    indices = np.arange(len(classes))
    precision, recall, f1, support = precision_recall_fscore_support(labels, predicted, labels=indices, zero_division=0)
    right = int((predicted == labels).sum())
    one_hot = labels[:, None] == indices
    return Scores(
        classes=tuple(classes),
        faces=len(labels),
        accuracy=right / len(labels),
        accuracy_interval=wilson(right, len(labels)),
        # scikit-learn's own function is this mean, with a warning for each class without faces
        balanced_accuracy=float(recall[support > 0].mean()),
        log_loss=_log_loss(probabilities, labels),
        calibration_error=reliability(probabilities, labels).error,
        elementwise_accuracy=float(((probabilities > 0.5) == one_hot).mean()),
        per_class=tuple(
            ClassScores(name, float(precision[i]), float(recall[i]), float(f1[i]), int(support[i]))
            for i, name in enumerate(classes)
        ),
        macro=_averages(labels, predicted, indices, "macro"),
        weighted=_averages(labels, predicted, indices, "weighted"),
        confusion=tuple(map(tuple, confusion_matrix(labels, predicted, labels=indices).tolist())),
    )


def _check(probabilities: NDArray[np.floating], labels: NDArray[np.int64], classes: tuple[str, ...]) -> None:
    if not len(labels):
        raise DataError("there are no faces to measure on: this split of the data is empty; name another --split")
    if probabilities.shape != (len(labels), len(classes)):
        raise ValueError(f"probabilities {probabilities.shape} for {len(labels)} labels and {len(classes)} classes")
    if not 0 <= labels.min() <= labels.max() < len(classes):
        raise ValueError(f"labels run from {labels.min()} to {labels.max()} with {len(classes)} classes")
    if not (probabilities.min() >= 0 and np.allclose(probabilities.sum(axis=1), 1, atol=1e-3)):
        raise ValueError("rows of probabilities must hold nothing negative and sum to 1")


def wilson(right: int, faces: int) -> tuple[float, float]:
    """The 95 % Wilson score interval, 0 to 1, of a fraction of `right` among `faces` ≥ 1."""
    from scipy.stats import binomtest

    interval = binomtest(right, faces).proportion_ci(confidence_level=0.95, method="wilson")
    return float(interval.low), float(interval.high)


def _log_loss(probabilities: NDArray[np.floating], labels: NDArray[np.int64]) -> float:
    """scikit-learn's log loss to the last digit, without its warning for rows that float32 has rounded."""
    rounding = np.finfo(probabilities.dtype).eps
    true = probabilities[np.arange(len(labels)), labels]
    return -float(np.log(true.clip(rounding, 1 - rounding)).mean())


def _averages(
    labels: NDArray[np.int64], predicted: NDArray[np.int64], indices: NDArray[np.int64], average: str
) -> Averages:
    from sklearn.metrics import precision_recall_fscore_support

    precision, recall, f1, _ = precision_recall_fscore_support(
        labels, predicted, labels=indices, average=average, zero_division=0
    )
    return Averages(float(precision), float(recall), float(f1))


@dataclass(frozen=True)
class Level:
    """What answering from one confidence on means: the fraction of faces answered and the accuracy among them.

    All but `faces` run from 0 to 1; the interval is Wilson's, of 95 %.
    """

    threshold: float
    faces: int
    fraction: float
    accuracy: float
    accuracy_interval: tuple[float, float]

    def to_dict(self) -> dict[str, Any]:
        """As JSON takes it."""
        return {"share" if name == "fraction" else name: value for name, value in vars(self).items()}


@dataclass(frozen=True)
class Coverage:
    """The faces answered and those right among them, for each threshold that changes anything.

    threshold [K] float64, falling: the K different confidences. A face is answered whose confidence is the threshold
    or more. answered, right [K] int64: faces.
    """

    threshold: NDArray[np.float64]
    answered: NDArray[np.int64]
    right: NDArray[np.int64]

    @property
    def fraction(self) -> NDArray[np.float64]:
        """The fraction of all faces that is answered, [K], rising to 1."""
        fraction: NDArray[np.float64] = self.answered / self.answered[-1]
        return fraction

    @property
    def accuracy(self) -> NDArray[np.float64]:
        """The fraction of right ones among those answered, [K]."""
        accuracy: NDArray[np.float64] = self.right / self.answered
        return accuracy

    @property
    def aurc(self) -> float:
        """The area under the risk-coverage curve, 0 to 1, less is better.

        Each face's confidence is the threshold once; the mean over these of the fraction of errors among the answered.
        Where confidence says nothing it is near the error rate of all faces.
        Source: Geifman, Uziel and El-Yaniv 2019, 'Bias-Reduced Uncertainty Estimation for Deep Neural Classifiers'
        (arXiv 1805.08206), section 2.
        """
        faces = np.diff(self.answered, prepend=0)
        return float(np.average(1 - self.accuracy, weights=faces))

    def level(self, percent: int) -> Level:
        """The highest threshold from which on at least this percentage of the faces, 1 to 100, is answered."""
        wanted = -(-percent * int(self.answered[-1]) // 100)
        at = int(np.searchsorted(self.answered, wanted))
        faces, right = int(self.answered[at]), int(self.right[at])
        return Level(
            float(self.threshold[at]), faces, float(self.fraction[at]), float(self.accuracy[at]), wilson(right, faces)
        )

    def to_dict(self) -> dict[str, Any]:
        """The area and the ten levels, as JSON takes them."""
        return {"aurc": self.aurc, "levels": [self.level(percent).to_dict() for percent in LEVELS]}


def coverage(probabilities: NDArray[np.floating], labels: NDArray[np.int64]) -> Coverage:
    """Sort predictions [N, C], N ≥ 1, by their top probability; equal ones are answered together."""
    confidence = probabilities.max(axis=1).astype(np.float64)
    order = np.argsort(-confidence, kind="stable")
    right = np.cumsum((probabilities.argmax(axis=1) == labels)[order], dtype=np.int64)
    falling = confidence[order]
    last = np.flatnonzero(np.append(np.diff(falling) != 0, True))
    return Coverage(falling[last], last + 1, right[last])
