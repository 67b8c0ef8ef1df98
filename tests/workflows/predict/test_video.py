from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fercli.faces.detection import Detection
from fercli.faces.io.pictures import Picture
from fercli.faces.io.sources import Source
from fercli.workflows.predict.results import FacePrediction, PictureResult, Predicted, make_prediction
from fercli.workflows.predict.video import is_person, smooth_expressions, track_people

CLASSES = ("happy", "sad", "neutral")
DETECTION = Detection((0, 0, 9, 9), ((0, 0),) * 5, 1.0)


def face(track, *probabilities):
    return replace(make_prediction(track, DETECTION, dict(zip(CLASSES, probabilities, strict=True))), track=track)


def frame(name, time, *faces: FacePrediction):
    path = Path(name)
    number = None if time is None else round(1000 * time)
    result = PictureResult(path, "ok" if faces else "no face", "", faces, number, time)
    return Predicted(Picture(Source(path, path), None, "", number, time), result)


def test_a_window_reaches_half_its_width_to_both_sides():
    happy = [1.0, 0.0, 0.5, 0.2, 0.9]
    frames = [frame("a.mp4", 0.2 * i, face(1, h, 1 - h, 0.0)) for i, h in enumerate(happy)]
    means = [one.result.faces[0].probabilities["happy"] for one in smooth_expressions(frames, 0.4)]
    assert means == [0.5, 0.5, round(0.7 / 3, 6), round(1.6 / 3, 6), 0.55]


def test_a_single_odd_frame_no_longer_changes_the_label():
    probabilities = [(0.8, 0.1, 0.1)] * 3 + [(0.1, 0.8, 0.1)] + [(0.8, 0.1, 0.1)] * 3
    frames = [frame("a.mp4", 0.1 * i, face(1, *s)) for i, s in enumerate(probabilities)]
    (odd,) = list(smooth_expressions(frames, 0.3))[3].result.faces
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
    assert list(smooth_expressions(stages, 5.0)) == stages


def test_frames_wait_only_for_half_the_width():
    taken = []

    def frames():
        for number in range(1000):
            taken.append(number)
            yield frame("a.mp4", 0.1 * number, face(1, 1, 0, 0))

    smooth = smooth_expressions(frames(), 1.0)
    for number in range(20):
        assert next(smooth).result.frame == 100 * number
        assert len(taken) <= number + 1 + 5 + 1


probabilities = st.lists(st.floats(0.01, 1), min_size=3, max_size=3).map(lambda s: [v / sum(s) for v in s])
looks = st.lists(
    st.tuples(st.integers(1, 400), st.dictionaries(st.integers(1, 3), probabilities, max_size=3)), max_size=12
)


@settings(deadline=None)
@given(looks, st.sampled_from([0.05, 0.3, 1.0, 5.0]))
def test_every_probability_is_the_plain_mean_over_the_window(steps, width):
    time, frames = 0, []
    for step, faces in steps:
        time += step
        frames.append(frame("a.mp4", time / 1000, *(face(track, *s) for track, s in faces.items())))
    done = list(smooth_expressions(frames, width))
    assert [one.result.frame for one in done] == [one.result.frame for one in frames]
    for one, before in zip(done, frames, strict=True):
        for found in one.result.faces:
            in_reach = [
                other.probabilities
                for look in frames
                for other in look.result.faces
                if other.track == found.track and abs(look.result.frame - before.result.frame) <= 500 * width
            ]
            for name in CLASSES:
                assert found.probabilities[name] == pytest.approx(
                    sum(p[name] for p in in_reach) / len(in_reach), abs=2e-6
                )
            assert sum(found.probabilities.values()) == pytest.approx(1, abs=1e-5)
            assert found.probabilities[found.label] == max(found.probabilities.values()) == found.confidence


def predicted(name, time, *positions, pixels=None):
    """A picture, or with a time a frame, with a face at each position."""
    path = Path(name)
    frame = None if time is None else round(10 * time)
    faces = tuple(
        FacePrediction(
            number, Detection((x, 0, x + 50, 50), ((x, 0),) * 5, 1), "happy", 0.9, {"happy": 0.9, "sad": 0.1}
        )
        for number, x in enumerate(positions, start=1)
    )
    result = PictureResult(path, "ok" if faces else "no face", "", faces, frame, time)
    return Predicted(Picture(Source(path, path), pixels, "", frame, time), result)


def test_each_video_s_people_are_numbered_from_one_and_pictures_pass():
    stages = [
        predicted("a.png", None, 0, 100),
        predicted("b.mp4", 0.0, 0, 300),
        predicted("b.mp4", 0.1, 300),
        predicted("b.mp4", 0.2, 5, 150, 300),
        predicted("c.mp4", 0.0, 300),
        predicted("a.png", None, 5),
    ]
    done = list(track_people(iter(stages)))
    assert [[face.track for face in one.result.faces] for one in done] == [
        [None, None],
        [1, 2],
        [2],
        [1, 3, 2],
        [1],
        [None],
    ]
    assert done[0] is stages[0]
    assert [[face.number for face in one.result.faces] for one in done][3] == [1, 2, 3]


def test_tracks_end_at_a_cut_within_a_video_alone():
    dark, bright = np.zeros((90, 120, 3), np.uint8), np.zeros((90, 120, 3), np.uint8)
    dark[:, :60], bright[:30] = 90, 255
    stages = [predicted("b.mp4", 0.1 * i, 0, pixels=p) for i, p in enumerate([dark, dark, bright, bright])]
    stages.append(predicted("c.mp4", 0.0, 0, pixels=dark))
    assert [one.result.faces[0].track for one in track_people(stages)] == [1, 1, 2, 2, 1]


def test_a_frame_that_failed_is_one_without_faces():
    stages = [predicted("b.mp4", 0.1 * step, *([0] if step != 1 else [])) for step in range(3)]
    assert [[face.track for face in one.result.faces] for one in track_people(stages)] == [[1], [], [1]]
    assert next(iter(track_people(stages))).result.faces[0].caption == "1 happy 90 %"


@pytest.mark.parametrize(
    ("needed", "frames", "seconds"),
    [(5, 101, 20.0), (25, 251, 10.0), (3, 20, 100.0), (2, 2, 0.2), (1, 1, 0.0), (3, 40, 0.0)],
)
def test_who_is_seen_for_a_second_and_three_frames_is_a_person(needed, frames, seconds):
    assert next(seen for seen in range(frames + 1) if is_person(seen, frames, seconds)) == needed
