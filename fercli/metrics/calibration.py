"""Confidence that means what it says: probabilities from logits, one temperature, reliability by bins.

Also the labels that a confident network contradicts.

Follows Guo, Pleiss, Sun and Weinberger 2017, 'On Calibration of Modern Neural Networks' (arXiv 1706.04599), and
Northcutt, Jiang & Chuang 2021, 'Confident Learning' (arXiv 1911.00068).
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fercli.core.errors import ModelError

#: A fitted temperature lies between these.
LOWEST, HIGHEST = 0.05, 20.0


def softmax(logits: NDArray[np.floating], temperature: float = 1.0) -> NDArray[np.float64]:
    """Logits [N, C] of any size, divided by a temperature > 0, to probabilities [N, C] whose rows sum to 1.

    Raises ModelError where a logit is not finite: the network itself is broken.
    """
    if not np.isfinite(logits).all():
        raise ModelError("the network's output is not finite, so its training diverged; train again with a lower --lr")
    scaled = logits.astype(np.float64) / temperature
    powers = np.exp(scaled - scaled.max(axis=1, keepdims=True))
    probabilities: NDArray[np.float64] = powers / powers.sum(axis=1, keepdims=True)
    return probabilities


def fit_temperature(logits: NDArray[np.floating], labels: NDArray[np.int64]) -> float:
    """The temperature in [LOWEST, HIGHEST] at which validation logits [N, C] have the least log loss.

    The log loss has one valley along the temperature, so a bounded search finds it. Where the valley has no
    floor within, the answer is the end that it falls to: HIGHEST where the logits say less than nothing. Where every
    face is right it is 1: any sharpening would help, and nothing was learnt of how often the network errs.
    """
    from scipy.optimize import minimize_scalar
    from scipy.special import log_softmax

    if not len(labels):
        raise ValueError("no validation faces to fit a temperature to")
    if (logits.argmax(axis=1) == labels).all():
        return 1.0
    exact, faces = logits.astype(np.float64), np.arange(len(labels))

    def loss(log_temperature: float) -> float:
        return -float(log_softmax(exact / math.exp(log_temperature), axis=1)[faces, labels].mean())

    ends = (math.log(LOWEST), math.log(HIGHEST))
    # the search comes near the ends and never to them
    inside = minimize_scalar(loss, bounds=ends, method="bounded").x
    best = min((inside, *ends), key=loss)
    return {ends[0]: LOWEST, ends[1]: HIGHEST}.get(best, math.exp(best))


@dataclass(frozen=True)
class Reliability:
    """Confidence against accuracy, by bins (k/B, (k+1)/B] of the top probability. Empty bins hold zeros.

    count [B] int64 faces; confidence [B] their mean top probability; accuracy [B] the fraction that is right.
    """

    count: NDArray[np.int64]
    confidence: NDArray[np.float64]
    accuracy: NDArray[np.float64]

    @property
    def error(self) -> float:
        """The expected calibration error, 0 to 1: |accuracy - confidence|, each bin weighing by its faces."""
        return float(np.average(np.abs(self.accuracy - self.confidence), weights=self.count))


def reliability(probabilities: NDArray[np.floating], labels: NDArray[np.int64], bins: int = 15) -> Reliability:
    """Sort predictions [N, C], N ≥ 1, into equal-width bins of their top probability."""
    confidence = probabilities.max(axis=1).astype(np.float64)
    right = probabilities.argmax(axis=1) == labels
    bin_index = np.digitize(confidence, np.linspace(0, 1, bins + 1)[1:-1], right=True)
    count = np.bincount(bin_index, minlength=bins)
    divisor = np.maximum(count, 1)
    return Reliability(
        count,
        np.bincount(bin_index, weights=confidence, minlength=bins) / divisor,
        np.bincount(bin_index, weights=right, minlength=bins) / divisor,
    )


@dataclass(frozen=True)
class Suspects:
    """Faces whose labels are contradicted, the worst first: `faces` [K] are indices, `labels` [K] what the network
    takes them for, `margins` [K] by how much it prefers that, from 0 to 1."""

    faces: NDArray[np.int64]
    labels: NDArray[np.int64]
    margins: NDArray[np.float64]


def suspects(probabilities: NDArray[np.floating], labels: NDArray[np.int64]) -> Suspects:
    """The labels [N] that out-of-fold probabilities [N, C] confidently contradict.

    A face is confidently of a class when its probability reaches the mean that faces labelled so have: a class that
    the network is never sure of asks for less. It is a suspect when the likeliest such class is not its label.
    """
    rows = np.asarray(probabilities, np.float64)
    counts = np.bincount(labels, minlength=rows.shape[1])
    own = rows[np.arange(len(labels)), labels]
    means = np.bincount(labels, weights=own, minlength=rows.shape[1])
    # of a class without faces nothing can be confident
    thresholds = np.where(counts > 0, means / np.maximum(counts, 1), np.inf)
    confident = np.where(rows >= thresholds, rows, -1.0)
    taken_for = confident.argmax(axis=1)
    doubtful = np.flatnonzero((confident.max(axis=1) >= 0) & (taken_for != labels))
    margins = rows[doubtful, taken_for[doubtful]] - own[doubtful]
    order = np.lexsort((doubtful, -margins))
    return Suspects(doubtful[order], taken_for[doubtful][order].astype(np.int64), margins[order])
