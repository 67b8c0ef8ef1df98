"""Intervals and tests for figures whose folds share training data, and for two classifiers on the same faces."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray


@dataclass(frozen=True)
class Interval:
    """A mean with its 95 % interval; `p` is the two-sided probability of a mean as far from 0 by chance.

    Without two folds there is nothing to tell how far they differ: low, high and p are NaN.
    """

    mean: float
    low: float
    high: float
    p: float


def corrected_t(values: ArrayLike, test_share: float) -> Interval:
    """The corrected resampled t of one value a fold [J], e.g. the difference of two networks' accuracies on each.

    `test_share` is test faces / training faces of a fold. Training sets of folds overlap, so the plain variance of
    the mean, s²/J, is too small; s² · (1/J + test_share) with J - 1 degrees of freedom is used instead.
    Source: Nadeau & Bengio 2003, Machine Learning 52, 239–281; for repeated cross-validation Bouckaert & Frank 2004.
    """
    from scipy.stats import t

    array = np.asarray(values, dtype=np.float64)
    mean = float(array.mean())
    if len(array) < 2:
        return Interval(mean, math.nan, math.nan, math.nan)
    error = math.sqrt(float(array.var(ddof=1)) * (1 / len(array) + test_share))
    if error == 0:  # all folds alike
        return Interval(mean, mean, mean, 1.0 if mean == 0 else 0.0)
    reach = float(t.ppf(0.975, len(array) - 1)) * error
    return Interval(mean, mean - reach, mean + reach, float(2 * t.sf(abs(mean) / error, len(array) - 1)))


@dataclass(frozen=True)
class McNemar:
    """Faces that only the first classifier had right, that only the second had, and the two-sided exact `p`."""

    first_only: int
    second_only: int
    p: float


def mcnemar(first_right: NDArray[np.bool_], second_right: NDArray[np.bool_]) -> McNemar:
    """McNemar's exact test of two classifiers on the same faces [N], each of which counts once: within one run.

    Source: McNemar 1947, Psychometrika 12, 153–157; the binomial form.
    """
    from scipy.stats import binomtest

    first, second = int((first_right & ~second_right).sum()), int((second_right & ~first_right).sum())
    p = float(binomtest(first, first + second).pvalue) if first + second else 1.0
    return McNemar(first, second, p)


def paired_difference(first_right: NDArray[np.bool_], second_right: NDArray[np.bool_]) -> Interval:
    """The accuracy of the second less that of the first on the same faces [N], N ≥ 1, with McNemar's p.

    The interval is Wald's after one face more is counted for each of the two alone, which holds 95 % for few faces
    too. Source: Bonett & Price 2012, Journal of Educational and Behavioral Statistics 37, 479–488.
    """
    found, faces = mcnemar(first_right, second_right), len(first_right)
    lost, won = (found.first_only + 1) / (faces + 2), (found.second_only + 1) / (faces + 2)
    # the normal distribution's 97.5 % point
    reach = 1.959964 * math.sqrt((lost + won - (won - lost) ** 2) / (faces + 2))
    low, high = max(-1.0, won - lost - reach), min(1.0, won - lost + reach)
    return Interval((found.second_only - found.first_only) / faces, low, high, found.p)
