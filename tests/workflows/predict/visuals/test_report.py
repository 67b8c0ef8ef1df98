from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fercli.workflows.predict.visuals.report import FaceSample, ShownFace

confidences = st.lists(st.sampled_from([0.2, 0.4, 0.5, 0.9, 1.0]), max_size=60)


def offer(confidences, size=3, seed="happy"):
    sample = FaceSample(size, seed)
    for number, confidence in enumerate(confidences):
        sample.offer(confidence, lambda n=number, c=confidence: ShownFace(b"", "a.jpg", n, c))
    return sample


@given(confidences)
def test_the_most_and_least_confident_are_those_of_all_faces_the_first_of_equals_first(confidences):
    sample = offer(confidences)
    faces = [ShownFace(b"", "a.jpg", number, confidence) for number, confidence in enumerate(confidences)]
    assert sample.faces == len(faces)
    assert sample.highest() == sorted(faces, key=lambda face: -face.confidence)[:3]
    assert sample.lowest() == sorted(faces, key=lambda face: face.confidence)[:3]


@given(confidences)
def test_few_faces_are_all_kept_and_of_many_some(confidences):
    sample = offer(confidences)
    if len(confidences) <= 9:
        assert [face.confidence for face in sample.all()] == sorted(confidences, reverse=True)
        assert {face.number for face in sample.all()} == set(range(len(confidences)))
    else:
        assert sample.all() is None
        drawn = sample.draw()
        assert len({face.number for face in drawn}) == 3
        assert all(face.confidence == confidences[face.number] for face in drawn)


def test_the_draw_is_even_and_repeats_itself():
    drawn = Counter()
    for seed in range(600):
        drawn.update(face.number for face in offer([0.5] * 30, seed=str(seed)).draw())
    # 600 draws of 3 from 30: 60 each, give or take 7.5
    assert sorted(drawn) == list(range(30))
    assert min(drawn.values()) > 30
    assert max(drawn.values()) < 90
    assert offer([0.5] * 30).draw() == offer([0.5] * 30).draw()


def test_only_what_is_kept_is_made():
    made = []
    sample = FaceSample(2, "sad")
    for number in range(2000):
        sample.offer(0.5, lambda n=number: made.append(n) or ShownFace(b"", "a.jpg", n, 0.5))
    assert len(made) == len(set(made)) < 100
    kept = [len(part) for part in (sample.highest(), sample.draw(), sample.lowest())]
    assert kept == pytest.approx([2, 2, 2])
