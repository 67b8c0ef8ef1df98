"""Which labels a network contradicts that has not learned from them: confident learning.

Source: Northcutt, Jiang & Chuang 2021, arXiv 1911.00068.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Suspects:
    """Faces whose labels are contradicted, the worst first: `faces` [K] are places, `labels` [K] what the network
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
