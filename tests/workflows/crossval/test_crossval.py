"""Cross-validation as a function: what it leaves, what it pools, how it is resumed."""

import csv
import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from fercli.core.errors import DataError, RunError, UsageError
from fercli.core.lock import hold_lock
from fercli.data.cartoon import cartoon
from fercli.workflows.crossval.crossval_folder import unfinished_crossval
from fercli.workflows.crossval.settings import read_crossval
from fercli.workflows.evaluate.options import EvaluateOptions
from fercli.workflows.evaluate.run import evaluate

FOLD_FILES = {
    "config.yaml",
    "meta.json",
    "split.csv",
    "model.safetensors",
    "history.csv",
    "predictions.csv",
    "metrics.json",
}
SERIES_FILES = {
    "runs.csv", "runs.md", "runs.tex", "confusion.csv", "confusion.md", "confusion.tex", "predictions.csv",
}  # fmt: skip
TOP_FILES = {
    "crossval.yaml", "meta.json", "folds.json", "results.md", "crossval.json", "accuracy.csv", "accuracy.md",
    "accuracy.tex", "papers.csv", "papers.md", "papers.tex", "image",
}  # fmt: skip


def names(folder: Path):
    return {file.name for file in folder.iterdir()}


@pytest.mark.usefixtures("with_pictures")
def test_a_cross_validation_leaves_exactly_its_files(run):
    result = run(runs=2)
    folder = result.folder / "image" / "lenet"
    assert names(result.folder) == TOP_FILES
    assert names(folder) == SERIES_FILES | {"run-01", "run-02", "confusion.png", "sensitivities.png", "trend.png"}
    for number in (1, 2):
        assert names(folder / f"run-{number:02}") == {"fold-01", "fold-02", "fold-03"}
        assert names(folder / f"run-{number:02}" / "fold-02") == FOLD_FILES
    document = json.loads((result.folder / "crossval.json").read_text())
    assert document == json.loads(json.dumps(result.to_dict()))
    assert (document["runs"], document["folds"]) == (2, 3)


def test_every_face_is_tested_once_a_run_and_the_tables_follow_from_the_predictions(run):
    result = run(runs=2)
    folder = result.folder / "image" / "lenet"
    rows = list(csv.DictReader((folder / "predictions.csv").read_text().splitlines()))
    faces = cartoon(6, 1)
    assert Counter((row["run"], row["id"]) for row in rows) == {(run, face): 1 for run in "12" for face in faces.ids}
    for number in "12":
        right = [row["label"] == row["predicted"] for row in rows if row["run"] == number]
        assert np.mean(right) == pytest.approx(result.series[0].scores.accuracy[int(number) - 1])
    assert result.series[0].scores.total.sum() == 2 * 42
    assert all(sum(float(row[name]) for name in faces.classes) == pytest.approx(1) for row in rows)
    table = list(csv.reader((folder / "runs.csv").read_text().splitlines()))
    assert table[0] == ["run", *faces.classes, "OA"]
    assert [row[0] for row in table[1:]] == ["1", "2", "mean ± SD"]
    assert table[-1][-1] == result.series[0].scores.accuracy_spread.percent()


def test_a_fold_is_a_run_that_can_be_measured(run, monkeypatch):
    monkeypatch.setattr("fercli.workflows.evaluate.data.load_faces", lambda *_: cartoon(6, 1))
    result = run()
    fold = result.folder / "image" / "lenet" / "run-01" / "fold-01"
    measured = evaluate(EvaluateOptions(model=str(fold), device="cpu"))
    assert (measured.split, measured.scores.faces) == ("test", 14)
    assert measured.scores.accuracy == pytest.approx(result.series[0].by_fold[0, 0])
    assert json.loads((fold / "meta.json").read_text())["crossval"] == {"run": 1, "fold": 1}


def test_runs_are_drawn_anew_and_the_first_does_not_depend_on_how_many(run):
    two, one = run("two", runs=2), run("one")
    assert not np.array_equal(two.series[0].folds[0], two.series[0].folds[1])
    assert np.array_equal(one.series[0].probabilities[0], two.series[0].probabilities[0])


def test_by_person_nobody_is_on_two_sides_and_both_ways_show_the_gap(run):
    result = run(group="both", baselines=["nearest", "majority"])
    by = {(one.grouping, one.method): one for one in result.series}
    assert set(by) == {(way, name) for way in ("image", "subject") for name in ("lenet", "nearest", "majority")}
    subjects, folds = np.array(cartoon(6, 1).subjects), by["subject", "lenet"].folds[0]
    assert all(len(set(folds[subjects == name])) == 1 for name in subjects)
    (gap,) = [gap for gap in result.gaps if gap.method == "nearest"]
    image, subject = (by[way, "nearest"].scores.accuracy_spread.mean for way in ("image", "subject"))
    assert gap.difference.mean == pytest.approx(image - subject)
    assert "lenet − nearest" in (result.folder / "differences.csv").read_text()
    assert "people are in training and test" in " ".join(result.notes)
    compared = [(one.grouping, one.first, one.second) for one in result.comparisons]
    assert compared == [(way, "lenet", name) for way in ("image", "subject") for name in ("nearest", "majority")]


def test_two_networks_meet_on_the_same_folds(run):
    result = run(models=("lenet", "mini-xception"))
    first, second = result.series
    assert np.array_equal(first.folds, second.folds)
    (compared,) = result.comparisons
    assert compared.difference.mean == pytest.approx((first.by_fold - second.by_fold).mean())
    right = [one.probabilities[0].argmax(1) == cartoon(6, 1).labels for one in (first, second)]
    assert compared.mcnemar[0].first_only == (right[0] & ~right[1]).sum()


@pytest.mark.parametrize("seed", [0, 1])
def test_killed_at_random_moments_it_ends_with_the_same_tables(run, made, killed_until_it_ends, seed):
    undisturbed = made(run("whole", baselines=["majority"], epochs=2).folder)
    result = killed_until_it_ends(lambda: run("broken", baselines=["majority"], epochs=2), seed)
    assert made(result.folder) == undisturbed


def test_a_finished_one_gives_its_tables_again_without_training(run, monkeypatch):
    first = run()
    monkeypatch.setattr("fercli.workflows.train.job.fit", None)
    again = run()
    assert again.to_dict() == first.to_dict()


def test_changed_settings_are_refused_with_what_differs(run, tmp_path):
    run()
    with pytest.raises(RunError, match=r"other settings \(runs: 1, 2; recipe.epochs: 1, 2\): leave them out"):
        run(runs=2, epochs=2)
    with pytest.raises(RunError, match=r"model: lenet, mini-xception"):
        run(models=("mini-xception",))
    assert run(runs=2, force=True).series[0].scores.accuracy.shape == (2,)
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "letter.txt").write_text("dear")
    with pytest.raises(RunError, match="is not empty and no cross-validation"):
        run("other", force=True)


def test_changed_data_are_refused(run, monkeypatch):
    run()
    monkeypatch.setattr("fercli.workflows.crossval.run.load_set", lambda *_: cartoon(6, 1, seed=1))
    with pytest.raises(RunError, match="drawn for other data than cartoon is now"):
        run()


def test_another_kind_of_device_is_refused(run):
    meta = run().folder / "meta.json"
    document = json.loads(meta.read_text())
    assert document["device"] == "cpu"
    meta.write_text(json.dumps({**document, "device": "cuda"}))
    with pytest.raises(RunError, match="was begun on cuda, this is cpu"):
        run()


def test_a_checkpoint_that_is_damaged_costs_its_fold_alone(run, made, monkeypatch):
    expected = run("whole")

    def killed(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("fercli.workflows.train.run.write_results", killed)
        with pytest.raises(KeyboardInterrupt):
            run("broken")
    (checkpoint,) = (expected.folder.parent / "broken").rglob("last.ckpt")
    checkpoint.write_bytes(b"no checkpoint")
    result = run("broken")
    assert made(result.folder) == made(expected.folder)
    assert result.series[0].notes == ()


def test_nothing_is_written_when_folds_cannot_be_drawn(run, tmp_path, monkeypatch):
    with pytest.raises(DataError, match="only 6 faces of angry"):
        run(folds=7)
    with pytest.raises(DataError, match="take 3 or more"):
        run(folds=2)
    nobody = replace(cartoon(6, 1), subjects=None)
    monkeypatch.setattr("fercli.workflows.crossval.run.load_set", lambda *_: nobody)
    for group in ("subject", "both"):
        with pytest.raises(DataError, match="has no subject IDs"):
            run(group=group)
    with pytest.raises(UsageError, match=r"recipe\.optimizer\.rate"):
        run(select=True, grid={"optimizer.rate": [1]})
    assert not (tmp_path / "cv").exists()


def test_auto_is_by_person_where_there_are_persons_enough(run, monkeypatch):
    assert [one.grouping for one in run("persons", group="auto").series] == ["subject"]
    few = replace(cartoon(6, 1), subjects=tuple("ab" * 21))
    monkeypatch.setattr("fercli.workflows.crossval.run.load_set", lambda *_: few)
    result = run("few", group="auto")
    assert [one.grouping for one in result.series] == ["image"]
    assert "only 2 persons are known" in " ".join(result.notes)


def test_what_there_is_to_resume(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(RunError, match="no unfinished cross-validation"):
        unfinished_crossval(None)
    result = run("runs/cv")
    with pytest.raises(RunError, match="no unfinished cross-validation"):
        unfinished_crossval(None)
    (result.folder / "crossval.json").unlink()
    found = unfinished_crossval(None)
    assert found.path == Path("runs/cv")
    assert read_crossval(found.config) == result.config
    with pytest.raises(RunError, match="nothing to resume in"):
        unfinished_crossval(tmp_path / "else")


def test_starting_over_leaves_no_table_of_before(run, tmp_path):
    run(group="both")
    assert (tmp_path / "cv/gap.csv").is_file()
    run(group="image", force=True)
    assert not list((tmp_path / "cv").glob("gap.*"))
    assert (tmp_path / "cv/accuracy.csv").is_file()


def test_a_cross_validation_that_another_process_works_on_is_left_alone(tmp_path, run):
    with hold_lock(tmp_path / "cv"), pytest.raises(UsageError, match="cv is being written by process"):
        run()
    assert not (tmp_path / "cv").exists()
