import numpy as np
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import special

from fercli.core.errors import ModelError
from fercli.metrics.calibration import HIGHEST, LOWEST, fit_temperature, reliability, softmax

# steps of a quarter, so that no two logits are equal but for rounding
logit_arrays = arrays(np.float64, (6, 5), elements=st.integers(-400, 400).map(lambda step: step / 4))
temperatures = st.floats(LOWEST, HIGHEST)


def log_loss(logits, labels, temperature):
    return -special.log_softmax(logits / temperature, axis=1)[np.arange(len(labels)), labels].mean()


def noisy(seed, faces=4000, classes=7):
    """Logits whose softmax is the true chance of each label, and labels drawn by that chance."""
    draw = np.random.default_rng(seed)
    logits = 1.5 * draw.normal(size=(faces, classes))
    chances = softmax(logits).cumsum(axis=1)
    labels = (draw.random((faces, 1)) > chances).sum(axis=1).clip(max=classes - 1)
    return logits, labels


@settings(deadline=None, max_examples=50)
@given(logit_arrays, temperatures)
def test_softmax_is_the_definition_and_keeps_the_winner(logits, temperature):
    got = softmax(logits, temperature)
    assert got.dtype == np.float64
    assert np.allclose(got, special.softmax(logits / temperature, axis=1), rtol=1e-12, atol=1e-300)
    assert np.allclose(got.sum(axis=1), 1, rtol=0, atol=1e-15)
    assert np.array_equal(got.argmax(axis=1), logits.argmax(axis=1))


def test_softmax_of_huge_float32_logits_does_not_overflow():
    logits = np.array([[3e38, -3e38, 0.0]], np.float32)
    assert softmax(logits, LOWEST).tolist() == [[1.0, 0.0, 0.0]]


def test_a_higher_temperature_is_less_sure():
    logits, _ = noisy(0, 50)
    sure = [softmax(logits, temperature).max(axis=1) for temperature in (0.5, 1, 2)]
    assert (sure[0] > sure[1]).all()
    assert (sure[1] > sure[2]).all()


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_broken_networks_are_named(bad):
    with pytest.raises(ModelError, match=r"not finite.*lower --lr"):
        softmax(np.array([[0.0, bad]]))


@pytest.mark.parametrize("true", [0.3, 1.0, 2.5, 8.0])
def test_a_known_temperature_is_found_again(true):
    logits, labels = noisy(1, faces=20_000)
    assert fit_temperature((true * logits).astype(np.float32), labels) == pytest.approx(true, rel=0.03)


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 2**32 - 1), temperatures)
@example(2**32 - 1, 0.0546875)  # whose least lies at the end of the range
def test_no_other_temperature_has_less_loss(seed, scale):
    logits, labels = noisy(seed, faces=60)
    assume((logits.argmax(axis=1) != labels).any())
    found = fit_temperature(scale * logits, labels)
    assert LOWEST <= found <= HIGHEST
    least = min(log_loss(scale * logits, labels, other) for other in np.geomspace(LOWEST, HIGHEST, 80))
    assert log_loss(scale * logits, labels, found) <= least + 1e-6


def test_fitting_mends_overconfidence_and_repeats_itself():
    logits, labels = noisy(2)
    found = fit_temperature(4 * logits, labels)
    before = reliability(softmax(4 * logits), labels).error
    after = reliability(softmax(4 * logits, found), labels).error
    assert after < 0.03 < 0.2 < before
    assert fit_temperature(4 * logits, labels) == found


def test_temperatures_without_a_best_are_one_or_the_highest():
    labels = np.arange(5)
    assert fit_temperature(np.eye(5), labels) == 1
    assert fit_temperature(100 * np.eye(5), labels) == 1
    assert fit_temperature(-np.eye(5), labels) == pytest.approx(HIGHEST, rel=1e-3)


def test_labels_of_one_class_alone_can_be_fitted():
    logits, labels = noisy(3, 300)
    assert LOWEST < fit_temperature(logits, np.zeros_like(labels)) <= HIGHEST


def test_nothing_to_fit_to():
    with pytest.raises(ValueError, match="no validation faces"):
        fit_temperature(np.empty((0, 7)), np.empty(0, np.int64))


def guo(probabilities, labels, bins):
    """Equation 3 of the paper, bin by bin: bin m holds confidences in ((m - 1)/M, m/M]."""
    confidence, right = probabilities.max(axis=1), probabilities.argmax(axis=1) == labels
    total = 0.0
    for m in range(1, bins + 1):
        inside = (confidence > (m - 1) / bins) & (confidence <= m / bins)
        if inside.any():
            gap = abs(right[inside].mean() - confidence[inside].mean())
            total += inside.sum() / len(labels) * gap
    return total


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 2**32 - 1), st.integers(1, 30))
def test_the_error_is_the_papers(seed, bins):
    logits, labels = noisy(seed, 120)
    probabilities = softmax(logits)
    got = reliability(probabilities, labels, bins)
    assert got.count.sum() == 120
    assert len(got.count) == len(got.confidence) == len(got.accuracy) == bins
    assert got.error == pytest.approx(guo(probabilities, labels, bins), abs=1e-12)


def test_bins_hold_their_upper_edge_and_may_be_empty():
    probabilities = np.array([[0.5, 0.5], [0.75, 0.25], [0.7501, 0.2499], [0.0, 1.0]])
    got = reliability(probabilities, np.array([0, 1, 0, 1]), bins=4)
    assert got.count.tolist() == [0, 1, 1, 2]
    assert got.confidence.tolist() == pytest.approx([0, 0.5, 0.75, 0.87505])
    assert got.accuracy.tolist() == [0, 1, 0, 1]
