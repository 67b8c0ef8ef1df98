import os
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fercli.core.errors import UsageError
from fercli.faces.detection import Detection, WholePictureDetector
from fercli.faces.io.sources import find_sources
from fercli.workflows.predict.output.writers import format_csv, format_jsonl
from fercli.workflows.predict.pipeline import predict_sources
from fercli.workflows.predict.visuals import plan
from fercli.workflows.predict.visuals.annotate import Annotator, plan_annotations


class EvenModel:
    classes = ("happy", "sad")
    faces_per_call, threads = 16, 1

    def probabilities(self, faces):
        return np.tile(np.array([0.75, 0.25], np.float32), (len(faces), 1))


class BlockDetector:
    """Finds a face in every 60-pixel column of a picture that is not of one gray, 128."""

    def find_all(self, pictures):
        return [[] if np.all(picture == 128) else self.find(picture.shape[1] // 60) for picture in pictures]

    def find(self, count):
        lefts = [60.0 * index for index in range(count)]
        return [Detection((x + 5, 5.0, x + 53, 53.0), ((x + 20, 20.0),) * 5, 0.99) for x in lefts]


def save(path: Path, *shades: int) -> Path:
    """A picture with one 60 × 60 block a shade, from left to right."""
    path.parent.mkdir(parents=True, exist_ok=True)
    blocks = [np.full((60, 60, 3), shade, np.uint8) for shade in shades]
    Image.fromarray(np.concatenate(blocks, axis=1)).save(path)
    return path


def draw(files, paths):
    annotator = Annotator(paths, 0.2, EvenModel.classes)
    return list(predict_sources(find_sources(files), EvenModel(), BlockDetector(), stages=[annotator.draw]))


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


def test_pictures_of_an_archive_are_rows_and_their_annotations_lie_under_its_name(album, tmp_path):
    sources = find_sources([album])
    paths = plan_annotations(sources, tmp_path / "out")
    results = list(
        predict_sources(
            sources, EvenModel(), WholePictureDetector(), stages=[Annotator(paths, 0.2, EvenModel.classes).draw]
        )
    )
    assert [(str(r.source.relative_to(tmp_path)), r.status) for r in results] == [
        (str(Path("album.zip", "..", "..", "b.jpg")), "ok"),
        (str(Path("album.zip", "inner", "a.png")), "ok"),
        (str(Path("album.zip", "inner", "c.png")), "failed"),
    ]
    written = sorted(path.relative_to(tmp_path) for path in tmp_path.rglob("*") if path.is_file())
    assert written == [Path("album.zip"), Path("out/album.zip/b.jpg"), Path("out/album.zip/inner/a.png")]


def test_archives_of_one_name_keep_their_annotations_apart(album, tmp_path):
    (tmp_path / "other").mkdir()
    other = tmp_path / "other" / "album.zip"
    other.write_bytes(album.read_bytes())
    paths = plan_annotations(find_sources([album, other]), tmp_path / "out")
    assert len(set(paths.values())) == len(paths) == 6


def test_annotations_are_not_put_where_a_file_is_in_the_way(album, tmp_path):
    for folder, there in ((tmp_path, album), (album, album), (album / "deeper", None)):
        with pytest.raises(UsageError, match="is a file: choose another folder"):
            plan_annotations(find_sources([album]), folder, force=True)
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
        plan_annotations(find_sources([photo]), tmp_path / "out", force=True)


def test_planning_looks_at_no_original_where_nothing_is_in_the_way(tmp_path, monkeypatch):
    for number in range(20):
        (tmp_path / f"{number}.png").touch()
    sources = find_sources([tmp_path])
    monkeypatch.setattr(plan, "_file_numbers", lambda _: pytest.fail("asked for a file's number"))
    assert len(plan_annotations(sources, tmp_path / "out")) == 20


def test_a_face_that_nobody_searched_for_has_no_score_and_no_landmarks_in_any_form(tmp_path):
    Image.new("L", (60, 50)).save(tmp_path / "a.png")
    (result,) = predict_sources(find_sources([tmp_path / "a.png"]), EvenModel(), WholePictureDetector())
    (face,) = result.faces
    assert face.detection == Detection((0, 0, 60, 50), (), None)
    header, row = (line.rstrip().split(",") for line in format_csv([result], EvenModel.classes))
    values = dict(zip(header, row, strict=True))
    assert [values[name] for name in ("x1", "y1", "x2", "y2", "label")] == ["0.0", "0.0", "60.0", "50.0", "happy"]
    assert values["detection_score"] == values["nose_x"] == values["mouth_right_y"] == ""
    (line,) = format_jsonl([result], EvenModel.classes)
    assert '"landmarks": null, "detection_score": null' in line


def test_annotations_are_drawn_for_pictures_with_faces_and_originals_stay(tmp_path):
    photo, empty = save(tmp_path / "in" / "a.png", 250, 5), save(tmp_path / "in" / "b.png", 128)
    before = photo.read_bytes()
    paths = plan_annotations(find_sources([photo, empty]), tmp_path / "out")
    draw([photo, empty], paths)
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["a.png"]
    assert photo.read_bytes() == before
    drawn = np.array(Image.open(tmp_path / "out" / "a.png"))
    # there is no room beside the faces: their captions stand in full below
    assert drawn.shape[1:] == (120, 3)
    assert drawn.shape[0] > 60
    assert not np.array_equal(drawn[:60], np.array(Image.open(photo)))


def test_annotations_of_the_same_name_do_not_collide(tmp_path):
    paths = [save(tmp_path / p, 9) for p in ("x/a.png", "y/a.png", "y/A.webp", "z/a.jpg", "y/a-2.png")]
    annotations = plan_annotations(find_sources(paths), tmp_path / "out")
    names = [annotations[path].name for path in paths]
    assert len({name.casefold() for name in names}) == len(paths)
    assert names[0] == "a.png"
    assert names[3] == "a.jpg"


def test_annotations_of_a_folder_keep_its_folders(tmp_path):
    save(tmp_path / "in" / "ann" / "1.jpg", 9)
    save(tmp_path / "in" / "bob" / "1.jpg", 9)
    annotations = plan_annotations(find_sources([tmp_path / "in"], recursive=True), tmp_path / "out")
    assert sorted(annotations.values()) == [tmp_path / "out" / "ann" / "1.jpg", tmp_path / "out" / "bob" / "1.jpg"]


def test_nothing_is_overwritten_without_force_and_originals_never(tmp_path):
    sources = find_sources([save(tmp_path / "in" / "a.png", 9)])
    save(tmp_path / "out" / "a.png", 3)
    with pytest.raises(UsageError, match="--force"):
        plan_annotations(sources, tmp_path / "out")
    assert plan_annotations(sources, tmp_path / "out", force=True)
    for force in (False, True):
        with pytest.raises(UsageError, match="original"):
            plan_annotations(sources, tmp_path / "in", force=force)
