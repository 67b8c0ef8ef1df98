from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fercli.core.errors import UsageError
from fercli.faces.detection import Detection
from fercli.faces.io.pictures import Picture
from fercli.faces.io.sources import Source, find_sources
from fercli.workflows.predict.results import PictureResult, Predicted, make_prediction
from fercli.workflows.predict.visuals import explain
from fercli.workflows.predict.visuals.explain import describe_limits, plan_explanations, write_explanations

PROBABILITIES = {"angry": 0.2, "happy": 0.7, "neutral": 0.1}


class Explains:
    """An explainer that keeps what it was asked for."""

    map_sides = (3, 6)

    def __init__(self):
        self.asked = []

    def heat(self, faces, classes):
        self.asked.append((faces, classes.tolist()))
        return np.full((len(faces), 48, 48), 0.5, np.float32)


def predicted(path, shades, frame=None):
    """A picture with one 60 × 60 face a shade."""
    pixels = np.concatenate([np.full((60, 60, 3), shade, np.uint8) for shade in shades], axis=1)
    boxes = [(60.0 * index + 5, 5.0, 60.0 * index + 55, 55.0) for index in range(len(shades))]
    faces = tuple(
        make_prediction(number, Detection(box, ((0.0, 0.0),) * 5, 0.9), PROBABILITIES)
        for number, box in enumerate(boxes, start=1)
    )
    return Predicted(Picture(Source(path, Path(path.name)), pixels), PictureResult(path, "ok", "", faces, frame))


def test_each_face_has_a_picture_named_after_source_and_number(tmp_path):
    one, failed = predicted(Path("a.png"), [10, 240]), Predicted(
        Picture(Source(Path("b.png"), Path("b.png")), None), PictureResult(Path("b.png"), "failed", "why")
    )  # fmt: skip
    explainer = Explains()
    stems = {Path("a.png"): tmp_path / "out" / "a.png"}
    assert list(write_explanations([one, failed], explainer, stems)) == [one, failed]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["a.png-face1.png", "a.png-face2.png"]
    ((faces, classes),) = explainer.asked
    assert classes == [1, 1]
    assert faces.shape == (2, 1, 48, 48)
    assert (faces[0] == 10).all()
    assert (faces[1] == 240).all()
    with Image.open(tmp_path / "out" / "a.png-face2.png") as picture:
        assert min(picture.size) > 384


def test_unsure_faces_are_explained_for_what_is_most_likely(tmp_path, monkeypatch):
    titles = []
    real = explain.draw_heatmap
    monkeypatch.setattr(explain, "draw_heatmap", lambda *a: titles.append((a[2], a[4])) or real(*a))
    one = predicted(Path("a.png"), [10])
    face = replace(one.result.faces[0], label="unsure")
    one = replace(one, result=replace(one.result, faces=(face,)))
    list(write_explanations([one], Explains(), {Path("a.png"): tmp_path / "a.png"}))
    assert titles == [("face 1: unsure 70 % (most likely happy)", "what speaks for 'happy'")]


def test_frames_of_a_video_have_their_own_pictures(tmp_path):
    film = Path("film.mp4")
    frames = [predicted(film, [10], frame=frame) for frame in (0, 12)]
    list(write_explanations(frames, Explains(), {film: tmp_path / "film.mp4"}))
    names = ["film.mp4-frame0-face1.png", "film.mp4-frame12-face1.png"]
    assert sorted(path.name for path in tmp_path.iterdir()) == names
    with pytest.raises(UsageError, match="--force"):
        plan_explanations([Source(film, film)], tmp_path)


def test_names_do_not_collide_and_folders_are_kept(tmp_path):
    sources = [Source(tmp_path / path, Path(Path(path).name)) for path in ("x/a.png", "y/a.png", "z/A.PNG", "z/a.jpg")]
    stems = plan_explanations([*sources, Source(Path("gone"), Path("gone"), "no such file")], tmp_path / "out")
    assert [stem.name for stem in stems.values()] == ["a.png", "a.png-2", "A.PNG-3", "a.jpg"]
    inner = plan_explanations([Source(Path("in/ann/1.jpg"), Path("ann/1.jpg"))], tmp_path / "out")
    assert list(inner.values()) == [tmp_path / "out" / "ann" / "1.jpg"]


def test_nothing_is_replaced_without_force_and_originals_never(tmp_path):
    for name in ("a.png", "a.png-face1.png"):
        Image.new("RGB", (60, 60)).save(tmp_path / name)
    only = find_sources([tmp_path / "a.png"])
    with pytest.raises(UsageError, match="--force"):
        plan_explanations(only, tmp_path)
    assert plan_explanations(only, tmp_path, force=True)
    assert plan_explanations(find_sources([tmp_path / "a.png-face1.png"]), tmp_path)
    for force in (False, True):
        with pytest.raises(UsageError, match="original"):
            plan_explanations(find_sources([tmp_path]), tmp_path, force=force)


def test_pictures_say_what_they_can_show():
    assert describe_limits((3, 6)).startswith("Grad-CAM from 3 by 3 and 6 by 6 cells")
    assert "roughly where" in describe_limits((6,))
