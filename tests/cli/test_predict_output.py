"""`fer predict --output` over several starts, and what it says; the network and the detector are stand-ins."""

import inspect
import json
import os
import sys
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import fercli.faces.mtcnn.detector
import fercli.models.load
from fercli.cli.predict import predict
from fercli.faces.detection import Detection
from fercli.workflows.predict import pipeline
from fercli.workflows.predict.options import PredictOptions


class SureWhenBright:
    remark = ""
    faces_per_call, threads = 16, 1
    classes = ("angry", "happy")

    def probabilities(self, faces):
        light = faces.reshape(len(faces), -1).mean(1) / 255
        return np.stack([1 - light, light], 1).astype(np.float32)


class TwoFaces:
    def __init__(self, *_: object) -> None:
        pass

    def find_all(self, pictures):
        return [self.find(picture) for picture in pictures]

    def find(self, picture):
        points = ((5.0, 5.0),) * 5
        return [Detection((1.0 + 10 * i, 2.0, 11.0 + 10 * i, 12.0), points, 0.99) for i in range(2)]


@pytest.fixture
def stand_ins(monkeypatch):
    monkeypatch.setattr("fercli.models.onnx_model.load_onnx_model", lambda *_, **__: None)
    monkeypatch.setattr(fercli.models.load, "load_model", lambda *_, **__: SureWhenBright())
    monkeypatch.setattr(fercli.faces.mtcnn.detector, "Detector", TwoFaces)


@pytest.fixture
def photos(tmp_path):
    folder = tmp_path / "photos"
    folder.mkdir()
    for number, shade in enumerate((250, 10, 140, 60)):
        Image.new("RGB", (40, 30), (shade,) * 3).save(folder / f"{number}.png")
    (folder / "4.png").write_text("no picture")
    return folder


@pytest.fixture
def stop_after(monkeypatch):
    """Ctrl-C after so many results; None for no more."""
    whole = pipeline.predict_sources

    def stopping(number):
        def stopped(*arguments, **options):
            for made, result in enumerate(whole(*arguments, **options)):
                if made == number:
                    raise KeyboardInterrupt
                yield result

        monkeypatch.setattr(pipeline, "predict_sources", stopped if number is not None else whole)

    return stopping


@pytest.mark.usefixtures("stand_ins")
@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_ctrl_c_and_resume_come_to_the_same_file_and_the_same_words(fer, photos, stop_after, form):
    whole = fer("predict", photos, "-o", f"whole.{form}")
    stop_after(2)
    code, out, err = fer("predict", photos, "-o", f"a.{form}", "--annotate", "drawn")
    assert (code, out) == (130, "")
    assert err.splitlines()[-1] == (f"stopped after 2 pictures of 5; the same command with --resume continues a.{form}")
    assert "written to" not in err
    stop_after(None)
    code, out, err = fer("predict", photos, "-o", f"a.{form}")
    assert code == 2
    assert err == f"error: a.{form} is of an interrupted job: --resume continues it, --force starts over\n"
    code, out, err = fer("predict", photos, "-o", f"a.{form}", "--annotate", "drawn", "--resume")
    assert err.splitlines()[0] == f"resuming a.{form}: 1 done, 4 left"
    assert (code, err.splitlines()[2]) == (1, whole[2].splitlines()[1])  # the closing line, over all starts
    here = photos.parent
    assert (here / f"a.{form}").read_bytes() == (here / f"whole.{form}").read_bytes()
    assert sorted(path.name for path in (here / "drawn").iterdir()) == ["0.png", "1.png", "2.png", "3.png"]
    code, out, err = fer("predict", photos, "-o", f"a.{form}", "--resume")
    assert code == 1
    assert err.splitlines() == [
        f"a.{form} has all 5 pictures already: nothing left to do",
        "1 of them failed earlier: --force tries all of them again",
    ]


@pytest.mark.usefixtures("stand_ins")
def test_what_is_said_at_a_stop_with_embeddings_can_be_typed(fer, photos, stop_after, monkeypatch):
    def pass_on(predicted, *_):
        yield from predicted

    monkeypatch.setattr("fercli.models.load.Model", SureWhenBright)
    monkeypatch.setattr("fercli.models.embed.Embedder", lambda _: None)
    monkeypatch.setattr("fercli.workflows.predict.visuals.embeddings.write_embeddings", pass_on)
    stop_after(2)
    job = ("predict", photos, "-o", "a.csv")
    _, _, err = fer(*job, "--embeddings", "a.npz")
    assert err.splitlines()[-1] == (
        "stopped after 2 pictures of 5; with --resume in place of --embeddings, the same command continues a.csv; "
        "--force starts over"
    )
    code, _, err = fer(*job, "--embeddings", "a.npz", "--resume")
    assert (code, err.count("\n")) == (2, 1)
    assert "leave it out, or start over with --force in place of --resume" in err
    stop_after(None)
    assert "resuming a.csv" in fer(*job, "--resume")[2]
    assert "written to a.csv" in fer(*job, "--embeddings", "a.npz", "--force")[2]


@pytest.mark.usefixtures("stand_ins")
def test_resume_refuses_other_settings_in_one_line(fer, photos):
    fer("predict", photos, "-o", "a.csv", "--min-confidence", 0.7)
    code, _, err = fer("predict", photos, "-o", "a.csv", "--no-tta", "--resume")
    assert code == 2
    assert err == (
        "error: a.csv was begun differently (tta: yes, now no; min-confidence: 0.7, now 0.0): "
        "use the same version and settings, or --force starts over\n"
    )


def test_every_option_has_a_flag_of_its_name_and_default():
    flags = inspect.signature(predict).parameters
    for option in fields(PredictOptions):
        assert option.name in flags
        if option.name not in ("every", "smooth"):  # typed as text, with units
            assert flags[option.name].default == option.default, option.name


@pytest.mark.usefixtures("stand_ins")
def test_a_parquet_file_is_made_at_the_end(fer, photos, stop_after):
    stop_after(2)
    assert fer("predict", photos, "-o", "a.parquet")[0] == 130
    assert not (photos.parent / "a.parquet").exists()
    stop_after(None)
    fer("predict", photos, "-o", "a.parquet", "--resume")
    fer("predict", photos, "-o", "a.csv")
    here = photos.parent
    assert list(fercli.read_predictions(here / "a.parquet")) == list(fercli.read_predictions(here / "a.csv"))
    assert sorted(path.name for path in here.glob("a.*")) == ["a.csv", "a.csv.job", "a.parquet"]


def test_without_pyarrow_nothing_is_begun(fer, photos, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    code, _, err = fer("predict", photos, "-o", "a.parquet")
    assert (code, err.count("\n")) == (2, 1)
    assert err.startswith("error: a.parquet needs pyarrow: pip install pyarrow;")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--resume",), "--resume needs an --output FILE.csv, .jsonl or .parquet"),
        (("--resume", "-o", "a.json"), "a JSON document is written whole, at its end"),
        (("--resume", "--force", "-o", "a.csv"), "leave one out"),
        (("--resume", "-o", "a.csv"), "nothing to resume: there is no a.csv (leave --resume out to begin)"),
        (("--min-confidence", 60), "--min-confidence 60: it must be from 0 to 1 (0.6 for 60 %)"),
        (("--min-confidence", -0.5), "--min-confidence -0.5: it must be from 0 to 1"),
    ],
)
def test_what_makes_no_sense_is_one_line(fer, photos, words, told):
    code, out, err = fer("predict", photos, *words)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert told in err


@pytest.mark.usefixtures("stand_ins")
def test_below_the_least_confidence_a_face_is_unsure_and_its_figures_stay(fer, photos):
    code, out, err = fer("predict", photos / "0.png", photos / "2.png", "--min-confidence", 0.6)
    assert code == 0
    assert err == "2 pictures, 4 faces: 2 happy, 2 unsure\n"
    rows = [line.split() for line in out.splitlines()[1:]]
    assert [row[-5:] for row in rows] == [
        ["happy", "98", "%", "2", "98"],
        ["happy", "98", "%", "2", "98"],
        ["unsure", "55", "%", "45", "55"],
        ["unsure", "55", "%", "45", "55"],
    ]
    _, out, _ = fer("predict", photos / "2.png", "--min-confidence", 0.6, "--json")
    row = json.loads(out)[0]
    assert (row["label"], row["confidence"], row["happy"]) == ("unsure", 0.54902, 0.54902)


@pytest.mark.usefixtures("stand_ins")
def test_a_resumed_job_draws_beside_what_it_drew_before_and_over_nothing_else(fer, tmp_path):
    Image.new("RGB", (40, 30), "white").save(tmp_path / "x.tif")
    assert fer("predict", tmp_path, "-o", "a.csv", "--annotate", "drawn")[0] == 0
    first = (tmp_path / "drawn" / "x.png").read_bytes()
    Image.new("RGB", (40, 30), "gray").save(tmp_path / "x.bmp")
    code, _, err = fer("predict", tmp_path, "-o", "a.csv", "--annotate", "drawn", "--resume")
    assert code == 0, err
    assert (tmp_path / "drawn" / "x.png").read_bytes() == first
    assert (tmp_path / "drawn" / "x-2.png").is_file()

    (tmp_path / "mine").mkdir()
    Image.new("RGB", (4, 3)).save(tmp_path / "mine" / "y.png")
    os.utime(tmp_path / "mine" / "y.png", (1, 1))
    Image.new("RGB", (40, 30), "black").save(tmp_path / "y.jp2")
    code, _, err = fer("predict", tmp_path, "-o", "a.csv", "--annotate", "mine", "--resume")
    assert code == 2
    assert "mine/y.png exists already" in Path(err).as_posix()


@pytest.mark.usefixtures("stand_ins")
def test_two_kinds_of_pictures_need_two_folders(fer, photos):
    code, _, err = fer("predict", photos, "--annotate", "drawn", "--explain", "./drawn")
    assert (code, err) == (2, "error: --annotate and --explain name the same folder, drawn: use two\n")


def test_the_report_of_a_complete_job_is_made_of_its_rows(fer, photos):
    fer("predict", photos, "-o", "a.csv", "--faces-are-cropped")
    code, _, err = fer("predict", photos, "-o", "a.csv", "--faces-are-cropped", "--resume", "--report", "page.html")
    assert code == 1, err
    page = (photos.parent / "page.html").read_text(encoding="utf-8")
    assert "Expressions in 4 faces" in page
    assert "4 faces of earlier starts of this job: counted, not shown" in page


def test_nothing_that_is_read_is_written_over(fer, photos):
    listed = photos.parent / "list.csv"
    listed.write_text(str(photos / "0.png"))
    code, _, err = fer("predict", "--from-file", listed, "-o", listed, "--force")
    assert code == 2
    assert "is the list that --from-file reads" in err
    assert listed.read_text() == str(photos / "0.png")


def test_settings_of_a_search_that_is_not_made_are_refused(fer, photos):
    code, _, err = fer("predict", photos, "--faces-are-cropped", "--min-face", 40)
    assert code == 2
    assert "--faces-are-cropped searches nothing" in err


@pytest.mark.usefixtures("stand_ins")
def test_a_job_of_the_largest_faces_is_resumed_with_the_same_number_only(fer, photos):
    code, out, _ = fer("predict", photos / "0.png", "--max-faces", 1, "--format", "csv")
    assert (code, len(out.splitlines())) == (0, 2)
    fer("predict", photos, "-o", "a.csv", "--max-faces", 1)
    code, _, err = fer("predict", photos, "-o", "a.csv", "--resume")
    assert code == 2
    assert "a.csv was begun differently (max-faces: 1, now 0)" in err


@pytest.mark.usefixtures("stand_ins")
def test_a_job_begun_before_an_option_existed_is_resumed_with_its_default(fer, photos):
    fer("predict", photos / "0.png", "-o", "a.csv")
    record = photos.parent / "a.csv.job"
    begun = json.loads(record.read_text())
    del begun["settings"]["max-faces"]
    record.write_text(json.dumps(begun))
    code, _, err = fer("predict", photos, "-o", "a.csv", "--resume", "--max-faces", 3)
    assert (code, err.count("\n")) == (2, 1)
    assert "(max-faces: 0, now 3)" in err
    code, _, err = fer("predict", photos, "-o", "a.csv", "--resume")
    assert code == 1
    assert err.splitlines()[0] == "resuming a.csv: 1 done, 4 left (its record is older and lacks max-faces: 0)"
