import pydoc
import sys
import time
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pytest
from matplotlib.cbook import get_sample_data
from PIL import Image

import fercli
from fercli.cli.app import main
from fercli.core.errors import ModelError, UsageError
from fercli.faces.detection import Detection
from fercli.faces.mtcnn import detector
from fercli.models import load
from fercli.workflows.predict import api, pipeline
from fercli.workflows.predict.results import FacePrediction

PORTRAIT = Path(get_sample_data("grace_hopper.jpg", asfileobj=False))


class Model:
    remark = ""
    classes = ("angry", "happy")
    faces_per_call, threads = 16, 1

    def probabilities(self, faces):
        light = faces.reshape(len(faces), -1).mean(1) / 255
        return np.stack([1 - light, light], 1).astype(np.float32)


class Detector:
    def __init__(self, *_):
        pass

    def find_all(self, pictures):
        return [self.find(picture) for picture in pictures]

    def find(self, picture):
        assert picture.shape[2] == 3
        return [Detection((0.0, 0.0, 20.0, 20.0), ((5.0, 5.0),) * 5, 0.99)]


@pytest.fixture
def quick(monkeypatch):
    """A network and a detector that need no weights."""
    monkeypatch.setattr("fercli.models.onnx_model.load_onnx_model", lambda *_, **__: None)
    monkeypatch.setattr(load, "load_model", lambda *_, **__: Model())
    monkeypatch.setattr(detector, "Detector", Detector)


def shade(value: int) -> np.ndarray:
    return np.full((30, 40, 3), value, np.uint8)


def test_a_file_an_array_and_an_image_of_one_portrait_give_the_same_face():
    assert fercli.predict is api.predict
    image = Image.open(PORTRAIT)
    pixels = np.asarray(Image.open(PORTRAIT).convert("RGB"))
    results = list(fercli.predict([str(PORTRAIT), pixels, image, pixels[:, :, ::-1]], device="cpu"))
    assert [result.source for result in results[:2]] == [PORTRAIT, Path("array 1")]
    assert results[0].faces == results[1].faces == results[2].faces
    assert results[0].faces[0].label == "neutral"
    assert isinstance(results[0], fercli.PictureResult)
    assert isinstance(results[0].faces[0], fercli.FacePrediction)
    # blue and red the wrong way round is another picture, and nothing tells
    assert results[3].faces != results[0].faces


@pytest.mark.usefixtures("quick")
def test_one_input_needs_no_list(tmp_path):
    Image.fromarray(shade(250)).save(tmp_path / "a.png")
    for single in (shade(250), shade(250)[..., 0], Image.fromarray(shade(250)), tmp_path / "a.png", str(tmp_path)):
        (result,) = fercli.predict(single)
        assert [face.label for face in result.faces] == ["happy"]


@pytest.mark.usefixtures("quick")
def test_inputs_of_all_kinds_keep_their_order_and_bad_files_do_not_stop_the_rest(tmp_path):
    for name in ("b10.png", "b9.png"):
        Image.fromarray(shade(9)).save(tmp_path / name)
    (tmp_path / "text.jpg").write_text("no picture")
    damaged = Image.open(tmp_path / "b9.png")
    damaged.fp.close()
    given = [shade(1), tmp_path, tmp_path / "gone.png", Image.fromarray(shade(1)), damaged, tmp_path / "b9.png"]
    results = list(fercli.predict(given))
    assert [(result.source.name, result.status) for result in results] == [
        ("array 0", "ok"),
        ("b9.png", "ok"),
        ("b10.png", "ok"),
        ("text.jpg", "failed"),
        ("gone.png", "failed"),
        ("image 3", "ok"),
        ("b9.png", "failed"),
        ("b9.png", "ok"),
    ]
    assert results[4].message == "no such file or folder"


@pytest.mark.usefixtures("quick")
def test_a_generator_is_taken_from_as_results_are():
    taken = []

    def camera():
        frame = shade(0)  # one buffer for all frames, as cameras have
        for number in range(2000):
            taken.append(number)
            frame[:] = number % 256
            yield frame

    results = fercli.predict(camera())
    lights = []
    for _ in range(5):
        lights.append(next(results).faces[0].probabilities["happy"])
        time.sleep(0.01)
    # at each of three stages at most 128 wait, and one is in the hands of each
    assert len(taken) <= 5 + 3 * 128 + 3
    assert lights == pytest.approx([number / 255 for number in range(5)], abs=1e-6)
    results.close()


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize(
    ("bad", "error", "told"),
    [
        (5, TypeError, "int is no picture"),
        (b"\xff\xd8", TypeError, "bytes is no picture"),
        (None, TypeError, "NoneType is no picture"),
        (shade(1) / 255, TypeError, r"an array of float64, not uint8: multiply"),
        (shade(1).astype(np.int64), TypeError, "an array of int64, not uint8$"),
        (shade(1)[None], ValueError, r"\(1, 30, 40, 3\): pass its pictures one by one"),
        (shade(1)[..., :1], ValueError, r"\(30, 40, 1\), not RGB \(H, W, 3\) or gray \(H, W\)"),
        (shade(1)[:0], ValueError, r"\(0, 40, 3\), not"),
    ],
)
def test_what_is_no_picture_is_said_in_its_place(bad, error, told):
    with pytest.raises(error, match=told):
        fercli.predict(bad)
    results = fercli.predict([shade(1), shade(2), bad, shade(3)])
    assert [str(next(results).source) for _ in range(2)] == ["array 0", "array 1"]
    with pytest.raises(error, match=told):
        next(results)


@pytest.mark.usefixtures("quick")
def test_an_error_of_the_caller_s_generator_comes_out_in_its_place(tmp_path):
    Image.fromarray(shade(9)).save(tmp_path / "a.png")

    def broken():
        yield tmp_path / "a.png"
        yield tmp_path / "a.png"
        raise ConnectionError("the camera is gone")

    results = fercli.predict(broken())
    assert [next(results).status for _ in range(2)] == ["ok", "ok"]
    with pytest.raises(ConnectionError, match="the camera is gone"):
        next(results)


def test_wrong_settings_are_refused_at_once():
    with pytest.raises(UsageError, match="must be from 0 to 1"):
        fercli.predict("a.png", min_confidence=60)
    with pytest.raises(TypeError, match="confidence"):
        fercli.predict("a.png", confidence=0.6)
    with pytest.raises(ModelError, match="no model 'nothing'"):
        fercli.predict("a.png", model="nothing", device="cpu")


@pytest.fixture
def photos(tmp_path) -> Path:
    """A bright picture, a dark one, and a file that is none."""
    folder = tmp_path / "photos"
    folder.mkdir()
    for name, value in (("bright", 250), ("dark", 9)):
        Image.fromarray(shade(value)).save(folder / f"{name}.png")
    (folder / "text.png").write_text("no picture")
    return folder


@pytest.mark.usefixtures("quick")
def test_files_are_predicted_as_by_the_command(photos, tmp_path):
    output = tmp_path / "faces.csv"
    summary = fercli.predict_files(str(photos), str(output), annotate=tmp_path / "drawn", min_confidence=0.5)
    assert isinstance(summary, fercli.PredictSummary)
    assert (summary.pictures, summary.faces, summary.no_face, summary.failed) == (3, 2, 0, 1)
    assert summary.expressions == {"angry": 1, "happy": 1}
    assert summary.written == [output, tmp_path / "drawn"]
    command = ["predict", str(photos), "-o", str(tmp_path / "same.csv"), "--min-confidence", "0.5", "--quiet"]
    with patch.object(sys, "argv", ["fer", *command]), pytest.raises(SystemExit):
        main()
    assert output.read_bytes() == (tmp_path / "same.csv").read_bytes()
    again = fercli.predict_files([photos], output, resume=True, min_confidence=0.5)
    assert again.nothing_left
    assert again.faces == 2


@pytest.mark.usefixtures("quick")
def test_files_that_exist_are_left_alone_unless_they_may_be_replaced(photos, tmp_path):
    (tmp_path / "faces.jsonl").write_text("mine")
    with pytest.raises(UsageError, match="--force replaces it"):
        fercli.predict_files(photos, tmp_path / "faces.jsonl")
    assert (tmp_path / "faces.jsonl").read_text() == "mine"
    assert fercli.predict_files(photos, tmp_path / "faces.jsonl", force=True).faces == 2
    with pytest.raises(UsageError, match="no picture given"):
        fercli.predict_files()


@pytest.mark.usefixtures("quick")
def test_ctrl_c_reaches_the_caller_when_what_is_finished_is_written(photos, tmp_path, monkeypatch):
    predict_sources = pipeline.predict_sources

    def interrupted(*arguments):
        yield next(predict_sources(*arguments))
        raise KeyboardInterrupt

    monkeypatch.setattr(pipeline, "predict_sources", interrupted)
    with pytest.raises(KeyboardInterrupt):
        fercli.predict_files(photos, tmp_path / "faces.json")
    assert [result.source.name for result in fercli.read_predictions(tmp_path / "faces.json")] == ["bright.png"]


def test_the_module_shows_its_public_names_and_no_others():
    assert set(fercli.__all__) <= set(dir(fercli))
    assert not [name for name in dir(fercli) if name not in fercli.__all__ and not name.startswith("__")]
    shown = pydoc.plain(pydoc.render_doc(fercli))
    assert "predict_files" in shown
    assert "class FacePrediction" in shown


def test_a_face_has_its_box():
    detection = Detection((1.0, 2.0, 3.0, 4.0), (), None)
    assert FacePrediction(1, detection, "happy", 1.0, {"happy": 1.0}).box == (1.0, 2.0, 3.0, 4.0)
