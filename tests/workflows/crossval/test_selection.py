"""Settings chosen on validation faces: by each fold for itself, or by all folds of a run."""

import json
from collections import Counter
from statistics import fmean

import numpy as np
import pytest

from fercli.core.errors import RunError
from fercli.workflows.crossval.selection import choose
from fercli.workflows.crossval.settings import read_crossval
from fercli.workflows.run_folder import RunFolder


def test_selection_never_sees_the_test_faces_and_retrains_on_the_rest(run):
    result = run(select=True, grid={"optimizer.lr": [1e-9, 2e-3]}, epochs=2)
    fold = result.folder / "image" / "lenet" / "run-01" / "fold-01"
    chosen = json.loads((fold / "selection.json").read_text())
    best = max(chosen["tried"], key=lambda one: (one["val_accuracy"], -one["val_log_loss"]))
    assert [one["settings"] for one in chosen["tried"]] == [{"optimizer.lr": 1e-9}, {"optimizer.lr": 2e-3}]
    assert chosen["settings"] == best["settings"]
    candidate = (fold / "candidates" / "1" / "split.csv").read_text()
    assert Counter(line.split(",")[-1] for line in candidate.splitlines()[1:]) == {"train": 14, "val": 14, "spare": 14}
    assert "test" not in json.loads((fold / "candidates" / "1" / "metrics.json").read_text())
    joined = (fold / "split.csv").read_text()
    assert Counter(line.split(",")[-1] for line in joined.splitlines()[1:]) == {"train": 28, "test": 14}
    retrained = RunFolder(fold).read_config().recipe
    assert (retrained.checkpoint_metric, retrained.epochs) == ("last", chosen["epochs"])
    assert retrained.optimizer.lr == chosen["settings"]["optimizer.lr"]


FIGURES = ("val_accuracy", "val_log_loss")
BOTH_RATES = {"select": True, "select_by": "mean", "grid": {"optimizer.lr": [1e-9, 2e-3]}}


def test_folds_that_choose_together_take_the_setting_with_the_lowest_mean_error(run):
    result = run(**BOTH_RATES, runs=2, baselines=["majority"], epochs=2)
    for number in (1, 2):
        folder = result.folder / "image" / "lenet" / f"run-{number:02}"
        folds = [json.loads((folder / f"fold-{fold:02}" / "candidates.json").read_text()) for fold in (1, 2, 3)]
        means = [[fmean(fold[one][name] for fold in folds) for one in (0, 1)] for name in FIGURES]
        winner = int(np.lexsort((means[1], -np.array(means[0])))[0])
        for fold, own in enumerate(folds, start=1):
            chosen = json.loads((folder / f"fold-{fold:02}" / "selection.json").read_text())
            best = own[winner]
            assert [[one[name] for one in chosen["tried"]] for name in FIGURES] == [pytest.approx(row) for row in means]
            assert (chosen["by"], chosen["settings"]) == ("mean", best["settings"])
            assert (chosen["epochs"], chosen["temperature"]) == (best["best_epoch"], best["temperature"])
            rate = RunFolder(folder / f"fold-{fold:02}").read_config().recipe.optimizer.lr
            assert rate == best["settings"]["optimizer.lr"]
    assert result.to_dict()["select"] == "mean"
    assert "mean validation error" in (result.folder / "results.md").read_text()


def tried(*folds):
    """What candidates with the settings 0, 1 … reached in each fold: (accuracy, log loss, best epoch) or a fault."""
    return [
        [
            {"settings": number, "failed": one}
            if isinstance(one, str)
            else {"settings": number, **dict(zip(("val_accuracy", "val_log_loss", "best_epoch"), one, strict=True)),
                  "temperature": {"single": one[2], "mirrored": 1.0}}
            for number, one in enumerate(fold)
        ]
        for fold in folds
    ]  # fmt: skip


def test_one_setting_is_best_for_a_fold_and_another_for_its_run():
    run = tried([(0.9, 0.5, 1), (0.8, 0.1, 2)], [(0.1, 2.0, 3), (0.3, 1.5, 4)])
    assert choose(run[0]).settings == 0
    chosen = choose(run[0], run)
    assert (chosen.settings, chosen.epochs, chosen.temperature["single"]) == (1, 2, 2)
    assert choose(run[1], run).epochs == 4
    # of equals the lower loss
    equal = tried([(0.5, 0.2, 1), (0.6, 0.1, 2)], [(0.7, 0.2, 3), (0.6, 0.4, 4)])
    assert choose(equal[0], equal).settings == 0


def test_a_setting_that_diverged_in_one_fold_is_out_of_the_running_in_all():
    run = tried([(0.9, 0.5, 1), (0.8, 0.1, 2)], ["the loss", (0.3, 1.5, 4)])
    assert choose(run[0], run).settings == 1
    with pytest.raises(RunError, match="diverged in some fold: the loss"):
        choose(run[0], tried([(0.9, 0.5, 1)], ["the loss"]))


def test_killed_while_folds_choose_together_it_ends_with_the_same_tables(run, made, killed_until_it_ends, monkeypatch):
    undisturbed = run("whole", **BOTH_RATES)
    result = killed_until_it_ends(lambda: run("broken", **BOTH_RATES), 2)
    assert made(result.folder) == made(undisturbed.folder)
    # nor is anything trained again
    monkeypatch.setattr("fercli.workflows.train.job.fit", None)
    assert run("broken", **BOTH_RATES).to_dict() == result.to_dict()


def test_another_way_to_choose_is_refused(run):
    run(select=True, grid={"optimizer.lr": [2e-3]})
    with pytest.raises(RunError, match=r"other settings \(select_by: fold, mean\)"):
        run(select=True, select_by="mean", grid={"optimizer.lr": [2e-3]})


def test_settings_from_before_there_were_two_ways_are_those_of_a_fold_each(config, tmp_path):
    config(select=True).write(tmp_path / "crossval.yaml")
    text = (tmp_path / "crossval.yaml").read_text()
    (tmp_path / "crossval.yaml").write_text(text.replace("select_by: fold\n", ""))
    assert read_crossval(tmp_path / "crossval.yaml") == config(select=True)
