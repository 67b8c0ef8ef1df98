"""The whole job, called from Python; the network and the detector are stand-ins."""

import csv
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import fercli.models.load
from fercli.core.errors import UsageError
from fercli.core.labels import EXPRESSIONS
from fercli.faces.detection import Detection
from fercli.faces.mtcnn import detector
from fercli.workflows.predict import pipeline
from fercli.workflows.predict.options import PredictOptions
from fercli.workflows.predict.run import JobProgress, run_job


class Model:
    remark = ""
    classes = ("angry", "happy")
    faces_per_call, threads = 16, 1

    def probabilities(self, faces):
        light = faces.reshape(len(faces), -1).mean(1) / 255
        return np.stack([1 - light, light], 1).astype(np.float32)


class Detector:
    """Finds two faces in every picture that is not black."""

    def __init__(self, *_):
        pass

    def find_all(self, pictures):
        faces = [Detection((1.0 + 10 * i, 2.0, 11.0 + 10 * i, 12.0), ((5.0, 5.0),) * 5, 0.99) for i in range(2)]
        return [faces if picture.any() else [] for picture in pictures]


@pytest.fixture
def stand_ins(monkeypatch):
    monkeypatch.setattr("fercli.models.onnx_model.load_onnx_model", lambda *_, **__: None)
    monkeypatch.setattr(fercli.models.load, "load_model", lambda *_, **__: Model())
    monkeypatch.setattr(detector, "Detector", Detector)


@pytest.fixture
def photos(tmp_path, monkeypatch) -> Path:
    """Two pictures with faces, one without, one that cannot be read."""
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "photos"
    folder.mkdir()
    for name, shade in (("bright", 250), ("dark", 20), ("none", 0)):
        Image.new("RGB", (40, 30), (shade,) * 3).save(folder / f"{name}.png")
    (folder / "text.png").write_text("no picture")
    return folder


class Heard(JobProgress):
    def __init__(self):
        self.lines, self.failures, self.shown = [], [], []

    def say(self, text):
        self.lines.append(text)

    def failed(self, result):
        self.failures.append(result.source.name)

    def show(self, results, classes):
        self.shown = [(result.source.name, len(result.faces)) for result in results]


@pytest.mark.usefixtures("stand_ins")
def test_a_job_without_a_file_is_shown_and_counted(photos):
    heard = Heard()
    summary = run_job([photos], PredictOptions(device="cpu"), heard)
    assert heard.shown == [("bright.png", 2), ("dark.png", 2), ("none.png", 0), ("text.png", 0)]
    assert heard.failures == ["text.png"]
    assert heard.lines == []
    assert (summary.inputs, summary.pictures, summary.faces) == (4, 4, 4)
    assert (summary.no_face, summary.failed, summary.expressions) == (1, 1, {"angry": 2, "happy": 2})
    assert summary.written == []


@pytest.mark.usefixtures("stand_ins")
def test_an_interrupted_job_is_counted_and_resumed(photos, monkeypatch):
    predict_sources = pipeline.predict_sources

    def interrupted(*arguments):
        yield next(predict_sources(*arguments))
        raise KeyboardInterrupt

    monkeypatch.setattr(pipeline, "predict_sources", interrupted)
    options = {"device": "cpu", "output": Path("a.csv")}
    summary = run_job([photos], PredictOptions(**options))
    assert (summary.interrupted, summary.pictures, summary.output) == (True, 1, None)
    monkeypatch.setattr(pipeline, "predict_sources", predict_sources)
    with pytest.raises(UsageError, match="interrupted job: --resume continues it"):
        run_job([photos], PredictOptions(**options))
    heard = Heard()
    summary = run_job([photos], PredictOptions(**options, resume=True), heard)
    assert heard.lines == ["resuming a.csv: 0 done, 4 left"]
    assert (summary.interrupted, summary.pictures, summary.written) == (False, 4, [Path("a.csv")])
    summary = run_job([photos], PredictOptions(**options, resume=True))
    assert summary.nothing_left
    assert (summary.faces, summary.expressions) == (4, {"angry": 2, "happy": 2})


@pytest.mark.usefixtures("stand_ins")
def test_an_interrupt_while_a_row_is_written_ends_the_job_as_well(photos, monkeypatch):
    def write(path, *arguments):
        path.write_text("source,fra")
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("fercli.workflows.predict.output.resume.append_results", write)
        summary = run_job([photos], PredictOptions(device="cpu", output=Path("a.csv")))
    assert (summary.interrupted, summary.output) == (True, None)
    summary = run_job([photos], PredictOptions(device="cpu", output=Path("a.csv"), resume=True))
    assert (summary.interrupted, summary.pictures) == (False, 4)


def test_all_that_is_written_is_in_the_summary(photos):
    wanted = {"output": Path("a.json"), "annotate": Path("drawn"), "report": Path("page.html")}
    summary = run_job([photos], PredictOptions(**wanted, faces_are_cropped=True, device="cpu"))
    assert summary.written == list(wanted.values())
    assert (summary.annotations, summary.report, summary.explanations) == (Path("drawn"), Path("page.html"), None)
    assert sorted(path.name for path in Path("drawn").iterdir()) == ["bright.png", "dark.png", "none.png"]
    assert sum(summary.expressions.values()) == summary.faces == 3
    assert list(summary.expressions) == list(EXPRESSIONS)


@pytest.mark.parametrize("target", ["text/deep/", "/proc/fer/"])
@pytest.mark.parametrize("wanted", ["report", "embeddings", "by_person", "annotate", "save_crops"])
def test_what_cannot_be_written_is_told_before_the_work(photos, monkeypatch, wanted, target):
    if target == "/proc/fer/" and not sys.platform.startswith("linux"):
        pytest.skip("a folder in which nobody can write")
    monkeypatch.setattr(pipeline, "load_networks", lambda *_: pytest.fail("the work began"))
    Path("text").write_text("no folder")
    name = {"report": "a.html", "embeddings": "a.npz", "by_person": "a.csv"}.get(wanted, "")
    before = sorted(Path().iterdir())
    with pytest.raises(UsageError, match=r"is no folder|cannot write /proc/fer|text is a file"):
        run_job([photos], PredictOptions(output=Path("rows.csv"), **{wanted: Path(f"{target}{name}")}))
    assert sorted(Path().iterdir()) == before


@pytest.mark.usefixtures("stand_ins")
def test_inputs_may_come_from_a_list_that_is_not_written_over(photos):
    Path("list.csv").write_text(str(photos / "bright.png"), encoding="utf-8")
    summary = run_job([], PredictOptions(from_file=Path("list.csv"), output=Path("b.csv")))
    assert summary.pictures == 1
    with Path("b.csv").open(encoding="utf-8") as file:
        assert [row["label"] for row in csv.DictReader(file)] == ["happy", "happy"]
    with pytest.raises(UsageError, match="is the list"):
        run_job([], PredictOptions(from_file=Path("list.csv"), output=Path("list.csv"), force=True))


def test_a_job_that_was_killed_in_its_first_picture_takes_its_own_annotation_for_one(photos, monkeypatch):
    options = {"device": "cpu", "faces_are_cropped": True, "output": Path("a.csv"), "annotate": Path("drawn")}

    def die(_path, _form, results, _classes):
        next(results)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:  # a picture is drawn before its row is written
        patch.setattr("fercli.workflows.predict.output.resume.append_results", die)
        run_job([photos], PredictOptions(**options))
    assert any(Path("drawn").iterdir())
    assert run_job([photos], PredictOptions(**options, resume=True)).pictures == 4


@pytest.mark.parametrize("wanted", ["annotate", "explain"])
def test_a_long_file_name_is_shortened_where_it_is_drawn(photos, wanted):
    for name in ("a" * 240, "a" * 239 + "b", "é" * 120):
        (photos / f"{name}.png").hardlink_to(photos / "bright.png")
    options = PredictOptions(**{wanted: Path("drawn")}, faces_are_cropped=True, device="cpu", output=Path("a.csv"))
    assert run_job([photos], options).failed == 1
    assert len(list(Path("drawn").iterdir())) == 6


def test_where_no_input_is_there_nothing_is_written_and_the_right_command_works_after_it(photos, monkeypatch):
    before, heard, load = sorted(Path().iterdir()), Heard(), pipeline.load_networks
    monkeypatch.setattr(pipeline, "load_networks", lambda *_: pytest.fail("the work began"))
    options = {"output": Path("new/rows.csv"), "report": Path("page.html"), "annotate": Path("drawn")}
    Path("empty").mkdir()
    summary = run_job([Path("gone"), Path("gone.mp4"), Path("empty"), Path("*.gif")], PredictOptions(**options), heard)
    assert (summary.nothing_found, summary.failed, summary.written) == (True, 4, [])
    assert heard.failures == ["gone", "gone.mp4", "empty", "*.gif"]
    Path("empty").rmdir()
    assert sorted(Path().iterdir()) == before
    monkeypatch.setattr(pipeline, "load_networks", load)
    usual = {"faces_are_cropped": True, "device": "cpu"}
    assert (
        run_job([photos / "bright.png", Path("gone")], PredictOptions(**options, **usual)).pictures == 1
    )  # what is not there is none
    page = Path("page.html").read_bytes()
    rows = Path("new/rows.csv").read_bytes()
    run_job([Path("gone")], PredictOptions(**options, **usual, force=True))
    assert (Path("page.html").read_bytes(), Path("new/rows.csv").read_bytes()) == (page, rows)
