"""The command `fer` as it is typed: real detector, real weights, every error one line and its exit code."""

import csv
import io
import json
import subprocess
import sys
from pathlib import Path

import pytest

from fercli.cli.app import _COMMANDS
from fercli.data.cartoon import cartoon
from fercli.data.loaders.face_file import write_faces
from fercli.models.catalogue import build_model, load_catalogue
from fercli.models.weights import Header, save_weights


@pytest.fixture
def portrait() -> Path:
    """Grace Hopper, from matplotlib's sample data: one face."""
    from matplotlib.cbook import get_sample_data

    return Path(get_sample_data("grace_hopper.jpg", asfileobj=False))


def test_version_and_help(fer):
    assert fer("--version")[1].startswith("fercli ")
    code, out, _ = fer("--help")
    assert code == 0
    assert all(command in out for command in ("predict", "train", "eval", "export", "models"))


@pytest.mark.parametrize("command", _COMMANDS)
def test_a_command_s_line_in_the_help_is_the_first_of_its_own(fer, command):
    _, _, line = _COMMANDS[command]
    assert f"{command:<8}  {line}\n" in fer("--help")[1]
    assert fer(command, "--help")[1].split("\n\n")[1].strip() == line


def test_the_demonstration_finds_its_face_with_the_shipped_weights(fer):
    code, out, err = fer("predict", "--demo", "--json")
    assert code == 0, err
    (row,) = json.loads(out)
    assert row["status"] == "ok"
    assert row["label"] in ("neutral", "happy")  # a composed face with the hint of a smile
    assert sum(
        row[name] for name in ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
    ) == pytest.approx(1, abs=1e-4)
    assert f"1 picture, 1 face: 1 {row['label']}" in err


def test_every_file_of_a_mixed_lot_ends_as_a_row(fer, portrait, tmp_path):
    from PIL import Image

    lot = tmp_path / "lot"
    lot.mkdir()
    Image.open(portrait).resize((256, 256)).save(lot / "a_face.png")
    Image.new("RGB", (200, 200), "green").save(lot / "b_green.jpg")
    (lot / "c_text.jpg").write_text("no picture at all")
    (lot / "d_empty.png").touch()
    (lot / "e_half.jpg").write_bytes(portrait.read_bytes()[:20_000])
    Image.new("RGB", (1, 1)).save(lot / "f_dot.png")
    Image.new("CMYK", (64, 64)).save(lot / "g_cmyk.jpg")
    code, out, err = fer("predict", lot, "--format", "csv", "--annotate", tmp_path / "marked")
    rows = list(csv.DictReader(io.StringIO(out)))
    assert [row["status"] for row in rows] == ["ok", "no face", "failed", "failed", "failed", "no face", "no face"]
    assert code == 1
    assert "7 pictures, 1 face" in err
    assert err.count("Traceback") == 0
    assert [file.name for file in (tmp_path / "marked").iterdir()] == ["a_face.png"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["prdict"], "no command 'prdict'; did you mean predict? (fer --help)"),
        (["predict", "--max-face", "1"], "no option --max-face; did you mean"),
        (["predict", "--helpers", "2"], "no option --helpers (fer predict --help)"),
        (["predict", "--max-faces", "x"], "--max-faces: must be a whole number"),
        (["crossval", "-j", "0"], "--jobs: must be 1 or more"),
        (["train", "--group", "foo"], "--group: 'foo' is not one of 'auto', 'subject', 'image'"),
        (["data", "check"], "missing argument"),
        (["predict"], "no picture given"),
        (["predict", "--demo", "--model", "xu-resnet"], "did you mean"),
        (["predict", "--demo", "--model", "bah-resnet"], "fer train --model bah-resnet"),
        (["predict", "--demo", "--device", "tpu"], "it is auto, cpu, cuda"),
        (["predict", "--demo", "-o", "faces.xlsx"], "does not end in .csv"),
        (["train", "--model", "xu"], "no model 'xu'"),
        (["train", "--recipe", "bset"], "did you mean best?"),
        (["train", "--data", "fer2013"], "Looked for: fer2013.csv"),
        (["train", "--data", "fergit"], "uldisvalainis/fergit"),
        (["train", "--data", "fer2103"], "did you mean fer2013"),
        (["train", "--data", "./nowhere.csv"], "no such file or folder"),
        (["train", "--set", "epochs"], "write it as key=value"),
        (["train", "--set", "epoch=3"], "--set epoch: unknown setting: did you mean epochs?"),
        (["train", "--set", "lr=3"], "--set lr: unknown setting: did you mean optimizer.lr?"),
        (["train", "--set", "optimiser.lr=3"], "--set optimiser: unknown setting: did you mean optimizer"),
        (["train", "--epochs", "0"], "--epochs: 0 must be 1 or more"),
        (["train", "--set", "epochs=many"], "--epochs: 'many' is not a whole number"),
        (["train", "--set", "optimizer=adam"], "--set optimizer: 'adam' is not a block of settings"),
        (["train", "--resume"], "no unfinished run"),
        (["train", "--config", "none.yaml"], "cannot read the settings"),
        (["eval"], "Looked for: fer2013.csv"),
        (["eval", "--model", "last"], "no finished run"),
        (["eval", "--data", "cartoon", "--split", "spare"], "has no spare split here"),
        (["models", "bah"], "no model 'bah'"),
        (["predict", "--demo", "--model", "xu-rescnn+"], "lacks a name beside a '+'"),
        (["export", "--model", "bah-resnet"], "fer train --model bah-resnet"),
        (["export", "--model", "xu-resnet"], "did you mean"),
        (["export", "--format", "onnx-int8"], "say which with --data"),
        (["export", "--format", "onnx-int8", "--data", "fer2013"], "Looked for: fer2013.csv"),
        (["export", "-o", "net.pt2", "--format", "onnx"], "ends in .onnx"),
    ],
)
def test_a_mistake_is_one_line_and_exit_code_2(fer, words, message):
    code, out, err = fer(*words)
    assert code == 2
    assert out == ""
    assert message in err
    errors = [line for line in err.splitlines() if line.startswith("error:")]
    assert len(errors) == 1
    assert "Traceback" not in err
    assert "Usage" not in err


@pytest.mark.parametrize(
    ("name", "message"), [("nowhere.jpg", "no such file or folder"), (".", "a folder without pictures")]
)
def test_a_lone_input_that_fails_is_a_row_as_beside_others(fer, name, message):
    code, out, err = fer("predict", name, "--format", "csv")
    (row,) = csv.DictReader(io.StringIO(out))
    assert (code, row["status"], row["message"]) == (1, "failed", message)
    assert message in err


def test_a_named_file_without_permission_is_a_row(fer, portrait, monkeypatch):
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("os.access", lambda *_, **__: False)
    monkeypatch.setattr("fercli.faces.io.decode.Image.open", refuse)
    code, out, err = fer("predict", portrait, "nowhere.jpg", "--format", "csv")
    assert [row["status"] for row in csv.DictReader(io.StringIO(out))] == ["failed", "failed"]
    assert (code, "no permission to read it" in err) == (1, True)


def test_an_option_without_its_value_names_the_help_of_its_command(fer):
    code, _, err = fer("predict", "--camera")
    assert (code, err) == (2, "error: option '--camera' requires an argument (fer predict --help)\n")


def test_debug_shows_where_an_error_arose(fer):
    with pytest.raises(Exception, match="no model 'xu'"):
        fer("train", "--model", "xu", "--debug")


def test_quiet_leaves_results_alone(fer):
    code, out, err = fer("predict", "--demo", "--quiet", "--format", "csv")
    assert (code, err) == (0, "")
    assert len(out.splitlines()) == 2


def test_a_training_says_its_default_data_and_what_to_type_next(fer, tmp_path):
    code, out, err = fer("train", "--recipe", "quick", "--epochs", 1, "--device", "cpu", "--out", "run")
    assert code == 0, err
    assert err.startswith("training xu-rescnn on cartoon (built-in drawn faces")
    assert "next: fer eval --model run" in err
    assert "test" in out
    code, out, err = fer("eval", "--model", "run", "--json", "--out", "measured")
    assert code == 0, err
    assert json.loads(out)["faces"] == 70
    assert (tmp_path / "measured" / "confusion.png").is_file()
    code, out, err = fer("eval", "--model", "run", "--out", "measured")
    assert code == 2
    assert "metrics.json exists already: --force replaces it" in err
    code, out, err = fer("train", "--resume", "--out", "run")
    assert code == 2
    assert "is complete" in err


def test_evaluating_prints_every_figure(fer):
    code, out, err = fer("eval", "--data", "cartoon")
    assert code == 0, err
    for word in (
        "accuracy",
        "balanced accuracy",
        "log loss",
        "ECE",
        "element-wise",
        "precision",
        "macro average",
        "true",
    ):
        assert word in out
    assert "measuring all 700 faces" in err


def test_accuracy_of_the_surest_faces_is_shown_and_given_as_json(fer):
    code, out, err = fer("eval", "--data", "cartoon", "--coverage")
    assert code == 0, err
    below = out[out.index("confidence from") :].splitlines()
    assert below[1].split()[:3] == ["100", "%", "700"]
    assert len(below[1:11]) == 10
    assert "AURC 0." in below[11]
    code, out, _ = fer("eval", "--data", "cartoon", "--coverage", "--json")
    curve = json.loads(out)["coverage"]
    assert curve["levels"][0]["accuracy"] == json.loads(out)["accuracy"]
    assert f"AURC {curve['aurc']:.4f}" in below[11]


def test_a_paper_s_figures_stand_beside_the_measured_ones(fer):
    code, out, err = fer("eval", "--model", "xu-rescnn", "--data", "cartoon", "--paper")
    assert code == 0, err
    below = out[out.index("beside the paper: Xu et al. 2021") :]
    assert "paper  here   diff" in below
    assert "happy" in below
    assert "paper 66.29 %" in below
    assert "here cartoon was measured: other faces" in " ".join(below.split())
    code, out, _ = fer("eval", "--model", "xu-rescnn", "--data", "cartoon", "--paper", "--json")
    figures = json.loads(out)["paper"]["figures"]
    assert {"of": "happy", "measure": "recall"}.items() <= figures[1].items()
    assert figures[-1]["paper"] == 0.6629
    assert figures[-1]["here"] == json.loads(out)["accuracy"]


def test_a_network_of_no_paper_has_no_figures_to_stand_beside(fer):
    code, out, err = fer("eval", "--data", "cartoon", "--paper")
    assert (code, out) == (2, "")
    assert "vgg14 in models.yaml holds no claims: leave the flag out, or name a network of a paper" in err


def test_chen_s_accuracy_is_explained(fer, tmp_path):
    write_faces(tmp_path / "few.safetensors", cartoon(subjects=10, each=1))
    entry = load_catalogue()["chen-resnet-mlp"]
    training = {"data": "elsewhere", "remark": entry.remark(entry.recipes["quick"])}
    header = Header(
        "chen-resnet-mlp", entry.architecture, entry.arguments, entry.input.model_dump(), entry.classes,
        training=training,
    )  # fmt: skip
    save_weights(tmp_path / "drawn.safetensors", build_model("chen-resnet-mlp").state_dict(), header)
    code, out, err = fer("eval", "--model", "drawn.safetensors", "--data", "few.safetensors", "--paper")
    assert code == 0, err
    assert "without ImageNet weights, not the paper's set-up" in err
    text = " ".join(out.split())
    assert "accuracy paper not stated" in text
    assert "element-wise accuracy paper 85.71 %" in text
    assert "6/7 = 0.857142… is the element-wise accuracy of a network that never gives any class more than 0.5" in text


def test_a_folder_for_a_hub_is_a_model_to_every_command(fer, tmp_path):
    code, out, err = fer("export", "--model", "xu-rescnn", "--to-hub-folder", "hub")
    assert code == 0, err
    assert all(name in out for name in ("README.md", "config.json", "model.onnx", "model.safetensors"))
    assert "nothing was uploaded" in err
    assert "next: fer predict --model hub PHOTO" in err
    (before,), (after,) = (
        json.loads(fer("predict", "--demo", "--engine", "torch", "--json", "--model", name)[1])
        for name in ("xu-rescnn", "hub")
    )
    assert after == before
    assert fer("eval", "--model", "hub", "--data", "cartoon", "--split", "all")[0] == 0
    code, out, err = fer("export", "--model", "xu-rescnn", "--to-hub-folder", "hub", "--json")
    assert (code, out) == (2, "")
    assert "hub exists already: --force replaces it" in err
    assert fer("export", "--to-hub-folder", "new", "--format", "onnx")[0] == 2
    assert {path.name for path in tmp_path.iterdir()} == {"hub"}


def test_an_exported_network_does_what_it_was_made_of_does(fer, tmp_path):
    words = ("--model", "xu-rescnn", "--data", "cartoon", "--output", "out/net.onnx")
    code, out, err = fer("export", *words)
    assert code == 0, err
    assert all(word in out for word in ("net.onnx", "PyTorch", "64 faces", "accuracy", "0 of 70 faces of cartoon val"))
    assert "next: fer predict --model out/net.onnx PHOTO" in err
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"net.onnx", "net.onnx.json"}
    (before,), (after,) = (
        json.loads(fer("predict", "--demo", "--json", *model)[1]) for model in (words[:2], ("--model", words[-1]))
    )
    assert after["label"] == before["label"]
    assert after["confidence"] == pytest.approx(before["confidence"], abs=1e-4)
    code, out, err = fer("export", *words, "--json")
    assert (code, out) == (2, "")
    assert "exists already: --force replaces it" in err


@pytest.mark.parametrize("words", [("--help",), ("train", "--help"), ("models",), ("models", "lenet", "--json")])
def test_what_only_shows_something_does_not_wait_for_pytorch(words):
    program = f"import sys; sys.modules.update(torch=None, cv2=None); sys.argv = {['fer', *words]}; "
    command = [sys.executable, "-c", f"{program}from fercli.cli.app import main; main()"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout


def test_the_list_of_models_fits_a_narrow_screen(fer, monkeypatch):
    assert "2.8 M" in fer("models")[1]
    monkeypatch.setenv("COLUMNS", "50")
    out = fer("models")[1]
    assert "…" not in out
    assert all(len(line) <= 50 for line in out.splitlines())
    assert "54,983" in out
    assert "2.8 M" not in out


def test_models_lists_and_shows(fer):
    code, out, _ = fer("models")
    assert code == 0
    rows = {line.split()[0]: line for line in out.splitlines() if line}
    assert {"xu-rescnn", "bah-resnet", "mini-xception", "li-resnet101"} <= rows.keys()
    assert all(part in rows["mini-xception"] for part in ("58,423", "5.5 M", "234 KB", "64.04 % fer2013"))
    assert "54,983" in fer("models", "xu-rescnn")[1]
    assert json.loads(fer("models", "--json")[1])["bah-basic"]["parameters"]["total"] == 4_734_455
    assert json.loads(fer("models", "lenet", "--json")[1])["lenet"]["size_bytes"] == 4 * 168_971
    chen = " ".join(fer("models", "chen-resnet-mlp")[1].split())
    assert "frozen conv1 bn1 layer1" in chen
    assert "ResNet50_Weights.IMAGENET1K_V1" in chen


def test_models_prints_the_licence_of_what_ships(fer):
    shown = " ".join(fer("models", "vgg14")[1].split())
    assert "licence MIT (LICENSE). It covers what we can grant. The weights were trained on fer2013 and mux" in shown
    assert json.loads(fer("models", "vgg14", "--json")[1])["vgg14"]["licence"]["name"] == "MIT"
    assert "licence" not in fer("models", "lenet")[1]
    code, out, _ = fer("models", "mtcnn")
    assert code == 0
    assert "licence MIT (fercli/weights/mtcnn/LICENSE.md)" in " ".join(out.split())
    assert json.loads(fer("models", "mtcnn", "--json")[1])["mtcnn"]["licence"]["name"] == "MIT"


def test_where_a_training_starts_from_makes_sense(fer, tmp_path):
    (tmp_path / "x.pth").write_bytes(b"")
    code, _, err = fer("train", "--pretrained-file", "x.pth")
    assert code == 2
    assert "xu-rescnn starts from scratch" in err
    code, _, err = fer("train", "--model", "li-resnet50", "--pretrained-file", "x.pth", "--no-pretrained")
    assert code == 2
    assert "leave out either it or --pretrained-file" in err
    code, _, err = fer("train", "--model", "li-resnet50", "--pretrained-file", "x.pth")
    assert code == 2
    assert "error: cannot read" in err
    assert not (tmp_path / "runs").exists()
