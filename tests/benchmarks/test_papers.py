"""The page that holds the papers' claims against what was trained here."""

import json

import numpy as np
import pytest

from benchmarks import papers
from benchmarks.papers_page import claims_table, classes_table, figure, readings_table, verdict
from benchmarks.papers_plan import CLAIMS, READINGS, ROWS
from fercli.data.cartoon import cartoon
from fercli.models.catalogue import load_catalogue
from fercli.workflows.run_folder import RunFolder
from fercli.workflows.train.options import TrainOptions
from fercli.workflows.train.settings import parse_settings, resolve_config


def records(row: str, *accuracies: float) -> list[dict[str, object]]:
    return [
        {
            "row": row, "seed": seed, "command": f"fer train --seed {seed}", "faces": 3589, "accuracy": accuracy,
            "mirrored": accuracy + 1, "new_faces": 3000, "new_accuracy": accuracy - 1, "best_epoch": 90 + seed,
            "epochs": 100, "minutes": 20.5,
        }
        for seed, accuracy in enumerate(accuracies)
    ]  # fmt: skip


def test_every_run_can_be_trained_and_has_a_claim():
    assert {row.name for row in ROWS} == {
        row.name for row in (*CLAIMS, *(r for rows in READINGS.values() for r in rows))
    }
    for row in ROWS:
        assert row.claim.measure == "accuracy"
        changed = parse_settings([word for word in row.options if word != "--set"])
        options = TrainOptions(model=row.model, data=row.data, recipe=row.recipe, recipe_settings=changed)
        config = resolve_config(options)
        assert config.group == "image", "the papers split by image"
        same = config.recipe == load_catalogue().recipe(row.model, "paper")
        assert same == (row in CLAIMS), f"{row.name} changes nothing, or does and is no reading"
        assert row.reading or row in CLAIMS


def test_the_interval_is_of_faces_and_of_seeds():
    one = figure(records("a", 64.0))
    assert one.error == pytest.approx(np.sqrt(64 * 36 / 3589))
    three = figure(records("a", 63.0, 64.0, 65.0))
    assert (three.mean, three.sd) == (64.0, 1.0)
    assert three.error == pytest.approx(np.sqrt(64 * 36 / 3589 + 1 / 3))


@pytest.mark.parametrize(
    ("accuracy", "said"),
    [(70.0, "reproduced"), (65.0, "reproduced"), (64.5, "within chance"), (63.0, "not reproduced")],
)
def test_a_verdict_is_of_the_interval_then_of_the_difference(accuracy, said):
    """Of 3,589 faces the interval reaches 1.56 points up from 65 %, the difference of two such figures 2.2."""
    assert verdict(figure(records("a", accuracy)), 66.29, 3589) == said


def test_a_row_has_a_run_or_waits_for_one():
    table = claims_table(records("xu-rescnn", 63.0, 63.5, 64.0)).splitlines()
    assert len({line.count("|") for line in table}) == 1, "a row lacks a cell"
    row = next(line for line in table if line.startswith("| `xu-rescnn` |"))
    assert "| 66.29 % | 63.50 ± 0.50 % | not reproduced |" in row
    assert "| -2.79 |" in row
    assert "| 90 to 92 of 100 |" in row
    assert sum("not trained yet" in line for line in table) == len(CLAIMS) - 1
    readings = readings_table(READINGS["xu-readings"], records("xu-rescnn", 63.0))
    assert readings.count("\n") == 2
    assert "| as `paper` in models.yaml | 1 | 63.00 % |" in readings


def test_class_weights_are_taken_out_of_what_a_network_says():
    """What it cannot tell apart goes by frequency again; what it is sure of stays."""
    plain = papers.take_weights_out(np.array([[0.5, 0.5], [0.0, 1.0]]), np.array([90, 10]))
    assert plain == pytest.approx(np.array([[0.9, 0.1], [0.0, 1.0]]))


def test_the_classes_of_a_run_stand_beside_the_paper_s():
    row = READINGS["bah-readings"][0]
    run: dict[str, object] = dict(records(row.name, 68.0)[0])
    run["per_class"] = {name: {"precision": 10.0, "recall": 20.0} for name in row.claim.per_class}
    run["unweighted_per_class"] = {name: {"precision": 30.0, "recall": 40.0} for name in row.claim.per_class}
    run["unweighted_accuracy"] = 71.0
    assert "| disgust | 71 % | 10 % | 30 % | 54 % | 20 % | 40 % |" in classes_table(row, [run])
    assert classes_table(row, []).count("\n") == 1
    readings = readings_table(READINGS["bah-readings"], [run])
    assert "| the same outputs, weights taken out | 1 | 71.00 % |" in readings


def test_a_finished_run_is_filed_once(tmp_path, monkeypatch):
    """A real run of the drawn faces, by image: its test faces are new pictures of people whom training knows."""
    row = papers.Row("drawn", "xu-rescnn", "cartoon", "test", 70, recipe="quick", options=("--epochs", "1"))
    page = tmp_path / "papers.md"
    page.write_text(
        "".join(
            f"<!-- begin {section} -->\n<!-- end {section} -->\n" for section in ("claims", *READINGS, "bah-classes")
        )
    )
    monkeypatch.setattr(papers, "ROWS", (row,))
    monkeypatch.setattr(papers, "PAGE", page)
    monkeypatch.setattr(papers, "RECORDS", tmp_path / "papers.json")
    monkeypatch.setattr("sys.argv", ["papers", "--runs", str(tmp_path), "--train"])
    papers.main()
    filed = json.loads((tmp_path / "papers.json").read_text())
    (found,) = filed.values()
    assert found["faces"] == found["new_faces"] == 70, "by person, nobody in test is known"
    assert found["accuracy"] == found["new_accuracy"]
    assert found["command"] == "fer train --model xu-rescnn --data cartoon --recipe quick --epochs 1 --seed 0"
    (tmp_path / "drawn-seed0" / "metrics.json").unlink()
    papers.main()  # what is filed is not trained again
    assert json.loads((tmp_path / "papers.json").read_text()) == filed
    assert not RunFolder(tmp_path / "drawn-seed0").complete


def test_a_run_resumed_in_another_precision_has_both():
    bf16, fp32 = {"precision": "bf16"}, {"precision": "fp32"}
    assert papers.precisions(bf16) == "bf16"
    assert papers.precisions({**bf16, "resumed": [fp32, fp32]}) == "bf16, fp32"
    assert papers.precisions({**bf16, "resumed": [bf16]}) == "bf16"


def test_faces_that_training_knows_are_told_apart(tmp_path, monkeypatch):
    from fercli.workflows.train.run import train

    options = TrainOptions(recipe="quick", group="image", device="cpu", epochs=1, out=tmp_path / "run")
    folder = RunFolder(train(options).folder)
    right, new = papers._right_and_new("test", folder)
    assert len(right) == len(new) == 70
    persons = cartoon().subjects
    assert persons is not None
    assert not new.any(), "every person of the test split is in training too"
