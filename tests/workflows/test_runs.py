"""Runs listed and compared: complete, unfinished and damaged ones."""

import json
import shutil
import sys
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from fercli.cli.app import app
from fercli.core.errors import RunError, UsageError
from fercli.workflows.runs import compare_runs, label_runs, list_runs, read_run
from fercli.workflows.train.options import TrainOptions
from fercli.workflows.train.run import train


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Two complete runs, one without its end, and one that is damaged."""
    folder = tmp_path_factory.mktemp("runs")
    usual = {"model": "lenet", "data": "cartoon", "recipe": "quick", "epochs": 2, "device": "cpu"}
    train(TrainOptions(out=folder / "a", **usual))
    train(TrainOptions(out=folder / "b", lr=2e-3, seed=1, **usual))
    train(TrainOptions(out=folder / "c", **usual))
    (folder / "c" / "metrics.json").unlink()
    (folder / "d").mkdir()
    (folder / "d" / "config.yaml").write_text("model: [")
    (folder / "notes").mkdir()
    return folder


def invoke(*words: object):
    return CliRunner().invoke(app, ["runs", *map(str, words)])


def test_each_run_has_its_state_and_figures(runs):
    found = {run.folder.name: run for run in list_runs(runs)}
    assert {name: run.state for name, run in found.items()} == {
        "a": "complete", "b": "complete", "c": "unfinished", "d": "damaged",
    }  # fmt: skip
    metrics = json.loads((runs / "a" / "metrics.json").read_text())
    assert found["a"].test_accuracy == metrics["test"]["single"]["accuracy"]
    assert found["a"].best_epoch == metrics["best_epoch"]
    assert found["c"].epochs == 2
    assert found["c"].test_accuracy is None
    assert found["c"].val_accuracy == max(row["val_accuracy"] for row in found["c"].history)
    assert "YAML" in found["d"].problem


def test_the_newest_comes_first(runs):
    names = [run.folder.name for run in list_runs(runs)]
    assert names[-1] == "a"


def test_settings_that_differ_are_shown_and_no_others(runs):
    _, differences = compare_runs([runs / "a", runs / "b"])
    assert differences == {"seed": ["0", "1"], "recipe.optimizer.lr": ["0.001", "0.002"]}
    assert compare_runs([runs / "a", runs / "c"])[1] == {}
    with pytest.raises(RunError, match="d cannot be compared"):
        compare_runs([runs / "a", runs / "d"])


@pytest.mark.parametrize(
    "content", ["epoch,val_accuracy\n1,x\n", "epoch\n1\n", "epoch,train_loss,val_loss,val_accuracy\nnan,1,1,1\n"]
)
def test_a_damaged_history_is_a_damaged_run(runs, tmp_path, content):
    run = tmp_path / "run"
    run.mkdir()
    (run / "config.yaml").write_text((runs / "a" / "config.yaml").read_text())
    (run / "history.csv").write_text(content)
    assert read_run(run).state == "damaged"


def test_alone_it_lists_what_is_in_runs(runs, tmp_path, monkeypatch):
    shutil.copytree(runs / "a", tmp_path / "runs" / "a")
    monkeypatch.chdir(tmp_path)
    assert "2 of 2" in invoke().stdout
    assert json.loads(invoke("--in", "runs", "--json").stdout) == json.loads(invoke("list", "--json").stdout)
    assert "list" in invoke("--help").stdout


def test_a_usual_name_stays_whole_beside_long_data(runs, tmp_path, monkeypatch):
    name = "20260704-101500_preact-resnet18_face-photos"
    shutil.copytree(runs / "a", tmp_path / name)
    config = tmp_path / name / "config.yaml"
    document = yaml.safe_load(config.read_text()) | {"model": "preact-resnet18", "data": "/data/photos-of-2026.zip"}
    config.write_text(yaml.safe_dump(document))
    monkeypatch.setenv("COLUMNS", "80")
    lines = invoke("--in", tmp_path).stdout.splitlines()
    assert [line.split()[0] for line in lines] == ["run", name, "preact-resnet18"]
    assert lines[1].rstrip().endswith("complete")
    assert "photos-of-2026.zip" in lines[2]


def test_a_recipe_s_note_is_no_setting_and_flags_are_called_as_typed(runs, tmp_path):
    for folder, detect in (("x", False), ("y", True)):
        shutil.copytree(runs / "a", tmp_path / folder)
        config = tmp_path / folder / "config.yaml"
        document = yaml.safe_load(config.read_text())
        document["recipe"]["note"], document["reading"]["detect"] = folder, detect
        config.write_text(yaml.safe_dump(document))
    assert compare_runs([tmp_path / "x", tmp_path / "y"])[1] == {"--detect": ["False", "True"]}


def test_runs_of_the_same_name_are_told_apart_by_their_folders(runs, tmp_path):
    for study in ("x", "y"):
        shutil.copytree(runs / "a", tmp_path / study / "trials" / "000")
    shown = invoke("compare", tmp_path / "x" / "trials" / "000", tmp_path / "y" / "trials" / "000", runs / "b").stdout
    assert str(Path("x", "trials", "000")) in shown
    assert str(Path("y", "trials", "000")) in shown
    assert label_runs([tmp_path / "x" / "trials" / "000", runs / "b"]) == ["000", "b"]


def test_the_command_lists_and_compares(runs, tmp_path):
    shown = invoke("list", "--in", runs).stdout
    assert "2 of 2" in shown
    assert "unfinished" in shown
    document = json.loads(invoke("list", "--in", runs, "--json").stdout)
    assert [run["state"] for run in document].count("complete") == 2
    result = invoke("compare", runs / "a", runs / "b", "--out", tmp_path / "curves.png")
    assert "recipe.optimizer.lr" in result.stdout
    assert (tmp_path / "curves.png").read_bytes().startswith(b"\x89PNG")
    assert "the settings are the same" in invoke("compare", runs / "a", runs / "c").stdout
    assert invoke("compare", "a", "b", "--in", runs, "--json").stdout == (
        invoke("compare", runs / "a", runs / "b", "--json").stdout
    )


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["list", "--in", "nowhere"], "no run in"),
        (["compare", "a"], "takes two runs or more"),
        (["compare", "a", "b", "--out", "c.jpg"], "must end in .png"),
        (["compare", "nowhere", "b"], "no run nowhere: there is none in runs"),
    ],
)
def test_what_does_not_serve_is_told(words, told):
    result = invoke(*words)
    assert isinstance(result.exception, UsageError)
    assert told in str(result.exception)


def test_tensorboard_gets_every_epoch(tmp_path):
    reader = pytest.importorskip(
        "tensorboard.backend.event_processing.event_accumulator", reason="needs the extra tensorboard"
    )
    out = tmp_path / "run"
    train(TrainOptions(model="lenet", recipe="quick", epochs=3, device="cpu", out=out, tensorboard=True))
    events = reader.EventAccumulator(str(out / "tensorboard"))
    events.Reload()
    history = read_run(out).history
    assert [event.step for event in events.Scalars("loss/val")] == [1, 2, 3]
    assert [event.value for event in events.Scalars("accuracy/val")] == pytest.approx(
        [row["val_accuracy"] for row in history]
    )


def test_without_tensorboard_one_line_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    with pytest.raises(UsageError, match=r"pip install tensorboard$"):
        train(TrainOptions(model="lenet", recipe="quick", out=tmp_path / "run", tensorboard=True))
    assert not (tmp_path / "run").exists()
