import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics

from fercli.core.errors import DataError
from fercli.core.labels import EXPRESSIONS
from fercli.metrics.calibration import softmax
from fercli.metrics.scores import Averages, score


def predictions(seed, faces, classes=7, labelled=None):
    """Probabilities that lean towards the labels, which come from the first `labelled` classes."""
    draw = np.random.default_rng(seed)
    labels = draw.integers(0, labelled or classes, faces)
    logits = draw.normal(size=(faces, classes))
    logits[np.arange(faces), labels] += 1.5
    return softmax(logits), labels


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 2**32 - 1), st.integers(8, 300), st.integers(2, 9))
def test_agrees_with_scikit_learn_to_the_last_digit(seed, faces, classes):
    probabilities, labels = predictions(seed, faces, classes)
    names = tuple(f"class {i}" for i in range(classes))
    got = score(probabilities, labels, names)
    predicted, indices = probabilities.argmax(axis=1), range(classes)
    report = metrics.classification_report(
        labels, predicted, labels=indices, target_names=names, output_dict=True, zero_division=0
    )
    for row in got.per_class:
        expected = report[row.name]
        assert (row.precision, row.recall, row.f1) == (
            expected["precision"],
            expected["recall"],
            expected["f1-score"],
        )
        assert row.support == expected["support"]
    for average, name in ((got.macro, "macro avg"), (got.weighted, "weighted avg")):
        expected = report[name]
        assert average == Averages(expected["precision"], expected["recall"], expected["f1-score"])
    assert got.accuracy == metrics.accuracy_score(labels, predicted)
    # a mean: older versions of NumPy add its terms in another order
    assert got.log_loss == pytest.approx(metrics.log_loss(labels, probabilities, labels=indices), rel=1e-14)
    assert np.array_equal(got.confusion, metrics.confusion_matrix(labels, predicted, labels=indices))


def test_balanced_accuracy_is_scikit_learns():
    probabilities, labels = predictions(3, 400)
    expected = metrics.balanced_accuracy_score(labels, probabilities.argmax(axis=1))
    assert score(probabilities, labels, EXPRESSIONS).balanced_accuracy == expected


def test_float32_agrees_too_and_warns_of_nothing():
    probabilities, labels = predictions(4, 500)
    single = probabilities.astype(np.float32)
    # before 1.9, scikit-learn adds in single precision
    theirs = metrics.log_loss(labels, single, labels=range(7))
    assert score(single, labels, EXPRESSIONS).log_loss == pytest.approx(theirs, rel=1e-6)
    # wide again, the rows no longer sum to 1 to the last digit, at which scikit-learn would warn
    assert score(single.astype(np.float64), labels, EXPRESSIONS).log_loss == pytest.approx(
        metrics.log_loss(labels, probabilities, labels=range(7)), abs=1e-6
    )


def test_an_example_by_hand():
    probabilities = np.array([[0.7, 0.2, 0.1], [0.4, 0.35, 0.25], [0.1, 0.8, 0.1], [0.6, 0.2, 0.2]])
    got = score(probabilities, np.array([0, 1, 1, 1]), ("a", "b", "c"))
    assert got.confusion == ((1, 0, 0), (2, 1, 0), (0, 0, 0))
    assert got.confusion_fractions == ((1.0, 0.0, 0.0), (2 / 3, 1 / 3, 0.0), (0.0, 0.0, 0.0))
    assert got.accuracy == 0.5
    first, second, third = got.per_class
    assert (first.precision, first.recall, first.f1, first.support) == (1 / 3, 1.0, 0.5, 1)
    assert (second.precision, second.recall, second.f1, second.support) == (1.0, 1 / 3, 0.5, 3)
    assert (third.precision, third.recall, third.f1, third.support) == (0.0, 0.0, 0.0, 0)
    # the third class has no faces: it counts in the macro average, not in the balanced accuracy
    assert got.macro.recall == pytest.approx((1 + 1 / 3) / 3)
    assert got.balanced_accuracy == pytest.approx((1 + 1 / 3) / 2)
    assert got.weighted.precision == pytest.approx((1 / 3 + 3) / 4)
    assert got.log_loss == pytest.approx(-np.log([0.7, 0.35, 0.8, 0.2]).mean())
    # wrong entries: face 1 misses its class; face 3 misses its class and has another above 0.5
    assert got.elementwise_accuracy == 9 / 12
    # every face has a bin of its own: (1 - .7), (.4 - 0), (1 - .8), (.6 - 0)
    assert got.calibration_error == pytest.approx((0.3 + 0.4 + 0.2 + 0.6) / 4)


def test_wilson_interval_of_newcombes_example():
    # Newcombe 1998, Statistics in Medicine 17, table I: 81 of 263
    right = np.arange(263) < 81
    got = score(np.stack([right, ~right], axis=1).astype(float), np.zeros(263, np.int64), ("yes", "no"))
    assert got.accuracy_interval == pytest.approx((0.2553, 0.3662), abs=5e-5)


def test_a_network_that_never_commits_itself_has_six_sevenths_elementwise():
    probabilities, labels = predictions(5, 50)
    timid = softmax(np.log(probabilities), temperature=20)
    assert timid.max() < 0.5
    assert score(timid, labels, EXPRESSIONS).elementwise_accuracy == 300 / 350


def test_one_half_is_not_above_the_threshold():
    got = score(np.array([[0.5, 0.3, 0.2]]), np.array([0]), ("a", "b", "c"))
    assert got.elementwise_accuracy == 2 / 3


@pytest.mark.parametrize(
    ("probabilities", "labels"),
    [
        pytest.param([[0.1, 0.7, 0.2]], [1], id="one face"),
        pytest.param([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]], [1, 0], id="all wrong and sure of it"),
        pytest.param([[1.0, 0.0, 0.0]] * 3, [0, 0, 0], id="all right and sure of it"),
        pytest.param([[0.0, 0.0, 1.0]] * 3, [0, 1, 0], id="a class that is predicted and has no faces"),
    ],
)
def test_extremes_stay_finite_and_survive_json(probabilities, labels):
    got = score(np.array(probabilities), np.array(labels), ("a", "b", "c"))
    document = json.loads(json.dumps(got.to_dict(), allow_nan=False))
    assert document["faces"] == len(labels)
    assert document["per_class"][1] == {**vars(got.per_class[1])}
    assert np.allclose(document["confusion_shares"], got.confusion_fractions)
    low, high = got.accuracy_interval
    assert 0 <= low <= got.accuracy <= high <= 1


def test_all_wrong():
    probabilities, labels = np.array([[1.0, 0.0], [0.0, 1.0]]), np.array([1, 0])
    got = score(probabilities, labels, ("a", "b"))
    assert (got.accuracy, got.balanced_accuracy, got.macro) == (0.0, 0.0, Averages(0.0, 0.0, 0.0))
    assert got.calibration_error == 1.0
    assert got.accuracy_interval[0] == 0.0
    assert got.log_loss == metrics.log_loss(labels, probabilities)


def test_no_faces_is_said():
    with pytest.raises(DataError, match="no faces to measure on"):
        score(np.empty((0, 2)), np.empty(0, np.int64), ("a", "b"))


@pytest.mark.parametrize(
    ("probabilities", "labels"),
    [
        ([[0.5, 0.5]], [0, 1]),
        ([[0.2, 0.3, 0.5]], [0]),
        ([[0.5, 0.5]], [2]),
        ([[0.5, 0.5]], [-1]),
        ([[2.0, -1.0]], [0]),
        ([[3.0, 1.0]], [0]),
        ([[np.nan, 1.0]], [0]),
    ],
)
def test_what_does_not_fit_is_refused(probabilities, labels):
    with pytest.raises(ValueError, match=r"classes|sum to 1"):
        score(np.array(probabilities), np.array(labels), ("a", "b"))
