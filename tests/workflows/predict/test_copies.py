import os
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fercli.core.errors import UsageError
from fercli.faces.detection import Detection, WholePictureDetector
from fercli.faces.io.sources import find_sources
from fercli.workflows.predict import copies
from fercli.workflows.predict.copies import plan_copies
from fercli.workflows.predict.job import Stages, predict_sources
from fercli.workflows.predict.writers import csv_text, jsonl_text


class EvenModel:
    classes = ("happy", "sad")

    def probabilities(self, faces):
        return np.tile(np.array([0.75, 0.25], np.float32), (len(faces), 1))


@pytest.fixture
def album(tmp_path: Path) -> Path:
    """An archive with two good pictures, one that is none, and names that would lead elsewhere."""
    Image.new("RGB", (60, 50), "white").save(tmp_path / "white.png")
    with zipfile.ZipFile(tmp_path / "album.zip", "w") as archive:
        for name in ("inner/a.png", "../../b.jpg"):
            archive.write(tmp_path / "white.png", name)
        archive.writestr("inner/c.png", b"no picture")
    (tmp_path / "white.png").unlink()
    return tmp_path / "album.zip"


def test_pictures_of_an_archive_are_rows_and_their_copies_lie_under_its_name(album, tmp_path):
    sources = find_sources([album])
    plan = plan_copies(sources, tmp_path / "out")
    results = list(predict_sources(sources, EvenModel(), WholePictureDetector(), Stages(copies=plan)))
    assert [(str(r.source.relative_to(tmp_path)), r.status) for r in results] == [
        (str(Path("album.zip", "..", "..", "b.jpg")), "ok"),
        (str(Path("album.zip", "inner", "a.png")), "ok"),
        (str(Path("album.zip", "inner", "c.png")), "failed"),
    ]
    written = sorted(path.relative_to(tmp_path) for path in tmp_path.rglob("*") if path.is_file())
    assert written == [Path("album.zip"), Path("out/album.zip/b.jpg"), Path("out/album.zip/inner/a.png")]


def test_archives_of_one_name_keep_their_copies_apart(album, tmp_path):
    (tmp_path / "other").mkdir()
    other = tmp_path / "other" / "album.zip"
    other.write_bytes(album.read_bytes())
    plan = plan_copies(find_sources([album, other]), tmp_path / "out")
    assert len(set(plan.values())) == len(plan) == 6


def test_copies_are_not_put_where_a_file_is_in_the_way(album, tmp_path):
    for folder, there in ((tmp_path, album), (album, album), (album / "deeper", None)):
        with pytest.raises(UsageError, match="is a file: choose another folder"):
            plan_copies(find_sources([album]), folder, force=True)
        assert there is None or there.is_file()


def test_an_original_is_known_by_any_of_its_names(tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "out").mkdir()
    photo = tmp_path / "in" / "a.png"
    Image.new("L", (9, 9)).save(photo)
    try:
        os.link(photo, tmp_path / "out" / "a.png")
    except OSError:
        pytest.skip("no hard links here")
    with pytest.raises(UsageError, match="one of the originals"):
        plan_copies(find_sources([photo]), tmp_path / "out", force=True)


def test_planning_looks_at_no_original_where_nothing_is_in_the_way(tmp_path, monkeypatch):
    for number in range(20):
        (tmp_path / f"{number}.png").touch()
    sources = find_sources([tmp_path])
    monkeypatch.setattr(copies, "_numbers", lambda _: pytest.fail("asked for a file's number"))
    assert len(plan_copies(sources, tmp_path / "out")) == 20


def test_a_face_that_nobody_searched_for_has_no_score_and_no_landmarks_in_any_form(tmp_path):
    Image.new("L", (60, 50)).save(tmp_path / "a.png")
    (result,) = predict_sources(find_sources([tmp_path / "a.png"]), EvenModel(), WholePictureDetector())
    (face,) = result.faces
    assert face.detection == Detection((0, 0, 60, 50), (), None)
    header, row = (line.rstrip().split(",") for line in csv_text([result], EvenModel.classes))
    values = dict(zip(header, row, strict=True))
    assert [values[name] for name in ("x1", "y1", "x2", "y2", "label")] == ["0.0", "0.0", "60.0", "50.0", "happy"]
    assert values["detection_score"] == values["nose_x"] == values["mouth_right_y"] == ""
    (line,) = jsonl_text([result], EvenModel.classes)
    assert '"landmarks": null, "detection_score": null' in line
