"""Labels that out-of-fold probabilities contradict."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fercli.metrics.calibration import suspects


def test_wrong_labels_are_found_the_worst_first():
    random = np.random.default_rng(0)
    truth = random.integers(0, 4, 400)
    probabilities = np.full((400, 4), 0.05)
    probabilities[np.arange(400), truth] = 0.85
    probabilities += random.uniform(0, 0.02, probabilities.shape)
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    labels = truth.copy()
    wrong = [7, 50, 333]
    labels[wrong] = (labels[wrong] + 1) % 4
    probabilities[50] = [0.01] * 4
    probabilities[50, truth[50]] = 0.97
    found = suspects(probabilities, labels)
    assert set(found.faces) == set(wrong)
    assert found.faces[0] == 50
    assert (found.labels == truth[found.faces]).all()
    assert found.margins[0] == pytest.approx(0.96)


def test_a_class_the_network_is_never_sure_of_asks_for_less():
    # faces of class 1 get 0.4 at most, so 0.45 is confidently of it; of class 0 they get 0.9
    rows = [[0.9, 0.1]] * 10 + [[0.6, 0.4]] * 10 + [[0.55, 0.45]]
    labels = np.array([0] * 10 + [1] * 10 + [0])
    found = suspects(np.array(rows), labels)
    assert found.faces.tolist() == [20]
    assert found.labels.tolist() == [1]
    assert found.margins[0] < 0


def test_a_network_that_agrees_suspects_nobody():
    assert not len(suspects(np.eye(3)[[0, 1, 2, 0]], np.array([0, 1, 2, 0])).faces)


tables = st.integers(1, 30).flatmap(
    lambda count: st.tuples(
        st.lists(st.lists(st.floats(0.01, 1), min_size=3, max_size=3), min_size=count, max_size=count),
        st.lists(st.integers(0, 2), min_size=count, max_size=count),
    )
)


@given(tables)
def test_against_the_definition(table):
    rows, labels = np.array(table[0]), np.array(table[1])
    rows /= rows.sum(axis=1, keepdims=True)
    means = {label: rows[labels == label, label].mean() for label in set(table[1])}
    expected = set()
    for face, label in enumerate(table[1]):
        sure = {other: rows[face, other] for other, mean in means.items() if rows[face, other] >= mean - 1e-12}
        if sure and max(sure, key=lambda other: (sure[other], -other)) != label:
            expected.add(face)
    found = suspects(rows, labels)
    # a probability that is the mean itself may round to either side
    borderline = {face for face in range(len(labels)) if any(abs(rows[face, o] - m) < 1e-9 for o, m in means.items())}
    assert set(found.faces.tolist()) - borderline == expected - borderline
    assert (np.diff(found.margins) <= 0).all()
