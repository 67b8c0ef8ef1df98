"""Folds that break down: told, tried once more, never dropped."""

import json
import re

import pytest

from fercli.core.errors import ModelError, RunError
from fercli.core.progress import Progress
from fercli.training.loop import fit
from fercli.workflows.crossval.plan import Task, derive_seed, derive_training_seed

SECOND = Task("image", "lenet", 1, 2)


class Heard(Progress):
    def __init__(self):
        self.lines = []

    def say(self, text):
        self.lines.append(text)

    @property
    def folds(self):
        """Run and fold of each that was measured, in their order."""
        matches = [re.match(r"run +(\d+) fold +(\d+) .* so far ", line) for line in self.lines]
        return [(int(match[1]), int(match[2])) for match in matches if match]


@pytest.fixture
def breaking(monkeypatch):
    """The second fold's training breaks down so many times, with that error."""

    def set_up(error, times):
        left = [times]

        def broken(state, *parts, seed, **more):
            if seed in (derive_training_seed(0, SECOND), derive_training_seed(0, SECOND, 2)) and left[0]:
                left[0] -= 1
                raise error
            return fit(state, *parts, seed=seed, **more)

        monkeypatch.setattr("fercli.workflows.train.job.fit", broken)

    return set_up


def test_a_loss_that_is_no_number_gets_another_seed_and_a_note(run, breaking):
    breaking(RunError("the loss is no longer a number in epoch 1"), 1)
    heard = Heard()
    result = run(progress=heard)
    assert any("fold 2 failed (the loss is no longer a number" in line for line in heard.lines)
    fold = result.folder / SECOND.fold_folder
    assert f"seed: {derive_training_seed(0, SECOND, 2)}\n" in (fold / "config.yaml").read_text()
    assert result.series[0].notes == (
        "lenet by image, run 1 fold 2 was trained again after: the loss is no longer a number in epoch 1",
    )
    assert result.series[0].notes[0] in (result.folder / "results.md").read_text()


@pytest.mark.parametrize("error", [MemoryError(), RuntimeError("DefaultCPUAllocator: can't allocate memory")])
def test_memory_that_ran_out_changes_nothing_in_the_end(run, breaking, error):
    breaking(error, 0)
    expected = run("whole").series[0].scores.to_dict()
    breaking(error, 1)
    heard = Heard()
    result = run("short", progress=heard)
    assert "lenet by image, run 1 fold 2 failed (out of memory): trying once more" in heard.lines
    assert result.series[0].scores.to_dict() == expected
    assert len(result.series[0].notes) == 1


def test_one_that_breaks_down_twice_stops_the_tables_but_not_the_others(run, breaking, tmp_path):
    breaking(RunError("the loss is no longer a number"), 2)
    heard = Heard()
    with pytest.raises(RunError, match=r"run 1 fold 2 failed twice \(the loss is no longer a number\), so nothing is"):
        run(progress=heard)
    assert [fold for _, fold in heard.folds] == [1, 3]
    assert not (tmp_path / "cv" / "crossval.json").exists()
    assert len(json.loads((tmp_path / "cv" / SECOND.fold_folder / "failed.json").read_text())) == 2
    # the fault is gone: started again, it trains what is missing
    heard = Heard()
    assert len(run(progress=heard).series[0].notes) == 2
    assert [fold for _, fold in heard.folds] == [2]


def test_settings_that_cannot_be_tried_stop_their_run_alone(run, breaking, tmp_path):
    breaking(MemoryError(), 2)
    heard = Heard()
    choosing = {"select": True, "select_by": "mean", "grid": {"optimizer.lr": [1e-3]}, "runs": 2}
    with pytest.raises(RunError, match=r"run 1 fold 2, trying settings failed twice \(out of memory\)"):
        run(progress=heard, **choosing)
    assert heard.folds == [(2, 1), (2, 2), (2, 3)]
    heard = Heard()
    assert len(run(progress=heard, **choosing).series[0].notes) == 2
    assert heard.folds == [(1, 1), (1, 2), (1, 3)]


def test_what_is_wrong_for_every_fold_is_told_at_once(run, monkeypatch, tmp_path):
    def wrong(*_, **__):
        raise ModelError("the ImageNet weights are not there")

    monkeypatch.setattr("fercli.workflows.train.trainer.set_up_job", wrong)
    with pytest.raises(ModelError, match="the ImageNet weights are not there"):
        run()
    assert not list((tmp_path / "cv").rglob("failed.json"))


def test_progress_counts_folds_and_the_running_accuracy(run):
    heard = Heard()
    result = run(progress=heard)
    lines = [line for line in heard.lines if line.startswith("run ")]
    assert [re.search(r"(\d) of 3", line)[1] for line in lines] == ["1", "2", "3"]
    assert f"so far {100 * result.series[0].scores.accuracy[0]:6.2f} %" in lines[-1]


def test_seeds_follow_from_one_and_have_nothing_in_common():
    seeds = {derive_seed(seed, f"run {run}") for seed in range(20) for run in range(20)}
    assert len(seeds) == 400
    assert derive_seed(0, "run 1") == 1463814837
    assert derive_training_seed(0, SECOND) == derive_training_seed(0, Task("subject", "xu-rescnn", 1, 2))
    assert derive_training_seed(0, SECOND) != derive_training_seed(0, SECOND, attempt=2)
