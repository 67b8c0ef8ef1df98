from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fercli.faces.detection import Detection
from fercli.faces.io.pictures import Picture
from fercli.faces.io.sources import Source
from fercli.workflows.predict.results import FacePrediction, PictureResult, Predicted, face_prediction
from fercli.workflows.predict.smoothing import smoothing

CLASSES = ("happy", "sad", "neutral")
DETECTION = Detection((0, 0, 9, 9), ((0, 0),) * 5, 1.0)


def face(track, *shares):
    return replace(face_prediction(track, DETECTION, dict(zip(CLASSES, shares, strict=True))), track=track)


def frame(name, time, *faces: FacePrediction):
    path = Path(name)
    number = None if time is None else round(1000 * time)
    result = PictureResult(path, "ok" if faces else "no face", "", faces, number, time)
    return Predicted(Picture(Source(path, path), None, "", number, time), result)


def test_a_window_reaches_half_its_width_to_both_sides():
    happy = [1.0, 0.0, 0.5, 0.2, 0.9]
    frames = [frame("a.mp4", 0.2 * i, face(1, h, 1 - h, 0.0)) for i, h in enumerate(happy)]
    means = [one.result.faces[0].probabilities["happy"] for one in smoothing(frames, 0.4)]
    assert means == [0.5, 0.5, round(0.7 / 3, 6), round(1.6 / 3, 6), 0.55]


def test_a_single_odd_frame_no_longer_changes_the_label():
    shares = [(0.8, 0.1, 0.1)] * 3 + [(0.1, 0.8, 0.1)] + [(0.8, 0.1, 0.1)] * 3
    frames = [frame("a.mp4", 0.1 * i, face(1, *s)) for i, s in enumerate(shares)]
    (odd,) = list(smoothing(frames, 0.3))[3].result.faces
    assert (odd.label, odd.confidence) == ("happy", odd.probabilities["happy"])
    assert list(odd.probabilities) == list(CLASSES)


def test_people_and_videos_do_not_mix_and_pictures_pass():
    stages = [
        frame("a.mp4", 0.0, face(1, 1, 0, 0), face(2, 0, 1, 0)),
        frame("a.mp4", 0.1, face(2, 0, 1, 0), face(1, 1, 0, 0)),
        frame("b.mp4", 0.0, face(1, 0, 0, 1)),
        frame("c.png", None, replace(face(1, 0.5, 0.5, 0), track=None)),
        frame("b.mp4", 0.1, face(1, 0, 1, 0)),
    ]
    assert list(smoothing(stages, 5.0)) == stages


def test_frames_wait_only_for_half_the_width():
    taken = []

    def frames():
        for number in range(1000):
            taken.append(number)
            yield frame("a.mp4", 0.1 * number, face(1, 1, 0, 0))

    smooth = smoothing(frames(), 1.0)
    for number in range(20):
        assert next(smooth).result.frame == 100 * number
        assert len(taken) <= number + 1 + 5 + 1


shares = st.lists(st.floats(0.01, 1), min_size=3, max_size=3).map(lambda s: [v / sum(s) for v in s])
looks = st.lists(st.tuples(st.integers(1, 400), st.dictionaries(st.integers(1, 3), shares, max_size=3)), max_size=12)


@settings(deadline=None)
@given(looks, st.sampled_from([0.05, 0.3, 1.0, 5.0]))
def test_every_probability_is_the_plain_mean_over_the_window(steps, width):
    time, frames = 0, []
    for step, faces in steps:
        time += step
        frames.append(frame("a.mp4", time / 1000, *(face(track, *s) for track, s in faces.items())))
    done = list(smoothing(frames, width))
    assert [one.result.frame for one in done] == [one.result.frame for one in frames]
    for one, before in zip(done, frames, strict=True):
        for found in one.result.faces:
            near = [
                other.probabilities
                for look in frames
                for other in look.result.faces
                if other.track == found.track and abs(look.result.frame - before.result.frame) <= 500 * width
            ]
            for name in CLASSES:
                assert found.probabilities[name] == pytest.approx(sum(p[name] for p in near) / len(near), abs=2e-6)
            assert sum(found.probabilities.values()) == pytest.approx(1, abs=1e-5)
            assert found.probabilities[found.label] == max(found.probabilities.values()) == found.confidence
