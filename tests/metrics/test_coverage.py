import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fercli.metrics.scores import LEVELS, coverage, wilson

# few different confidences, so that many are equal
faces = st.lists(st.tuples(st.sampled_from([0.5, 0.6, 0.75, 0.9, 1.0]), st.booleans()), min_size=1, max_size=40)


def predictions(pairs):
    """Two classes, the first one always predicted: its probability is the confidence."""
    confidence = np.array([sure for sure, _ in pairs])
    return np.stack([confidence, 1 - confidence], axis=1), np.array([0 if right else 1 for _, right in pairs])


def answered_from(pairs, threshold):
    return [right for sure, right in pairs if sure >= threshold]


@settings(deadline=None)
@given(faces)
def test_every_point_is_what_answering_from_its_threshold_gives(pairs):
    curve = coverage(*predictions(pairs))
    assert curve.threshold.tolist() == sorted({sure for sure, _ in pairs}, reverse=True)
    for threshold, answered, right, fraction, accuracy in zip(
        curve.threshold, curve.answered, curve.right, curve.fraction, curve.accuracy, strict=True
    ):
        naive = answered_from(pairs, threshold)
        assert (answered, right) == (len(naive), sum(naive))
        assert fraction == pytest.approx(len(naive) / len(pairs))
        assert accuracy == pytest.approx(sum(naive) / len(naive))


@settings(deadline=None)
@given(faces)
def test_the_area_is_the_mean_risk_over_every_face_s_threshold(pairs):
    risks = [1 - np.mean(answered_from(pairs, sure)) for sure, _ in pairs]
    assert coverage(*predictions(pairs)).aurc == pytest.approx(np.mean(risks), abs=1e-12)


@settings(deadline=None)
@given(faces, st.integers(1, 100))
def test_a_level_is_the_highest_threshold_that_answers_enough(pairs, percent):
    level = coverage(*predictions(pairs)).level(percent)
    enough = [sure for sure, _ in pairs if 100 * len(answered_from(pairs, sure)) >= percent * len(pairs)]
    naive = answered_from(pairs, max(enough))
    assert (level.threshold, level.faces) == (max(enough), len(naive))
    assert level.accuracy == pytest.approx(np.mean(naive))
    assert level.accuracy_interval == wilson(sum(naive), len(naive))


def test_an_example_by_hand():
    probabilities = np.array([[0.9, 0.1], [0.2, 0.8], [0.7, 0.3], [0.4, 0.6]])
    curve = coverage(probabilities, np.array([0, 1, 1, 1]))
    assert curve.threshold.tolist() == [0.9, 0.8, 0.7, 0.6]
    assert curve.right.tolist() == [1, 2, 2, 3]
    # risks 0, 0, 1/3 and 1/4
    assert curve.aurc == pytest.approx((1 / 3 + 1 / 4) / 4)
    assert (curve.level(50).threshold, curve.level(51).threshold) == (0.8, 0.7)
    assert curve.level(100).fraction == 1


def test_json_has_ten_levels_of_plain_values():
    document = json.loads(json.dumps(coverage(*predictions([(0.5, True), (0.9, False)])).to_dict()))
    assert set(document) == {"aurc", "levels"}
    assert len(document["levels"]) == len(LEVELS)
    assert document["levels"][0] == {
        "threshold": 0.5,
        "faces": 2,
        "share": 1.0,
        "accuracy": 0.5,
        "accuracy_interval": list(wilson(1, 2)),
    }
