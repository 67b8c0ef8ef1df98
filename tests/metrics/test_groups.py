"""Groups: their figures, and differences that are told from chance."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chi2_contingency

from fercli.metrics.groups import _correct, faces_needed, score_groups
from fercli.metrics.scores import score


def predict(labels, right, classes=3):
    """Probabilities that are right where it says."""
    predicted = np.where(right, labels, (labels + 1) % classes)
    return np.where(np.arange(classes) == predicted[:, None], 0.8, 0.2 / (classes - 1))


def measure(labels, right, groups):
    labels = np.asarray(labels)
    return {row.group: row for row in score_groups(predict(labels, np.asarray(right)), labels, groups)}


def test_a_group_has_the_figures_of_its_faces_alone():
    rng = np.random.default_rng(0)
    labels, groups = rng.integers(0, 3, 300), rng.choice(["a", "b", ""], 300)
    right = rng.random(300) < 0.7
    rows = measure(labels, right, groups.tolist())
    assert list(rows) == ["a", "b", ""]
    for name, row in rows.items():
        own = groups == name
        expected = score(predict(labels, right)[own], labels[own], ("x", "y", "z"))
        assert row.faces == own.sum()
        assert row.accuracy == expected.accuracy
        assert row.accuracy_interval == expected.accuracy_interval
        assert row.macro_recall == pytest.approx(expected.balanced_accuracy)
        assert row.calibration_error == pytest.approx(expected.calibration_error)
        assert row.macro_recall_interval[0] < row.macro_recall < row.macro_recall_interval[1]
    assert rows[""].difference is None


def test_more_faces_of_an_easy_class_are_no_difference():
    """Both groups are right in 95 % of class 0 and 40 % of class 1; one has mostly class 0."""
    labels = [0] * 400 + [1] * 100 + [0] * 100 + [1] * 400
    right = [True] * 380 + [False] * 20 + [True] * 40 + [False] * 60
    right += [True] * 95 + [False] * 5 + [True] * 160 + [False] * 240
    rows = measure(labels, right, ["a"] * 500 + ["b"] * 500)
    assert rows["a"].accuracy - rows["b"].accuracy > 0.3
    assert rows["a"].difference.mean == pytest.approx(0)
    assert rows["a"].difference.p == 1


def test_a_real_difference_is_found_with_its_size():
    rng = np.random.default_rng(1)
    labels = rng.integers(0, 3, 2000)
    groups = rng.choice(["a", "b", "c"], 2000)
    right = rng.random(2000) < np.where(groups == "c", 0.6, 0.8)
    rows = measure(labels, right, groups.tolist())
    assert rows["c"].difference.p < 0.001
    assert rows["c"].difference.low < -0.2 < rows["c"].difference.high
    assert rows["a"].difference.mean > 0


def test_chance_alone_is_seldom_a_difference():
    found = 0
    for seed in range(200):
        rng = np.random.default_rng(seed)
        labels, groups = rng.integers(0, 3, 200), rng.choice(list("abcd"), 200)
        rows = measure(labels, rng.random(200) < 0.7, groups.tolist())
        found += any(row.difference.p < 0.05 for row in rows.values())
    assert found <= 20  # 5 % of 200, and three standard deviations


def test_with_one_class_and_two_groups_it_is_the_chi_square_test():
    right = [True] * 30 + [False] * 20 + [True] * 45 + [False] * 10
    rows = measure([0] * 105, right, ["a"] * 50 + ["b"] * 55)
    statistic = chi2_contingency([[30, 20], [45, 10]], correction=False).statistic
    from scipy.stats import chi2

    single = chi2.sf(statistic * 104 / 105, 1)
    assert rows["a"].difference.p == rows["b"].difference.p == pytest.approx(single), "two groups: one comparison"
    three = measure([0] * 205, [*right, *[True] * 80, *[False] * 20], ["a"] * 50 + ["b"] * 55 + ["c"] * 100)
    assert [row.difference.p for row in three.values()] != [single] * 3
    assert rows["b"].difference.mean == pytest.approx(45 / 55 - 30 / 50)


def test_small_groups_and_those_without_a_class_in_common_are_not_compared():
    rows = measure([0] * 30 + [1] * 30, [True] * 60, ["a"] * 21 + ["b"] * 9 + ["c"] * 30)
    assert rows["b"].difference is None
    assert rows["c"].difference is None
    assert rows["a"].difference.p == 1  # everything is right


def test_holm_s_correction():
    assert _correct({"a": 0.01, "b": 0.04, "c": 0.03}) == pytest.approx({"a": 0.03, "c": 0.06, "b": 0.06})
    assert _correct({"a": 0.9, "b": 0.8}) == {"b": 1.0, "a": 1.0}
    assert _correct({}) == {}


def test_how_many_faces_tell_five_points():
    assert faces_needed(0.86) == 379
    assert faces_needed(0.5) == 785
    assert faces_needed(0.5, 0.1) == 197


@settings(max_examples=50)
@given(st.lists(st.tuples(st.integers(0, 2), st.booleans(), st.sampled_from(["a", "b", ""])), min_size=1, max_size=60))
def test_figures_stay_in_their_ranges(faces):
    labels, right, groups = map(list, zip(*faces, strict=True))
    rows = measure(labels, right, groups)
    assert sum(row.faces for row in rows.values()) == len(faces)
    for row in rows.values():
        assert 0 <= row.macro_recall_interval[0] <= row.macro_recall_interval[1] <= 1
        if row.difference:
            assert -1 <= row.difference.low <= row.difference.mean <= row.difference.high <= 1
            assert 0 <= row.difference.p <= 1
