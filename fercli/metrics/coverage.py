"""What silence buys: accuracy among the faces that are answered, when the least sure ones are not."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fercli.metrics.scores import wilson

#: Shares of the faces answered, in percent, that tables and JSON give.
LEVELS = (100, 90, 80, 70, 60, 50, 40, 30, 20, 10)


@dataclass(frozen=True)
class Level:
    """What answering from one confidence on means: the share of faces answered and the accuracy among them.

    All but `faces` run from 0 to 1; the interval is Wilson's, of 95 %.
    """

    threshold: float
    faces: int
    share: float
    accuracy: float
    accuracy_interval: tuple[float, float]


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
    def share(self) -> NDArray[np.float64]:
        """The share of all faces that is answered, [K], rising to 1."""
        share: NDArray[np.float64] = self.answered / self.answered[-1]
        return share

    @property
    def accuracy(self) -> NDArray[np.float64]:
        """The share of right ones among those answered, [K]."""
        share: NDArray[np.float64] = self.right / self.answered
        return share

    @property
    def aurc(self) -> float:
        """The area under the risk-coverage curve, 0 to 1, less is better.

        Each face's confidence is the threshold once; of those thresholds the mean share of errors among the answered.
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
            float(self.threshold[at]), faces, float(self.share[at]), float(self.accuracy[at]), wilson(right, faces)
        )

    def to_dict(self) -> dict[str, Any]:
        """The area and the ten levels, as JSON takes them."""
        return {"aurc": self.aurc, "levels": [vars(self.level(percent)) for percent in LEVELS]}


def coverage(probabilities: NDArray[np.floating], labels: NDArray[np.int64]) -> Coverage:
    """Sort predictions [N, C], N ≥ 1, by their top probability; equal ones are answered together."""
    confidence = probabilities.max(axis=1).astype(np.float64)
    order = np.argsort(-confidence, kind="stable")
    right = np.cumsum((probabilities.argmax(axis=1) == labels)[order], dtype=np.int64)
    falling = confidence[order]
    last = np.flatnonzero(np.append(np.diff(falling) != 0, True))
    return Coverage(falling[last], last + 1, right[last])
