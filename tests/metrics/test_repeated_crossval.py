"""Aggregation over runs, held against the two papers' own tables."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fercli.metrics.repeated_crossval import half_up, percent, repeated_scores, spread

CLASSES = ("angry", "disgust", "fear", "happy", "neutral", "sad", "surprise")

#: Sensitivities of ten runs in percent and overall accuracy, then the papers' last rows.
#: Li & Lima 2021 (doi 10.1016/j.ijcce.2021.02.002), ResNet-50.
RESNET50 = (
    ((92, 95, 94, 97, 94, 85, 96), "93.29"),
    ((97, 98, 99, 99, 99, 98, 99), "98.43"),
    ((99, 90, 94, 92, 99, 98, 98), "95.71"),
    ((97, 92, 97, 96, 96, 95, 95), "95.43"),
    ((94, 96, 95, 97, 96, 90, 93), "94.43"),
    ((95, 95, 95, 98, 97, 96, 96), "96.00"),
    ((97, 94, 96, 93, 98, 94, 93), "95.00"),
    ((97, 94, 95, 92, 94, 95, 97), "94.86"),
    ((92, 95, 93, 99, 96, 92, 93), "94.29"),
    ((95, 96, 99, 96, 95, 98, 96), "96.43"),
)
RESNET50_LAST = (
    ("95.50 ± 2.32", "94.50 ± 2.22", "95.70 ± 2.06", "95.90 ± 2.69", "96.40 ± 1.84", "94.10 ± 4.15", "95.60 ± 2.12"),
    "95.39 ± 1.41",
)
#: Li 2021 (EAI 8-4-2021.169180), ResNet-101 with transfer learning.
RESNET101 = (
    ((96, 98, 98, 96, 98, 93, 98), "96.71"),
    ((96, 93, 99, 94, 96, 96, 98), "96.00"),
    ((97, 96, 94, 93, 98, 96, 97), "95.86"),
    ((92, 97, 96, 96, 97, 96, 97), "95.86"),
    ((98, 94, 96, 98, 96, 98, 96), "96.57"),
    ((97, 96, 98, 96, 97, 95, 97), "96.57"),
    ((98, 97, 99, 98, 95, 98, 95), "97.14"),
    ((85, 95, 98, 97, 96, 93, 98), "94.57"),
    ((97, 97, 98, 94, 97, 95, 96), "96.29"),
    ((97, 98, 99, 96, 95, 98, 98), "97.29"),
)
RESNET101_LAST = (
    ("95.30 ± 4.00", "96.10 ± 1.66", "97.50 ± 1.65", "95.80 ± 1.69", "96.50 ± 1.08", "95.80 ± 1.87", "97.00 ± 1.05"),
    "96.29 ± 0.78",
)


def matrix(right):
    """A run's matrix with 100 faces a class, so many of them right and the others taken for the next class."""
    counts = np.diag(right)
    for row, number in enumerate(right):
        counts[row, (row + 1) % len(right)] += 100 - number
    return counts


@pytest.mark.parametrize(("runs", "last"), [(RESNET50, RESNET50_LAST), (RESNET101, RESNET101_LAST)])
def test_the_papers_runs_give_their_last_rows(runs, last):
    scores = repeated_scores([matrix(right) for right, _ in runs], CLASSES)
    assert [percent(accuracy) for accuracy in scores.accuracy] == [accuracy for _, accuracy in runs]
    assert tuple(over.percent() for over in scores.class_spreads) == last[0]
    assert scores.accuracy_spread.percent() == last[1]
    assert (scores.total.sum(axis=1) == 1000).all()
    # so do the accuracies as the papers print them, rounded before they are averaged
    assert spread([float(accuracy) / 100 for _, accuracy in runs]).percent() == last[1]


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [
        (0.125, 2, "0.13"), (0.135, 2, "0.14"), (2.675, 2, "2.68"), (-0.125, 2, "-0.13"), (95, 2, "95.00"),
        (0.1 + 0.2, 1, "0.3"), (1.005, 2, "1.01"), (99.995, 2, "100.00"), (2.5, 0, "3"), (math.nan, 2, "–"),
        (1e-12, 2, "0.00"),
    ],
)  # fmt: skip
def test_halves_go_up(value, digits, text):
    assert half_up(value, digits) == text


@given(st.integers(-(10**7), 10**7))
def test_halves_go_up_wherever_they_are(thousandths):
    expected = (abs(thousandths) + 5) // 10 * (-1 if thousandths < 0 else 1)
    assert float(half_up(thousandths / 1000)) == pytest.approx(expected / 100, abs=1e-9)


def test_one_run_has_no_deviation():
    scores = repeated_scores([[[3, 1], [0, 4]]], ("a", "b"))
    assert math.isnan(scores.accuracy_spread.sd)
    assert scores.accuracy_spread.percent() == "87.50"
    assert scores.to_dict()["accuracy"] == {"runs": [0.875], "mean": 0.875, "sd": None}


def test_a_class_without_faces_has_no_sensitivity():
    scores = repeated_scores([[[3, 1], [0, 0]], [[4, 0], [0, 0]]], ("a", "b"))
    assert np.isnan(scores.sensitivity[:, 1]).all()
    assert scores.class_spreads[1].percent() == "–"
    assert scores.to_dict()["sensitivity"]["b"] == {"runs": [None, None], "mean": None, "sd": None}
    assert scores.accuracy.tolist() == [0.75, 1]


def test_matrices_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="for 3 classes"):
        repeated_scores([[[1, 0], [0, 1]]], ("a", "b", "c"))
