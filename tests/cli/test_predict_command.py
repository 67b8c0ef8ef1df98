import json
import re
from pathlib import Path

import numpy as np
import pytest
import typer
from PIL import Image
from rich.cells import cell_len
from typer.testing import CliRunner

import fercli.faces.mtcnn.detector
import fercli.models.load
from fercli.cli.predict import predict
from fercli.cli.predict_tables import picture_lines
from fercli.core.errors import UsageError
from fercli.faces.detection import Detection
from fercli.workflows.predict.results import FacePrediction, PictureResult

CLASSES = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")


class HappyModel:
    remark = ""
    faces_per_call, threads = 16, 1
    classes = CLASSES

    def probabilities(self, faces):
        return np.tile(np.array([0.02, 0.01, 0.05, 0.8, 0.05, 0.04, 0.03], np.float32), (len(faces), 1))


class OneFaceDetector:
    settings: tuple[object, ...] = ()

    def __init__(self, *settings: object) -> None:
        OneFaceDetector.settings = settings

    def find_all(self, pictures):
        face = Detection((1.0, 2.0, 11.0, 12.0), ((5.0, 5.0),) * 5, 0.99)
        return [[] if np.all(picture == 0) else [face] for picture in pictures]


@pytest.fixture
def fer(monkeypatch):
    """Runs `fer predict` with a model and a detector that need no weights."""
    loaded = {}

    def load_model(name, device, **options):
        loaded.update(name=name, device=str(device), **options)
        return HappyModel()

    monkeypatch.setattr("fercli.models.onnx_model.load_onnx_model", lambda *_, **__: None)
    monkeypatch.setattr(fercli.models.load, "load_model", load_model)
    monkeypatch.setattr(fercli.faces.mtcnn.detector, "Detector", OneFaceDetector)
    app = typer.Typer()
    app.command()(predict)

    def run(*arguments, typed=None):
        outcome = CliRunner().invoke(app, [str(argument) for argument in arguments], input=typed)
        outcome.loaded = loaded
        return outcome

    return run


@pytest.fixture
def photo(tmp_path):
    Image.new("RGB", (40, 30), "white").save(tmp_path / "photo.png")
    return tmp_path / "photo.png"


def test_a_photo_gives_a_table_on_stdout_and_a_closing_line_on_stderr(fer, photo):
    done = fer(photo, "--device", "cpu")
    assert done.exit_code == 0
    assert "photo.png" in done.stdout
    assert "happy" in done.stdout
    assert "80 %" in done.stdout
    assert done.stderr == "1 picture, 1 face: 1 happy\n"
    assert done.loaded == {"name": None, "device": "cpu", "mirrored": True, "raw": False}


def test_flags_reach_the_model(fer, photo):
    done = fer(photo, "--model", "xu-rescnn", "--no-tta", "--raw", "--device", "cpu")
    assert done.loaded == {"name": "xu-rescnn", "device": "cpu", "mirrored": False, "raw": True}


def test_flags_reach_the_detector(fer, photo):
    fer(photo, "--device", "cpu")
    assert OneFaceDetector.settings == ("cpu", 20, (0.6, 0.7, 0.7), 1920, "auto")
    fer(photo, "--device", "cpu", "--min-face", "32.5", "--max-side", "0", "--threshold", "0.9", "--engine", "torch")
    assert OneFaceDetector.settings == ("cpu", 32.5, (0.6, 0.7, 0.9), 0, "torch")


def test_the_demo_is_a_portrait_that_is_already_there(fer):
    done = fer("--demo")
    assert done.exit_code == 0
    assert "grace_hopper.jpg" in done.stdout


def test_data_alone_go_to_stdout(fer, photo, tmp_path):
    Image.new("RGB", (40, 30)).save(tmp_path / "dark.png")
    (tmp_path / "text.jpg").write_text("no picture")
    done = fer(tmp_path, "--json")
    rows = json.loads(done.stdout)
    assert [row["status"] for row in rows] == ["no face", "ok", "failed"]
    assert done.exit_code == 1
    reason, closing = done.stderr.splitlines()
    assert reason.startswith("error: ")
    assert "text.jpg: not a picture" in reason
    assert closing == "3 pictures, 1 face: 1 happy; 1 failed"


def test_no_face_is_handled(fer, tmp_path):
    Image.new("RGB", (40, 30)).save(tmp_path / "dark.png")
    done = fer(tmp_path / "dark.png")
    assert done.exit_code == 0
    assert "no face" in done.stdout
    assert done.stderr == "1 picture, 0 faces\n"


def test_output_is_not_written_over_another_file(fer, photo, tmp_path):
    output = tmp_path / "out" / "faces.csv"
    assert fer(photo, "--output", output).stdout == ""
    assert output.read_bytes().count(b"\n") == 2
    again = fer(photo, "--output", output)
    assert isinstance(again.exception, UsageError)
    assert "--force" in str(again.exception)
    assert fer(photo, "--output", output, "--force").exit_code == 0
    assert sorted(path.name for path in output.parent.iterdir()) == ["faces.csv", "faces.csv.job"]


@pytest.mark.parametrize(
    "arguments",
    [["--output", "a.txt"], ["--output", "a.csv", "--format", "json"], ["--json", "--format", "table"]],
)
def test_forms_that_do_not_fit_are_refused_before_anything_is_computed(fer, photo, arguments):
    done = fer(photo, *arguments)
    assert isinstance(done.exception, UsageError)
    assert done.loaded == {}


def test_annotations_are_said(fer, photo, tmp_path):
    done = fer(photo, "--annotate", tmp_path / "drawn")
    assert (tmp_path / "drawn" / "photo.png").is_file()
    assert done.stderr.splitlines()[-1] == f"annotations in {tmp_path / 'drawn'}"


def test_a_list_of_paths_stands_beside_others(fer, photo, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("a.png", "b.png"):
        (tmp_path / name).write_bytes(photo.read_bytes())
    (tmp_path / "list.txt").write_bytes(b"\xef\xbb\xbfb.png\r\n\r\nmissing.png\r\nphoto.png\r\n")
    done = fer("photo.png", "--from-file", "list.txt", "--json")
    assert [row["source"] for row in json.loads(done.stdout)] == ["photo.png", "b.png", "missing.png"]
    assert done.exit_code == 1
    assert "missing.png: no such file or folder" in done.stderr


def test_a_list_comes_from_standard_input(fer, photo):
    done = fer("--from-file", "-", "--json", typed=f"{photo}\0".encode())
    assert [row["source"] for row in json.loads(done.stdout)] == [str(photo)]


def test_cropped_faces_need_no_detector(fer, photo, monkeypatch):
    monkeypatch.setattr(fercli.faces.mtcnn.detector, "Detector", lambda *_: pytest.fail("a detector was loaded"))
    (row,) = json.loads(fer(photo, "--faces-are-cropped", "--json").stdout)
    assert [row[name] for name in ("x1", "y1", "x2", "y2")] == [0, 0, 40, 30]
    assert row["landmarks"] is row["detection_score"] is None
    assert row["label"] == "happy"


def test_a_file_that_is_no_picture_is_a_row_where_it_is_named(fer, tmp_path):
    (tmp_path / "notes.txt").write_text("notes")
    (tmp_path / "clip.mp4").write_bytes(b"\0")
    done = fer(tmp_path / "notes.txt", tmp_path / "clip.mp4", "--json")
    assert [row["status"] for row in json.loads(done.stdout)] == ["failed", "failed"]
    assert done.exit_code == 1


def test_nothing_to_work_on(fer):
    assert isinstance(fer().exception, UsageError)


@pytest.mark.parametrize(("width", "heads"), [(80, "surprise"), (65, "sur"), (45, None)])
def test_the_table_is_readable_at_any_width(photo, width, heads):
    from fercli.faces.io.sources import find_sources
    from fercli.workflows.predict.pipeline import predict_sources

    results = list(predict_sources(find_sources([photo]), HappyModel(), OneFaceDetector()))
    head, row = picture_lines(results, CLASSES, width)
    assert max(len(head), len(row)) <= width
    assert (heads in head.split()) if heads else head.split() == ["file", "face", "expression"]
    assert "…" not in head + row
    assert row.split()[:5] == ["photo.png", "1", "happy", "80", "%"]


@pytest.mark.parametrize("width", [40, 60, 80, 100, 200])
def test_long_names_and_wide_letters_keep_the_columns_apart(width):
    probabilities = dict.fromkeys(CLASSES, 1 / len(CLASSES))
    face = FacePrediction(1, Detection((0, 0, 9, 9), (), 1.0), "happy", 0.5, probabilities)
    names = ("a.png", "画像" * 40 + ".png", "b" * 200 + ".png")
    results = [PictureResult(Path(name), "ok", "", (face,)) for name in names]
    results.append(PictureResult(Path("none.png"), "no face"))
    head, *rows = picture_lines(results, CLASSES, width)
    start = cell_len(head[: head.index("expression")])
    for row in rows[:3]:
        assert cell_len(row) <= width
        assert cell_len(row[: row.index("happy")]) == start
        assert ("14" in row) == (width >= 80), "probabilities are shown where there is room for them"


def test_colours_change_nothing_but_colours():
    face = FacePrediction(1, Detection((0, 0, 9, 9), (), 1.0), "happy", 0.5, dict.fromkeys(CLASSES, 0.1))
    results = [PictureResult(Path("a.png"), "ok", "", (face,)), PictureResult(Path("b.png"), "failed", "no")]
    plain, coloured = ("\n".join(picture_lines(results, CLASSES, 80, colour)) for colour in (False, True))
    assert plain != coloured
    assert re.sub("\033\\[[0-9]+m", "", coloured) == plain


def test_ctrl_c_keeps_what_is_finished(fer, photo, tmp_path, monkeypatch):
    from fercli.workflows.predict import pipeline

    whole = pipeline.predict_sources

    def stopped(*arguments, **options):
        yield next(whole(*arguments, **options))
        raise KeyboardInterrupt

    monkeypatch.setattr(pipeline, "predict_sources", stopped)
    other = tmp_path / "other.png"
    Image.new("RGB", (40, 30), "white").save(other)
    outcome = fer(photo, other, "--output", tmp_path / "faces.json")
    assert outcome.exit_code == 130
    assert len(json.loads((tmp_path / "faces.json").read_text())) == 1
    assert "stopped after 1 picture of 2" in outcome.stderr
