"""Figures of repeated cross-validation: one confusion matrix a run, then mean and deviation over the runs; and tests of
whether two classifiers differ, over folds (corrected resampled t) or faces (McNemar, paired difference).

Follows Li & Lima 2021 (doi 10.1016/j.ijcce.2021.02.002): the test matrices of a run's folds are added up, so every
face counts once; sensitivity and overall accuracy are taken of that sum; tables give each run, then the mean and the
sample standard deviation over the runs.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray


@dataclass(frozen=True)
class Spread:
    """Mean and sample standard deviation (n - 1), in the unit of what was measured.

    The deviation is NaN for a single value; both are for none.
    """

    mean: float
    sd: float

    def percent(self) -> str:
        """In percent, as the papers print it: '95.39 ± 1.41', or the mean alone where there is one value."""
        mean = percent(self.mean)
        return mean if math.isnan(self.sd) else f"{mean} ± {percent(self.sd)}"


def spread(values: ArrayLike) -> Spread:
    """Mean and sample standard deviation of values [N] of any unit; NaN among them makes both NaN."""
    array = np.asarray(values, dtype=np.float64)
    mean = float(array.mean()) if array.size else math.nan
    return Spread(mean, float(array.std(ddof=1)) if array.size > 1 else math.nan)


def half_up(value: float, digits: int = 2) -> str:
    """A number to so many decimal places, halves away from zero as the papers' tables have them: 0.125 is '0.13'.

    Python's own formatting rounds the binary fraction, and exact halves to even. What arithmetic leaves in the tenth
    decimal is rounding error. '–' for NaN.
    """
    if math.isnan(value):
        return "–"
    return str(Decimal(repr(round(float(value), 9))).quantize(Decimal(1).scaleb(-digits), rounding=ROUND_HALF_UP))


def percent(fraction: float) -> str:
    """A fraction of 0 to 1 in percent with two decimals, without the sign: '95.39'; '–' for NaN."""
    return half_up(100 * fraction)


@dataclass(frozen=True)
class RepeatedScores:
    """What R runs of a cross-validation measured, over C classes. Fractions run from 0 to 1.

    sensitivity [R, C]: M[t, t] / Σ_i M[t, i], NaN for a class without faces; accuracy [R]: trace / sum;
    confusion [R, C, C]: faces, rows true, columns predicted.
    """

    classes: tuple[str, ...]
    sensitivity: NDArray[np.float64]
    accuracy: NDArray[np.float64]
    confusion: NDArray[np.int64]

    @property
    def total(self) -> NDArray[np.int64]:
        """The matrix [C, C] summed over all runs."""
        summed: NDArray[np.int64] = self.confusion.sum(axis=0)
        return summed

    @property
    def class_spreads(self) -> tuple[Spread, ...]:
        """Mean and deviation of each class' sensitivity over the runs."""
        return tuple(spread(column) for column in self.sensitivity.T)

    @property
    def accuracy_spread(self) -> Spread:
        """Mean and deviation of the overall accuracy over the runs."""
        return spread(self.accuracy)

    def to_dict(self) -> dict[str, Any]:
        """As JSON takes it, NaN as None."""
        classes = zip(self.classes, self.sensitivity.T.tolist(), self.class_spreads, strict=True)
        return {
            "accuracy": {"runs": self.accuracy.tolist(), **_plain(self.accuracy_spread)},
            "sensitivity": {
                name: {"runs": [_number(value) for value in runs], **_plain(over)} for name, runs, over in classes
            },
            "confusion": self.total.tolist(),
            "confusion_by_run": self.confusion.tolist(),
        }


def repeated_scores(confusion: ArrayLike, classes: Sequence[str]) -> RepeatedScores:
    """Sensitivities and accuracies of each run from its matrix: confusion [R, C, C], R ≥ 1, faces in every run.

    Raises ValueError where the matrices do not fit the class names.
    """
    matrices = np.asarray(confusion, dtype=np.int64)
    if matrices.ndim != 3 or matrices.shape[1:] != (len(classes), len(classes)):
        raise ValueError(f"matrices {matrices.shape} for {len(classes)} classes")
    right, faces = matrices.diagonal(axis1=1, axis2=2), matrices.sum(axis=2)
    sensitivity = np.where(faces > 0, right / np.maximum(faces, 1), np.nan)
    return RepeatedScores(tuple(classes), sensitivity, right.sum(axis=1) / faces.sum(axis=1), matrices)


def _plain(over: Spread) -> dict[str, float | None]:
    return {"mean": _number(over.mean), "sd": _number(over.sd)}


def _number(value: float) -> float | None:
    """JSON knows no NaN."""
    return None if math.isnan(value) else value


@dataclass(frozen=True)
class Interval:
    """A mean with its 95 % interval; `p` is the two-sided probability of a mean as far from 0 by chance.

    Without two folds there is nothing to tell how far they differ: low, high and p are NaN.
    """

    mean: float
    low: float
    high: float
    p: float


def corrected_t(values: ArrayLike, test_fraction: float) -> Interval:
    """The corrected resampled t of one value a fold [J], e.g. the difference of two networks' accuracies on each.

    `test_fraction` is test faces / training faces of a fold. Training sets of folds overlap, so the plain variance of
    the mean, s²/J, is too small; s² · (1/J + test_fraction) with J - 1 degrees of freedom is used instead.
    Source: Nadeau & Bengio 2003, Machine Learning 52, 239–281; for repeated cross-validation Bouckaert & Frank 2004.
    """
    from scipy.stats import t

    array = np.asarray(values, dtype=np.float64)
    mean = float(array.mean())
    if len(array) < 2:
        return Interval(mean, math.nan, math.nan, math.nan)
    error = math.sqrt(float(array.var(ddof=1)) * (1 / len(array) + test_fraction))
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
