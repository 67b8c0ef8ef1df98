from pathlib import Path

import numpy as np

from fercli.faces.detection import Detection
from fercli.faces.io.pictures import Picture
from fercli.faces.io.sources import Source
from fercli.workflows.predict.results import FacePrediction, PictureResult, Predicted
from fercli.workflows.predict.tracking import tracking


def predicted(name, time, *places, pixels=None):
    """A picture, or with a time a frame, with a face at each place."""
    path = Path(name)
    frame = None if time is None else round(10 * time)
    faces = tuple(
        FacePrediction(
            number, Detection((x, 0, x + 50, 50), ((x, 0),) * 5, 1), "happy", 0.9, {"happy": 0.9, "sad": 0.1}
        )
        for number, x in enumerate(places, start=1)
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
    done = list(tracking(iter(stages)))
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
    assert [one.result.faces[0].track for one in tracking(stages)] == [1, 1, 2, 2, 1]


def test_a_frame_that_failed_is_one_without_faces():
    stages = [predicted("b.mp4", 0.1 * step, *([0] if step != 1 else [])) for step in range(3)]
    assert [[face.track for face in one.result.faces] for one in tracking(stages)] == [[1], [], [1]]
    assert next(iter(tracking(stages))).result.faces[0].caption == "1 happy 90 %"
