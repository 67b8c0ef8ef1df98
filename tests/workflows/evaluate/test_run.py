"""`fer eval` as a function, on runs: their data and split, and what is refused."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from fercli.core.errors import DataError, RunError
from fercli.data.cartoon import cartoon
from fercli.workflows.evaluate.options import EvaluateOptions
from fercli.workflows.evaluate.run import evaluate
from fercli.workflows.train.run import start_run


def evaluate_run(path: Path, **options: object):
    """What `fer eval` measures of a run."""
    return evaluate(EvaluateOptions(model=str(path), **options))


def test_evaluating_a_run_uses_its_data_and_its_split(run):
    result = evaluate_run(run.path, device="cpu")
    assert (result.split, result.data, result.scores.faces) == ("test", "cartoon", 70)
    test_ids = {line.split(",")[0] for line in run.split.read_text().splitlines() if line.endswith(",test")}
    assert set(result.predictions.ids) == test_ids
    assert result.scores.accuracy == json.loads(run.metrics.read_text())["test"]["single"]["accuracy"]


def test_weights_away_from_their_run_still_know_their_test_split(run, tmp_path):
    copy = tmp_path / "shared.safetensors"
    copy.write_bytes(run.weights.read_bytes())
    assert evaluate_run(copy, device="cpu").predictions.ids == evaluate_run(run.path, device="cpu").predictions.ids


def test_a_run_finds_its_data_from_anywhere(config, tmp_path, monkeypatch, small_fer2013):
    monkeypatch.chdir(small_fer2013.parent)
    run = start_run(config(data="fer2013", root=Path(small_fer2013.name), epochs=1), tmp_path / "run").folder
    monkeypatch.chdir(tmp_path)
    assert evaluate(EvaluateOptions(model="run")).data == "fer2013"
    by_path = str(small_fer2013.relative_to(small_fer2013.parent) / "fer2013.csv")
    monkeypatch.chdir(small_fer2013.parent)
    run = start_run(config(data=by_path, epochs=1), tmp_path / "other").folder
    monkeypatch.chdir(tmp_path)
    assert evaluate_run(run).split == "test"


def test_weights_alone_refuse_a_split_that_is_not_theirs(run, tmp_path, monkeypatch):
    """The same faces under other names would be split otherwise: test faces could be training faces."""
    copy = tmp_path / "shared.safetensors"
    copy.write_bytes(run.weights.read_bytes())
    renamed = replace(cartoon(), ids=tuple(f"outer/{name}" for name in cartoon().ids), subjects=None)
    monkeypatch.setattr("fercli.workflows.evaluate.data.load_faces", lambda *_: renamed)
    with pytest.raises(RunError, match="its test split is not known: --split all"):
        evaluate_run(copy)
    assert evaluate_run(copy, split="all").scores.faces == 700


def test_a_set_that_changed_since_is_refused(run, monkeypatch):
    grown = cartoon(subjects=21)
    monkeypatch.setattr("fercli.workflows.evaluate.data.load_faces", lambda *_: grown)
    with pytest.raises(RunError, match="not quite what"):
        evaluate_run(run.path)


def test_the_set_s_own_validation_split_is_spare_when_val_is_drawn(config, tmp_path, small_fer2013):
    chosen = config(data="fer2013", root=small_fer2013, epochs=1, val_fraction=0.25)
    run = start_run(chosen, tmp_path / "run").folder
    counts = json.loads((run / "meta.json").read_text())["data"]["faces"]
    assert counts == {"train": 63, "val": 21, "spare": 14, "test": 14}
    spare = evaluate_run(run, split="spare").predictions.ids
    assert all(name.startswith("PublicTest") for name in spare)


def test_what_was_trained_on_is_called_that(run):
    assert any("was trained on these faces" in note for note in evaluate_run(run.path, split="train").notes)
    assert any("slightly too high" in note for note in evaluate_run(run.path, split="val").notes)


def test_a_split_that_is_not_there_lists_those_that_are(run):
    with pytest.raises(DataError, match="has no spare split here: it has test, val, train"):
        evaluate_run(run.path, split="spare")


def test_other_classes_are_refused_with_both_lists(run, tmp_path):
    from PIL import Image

    for name in ("cat", "dog"):
        (tmp_path / "pets" / name).mkdir(parents=True)
        for number in range(4):
            Image.fromarray(np.full((48, 48), 40 * number, np.uint8)).save(tmp_path / "pets" / name / f"{number}.png")
    with pytest.raises(DataError, match="has the classes cat, dog; xu-rescnn knows angry"):
        evaluate_run(run.path, data=str(tmp_path / "pets"))


def test_a_foreign_set_without_a_split_is_measured_whole(run, tmp_path):
    from PIL import Image

    faces = cartoon()
    for image, label, name in list(zip(faces.images, faces.labels, faces.ids, strict=True))[::10]:
        folder = tmp_path / "drawn" / faces.classes[label]
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image[0]).save(folder / f"{name}.png")
    result = evaluate_run(run.path, data=str(tmp_path / "drawn"))
    assert (result.split, result.scores.faces) == ("all", 70)
    assert any("no split of its own" in note for note in result.notes)
    with pytest.raises(DataError, match="drawn has no val split here: leave --split out to measure all its faces"):
        evaluate_run(run.path, data=str(tmp_path / "drawn"), split="val")


def test_a_saved_evaluation_has_the_files_that_it_names(run, tmp_path):
    result = evaluate_run(run.path)
    named = result.save(tmp_path / "eval")
    assert sorted(named) == sorted(file.name for file in (tmp_path / "eval").iterdir())
    assert named == ["predictions.csv", "confusion.png", "reliability.png", "metrics.json"]
    result = evaluate_run(run.path, coverage=True)
    named = result.save(tmp_path / "curve")
    assert sorted(named) == sorted(file.name for file in (tmp_path / "curve").iterdir())
    assert set(named) == {"predictions.csv", "confusion.png", "reliability.png", "coverage.png", "metrics.json"}
    levels = json.loads((tmp_path / "curve" / "metrics.json").read_text())["coverage"]["levels"]
    assert levels[0]["accuracy"] == result.scores.accuracy
