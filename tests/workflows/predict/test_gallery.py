from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fercli.workflows.predict.gallery import Choice, Shown

confidences = st.lists(st.sampled_from([0.2, 0.4, 0.5, 0.9, 1.0]), max_size=60)


def offered(confidences, room=3, seed="happy"):
    choice = Choice(room, seed)
    for number, confidence in enumerate(confidences):
        choice.offer(confidence, lambda n=number, c=confidence: Shown(b"", "a.jpg", n, c))
    return choice


@given(confidences)
def test_the_surest_and_least_sure_are_those_of_all_faces_the_first_of_equals_first(confidences):
    choice = offered(confidences)
    faces = [Shown(b"", "a.jpg", number, confidence) for number, confidence in enumerate(confidences)]
    assert choice.faces == len(faces)
    assert choice.surest() == sorted(faces, key=lambda face: -face.confidence)[:3]
    assert choice.least_sure() == sorted(faces, key=lambda face: face.confidence)[:3]


@given(confidences)
def test_few_faces_are_all_kept_and_of_many_some(confidences):
    choice = offered(confidences)
    if len(confidences) <= 9:
        assert [face.confidence for face in choice.all()] == sorted(confidences, reverse=True)
        assert {face.number for face in choice.all()} == set(range(len(confidences)))
    else:
        assert choice.all() is None
        drawn = choice.at_random()
        assert len({face.number for face in drawn}) == 3
        assert all(face.confidence == confidences[face.number] for face in drawn)


def test_the_draw_is_even_and_repeats_itself():
    drawn = Counter()
    for seed in range(600):
        drawn.update(face.number for face in offered([0.5] * 30, seed=str(seed)).at_random())
    # 600 draws of 3 from 30: 60 each, give or take 7.5
    assert sorted(drawn) == list(range(30))
    assert min(drawn.values()) > 30
    assert max(drawn.values()) < 90
    assert offered([0.5] * 30).at_random() == offered([0.5] * 30).at_random()


def test_only_what_is_kept_is_made():
    made = []
    choice = Choice(2, "sad")
    for number in range(2000):
        choice.offer(0.5, lambda n=number: made.append(n) or Shown(b"", "a.jpg", n, 0.5))
    assert len(made) == len(set(made)) < 100
    kept = [len(part) for part in (choice.surest(), choice.at_random(), choice.least_sure())]
    assert kept == pytest.approx([2, 2, 2])
