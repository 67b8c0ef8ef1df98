"""Shards of the folds, trained by commands that know nothing of each other, and pooled."""

import pytest

from fercli.core.errors import RunError, UsageError
from fercli.core.lock import hold_lock
from fercli.runner.shards import parse_shard
from fercli.workflows.crossval.crossval_folder import choose_folder
from fercli.workflows.crossval.options import CrossvalOptions
from fercli.workflows.crossval.placement import Placement
from fercli.workflows.crossval.run import collect_crossval, run_crossval, train_shard


def test_shards_pooled_are_the_whole(run, config, made, tmp_path):
    options = {"runs": 2, "baselines": ("majority",)}
    whole, chosen = run("whole", **options), config(**options)
    folder = choose_folder(chosen, tmp_path / "shards", force=False)
    for number in (3, 1):
        train_shard(chosen, folder, Placement(1, shard=(number, 3)))
    with pytest.raises(RunError, match=r"4 of 12 folds are not done \(lenet by image, run 1 fold 2; .*; …\)"):
        collect_crossval(chosen, folder)
    train_shard(chosen, folder, Placement(1, shard=(2, 3)))
    pooled = collect_crossval(chosen, folder)
    assert {**pooled.to_dict(), "folder": ""} == {**whole.to_dict(), "folder": ""}
    assert made(folder.path) == made(whole.folder)


def test_a_shard_keeps_others_from_the_same_folds_and_from_pooling(config, tmp_path):
    chosen = config()
    folder = choose_folder(chosen, tmp_path / "cv", force=False)
    with hold_lock(folder.path / "shard-1-of-3"):
        for work in (
            lambda: train_shard(chosen, folder, Placement(1, shard=(1, 3))),
            lambda: collect_crossval(chosen, folder),
            lambda: run_crossval(chosen, folder),
        ):
            with pytest.raises(UsageError, match="shard-1-of-3 is being written by process"):
                work()
        train_shard(chosen, folder, Placement(1, shard=(2, 3)))
    assert len(list(folder.path.rglob("metrics.json"))) == 1


@pytest.mark.parametrize("text", ["0/3", "4/3", "1", "a/b", "1/3/4", "-1/2", "1/0", "１/２"])
def test_a_shard_has_a_number_and_a_count(text):
    with pytest.raises(UsageError, match="write it as I/N"):
        parse_shard(text)
    assert parse_shard("2/3") == (2, 3)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"shard": "1/2"}, "--shard needs --out"),
        ({"shard": "1/2", "out": "cv", "force": True}, "--force would remove"),
        ({"collect": "cv", "jobs": 2}, "--collect trains nothing"),
        ({"cpus_per_task": 2.0}, "are for --ray ADDRESS"),
        ({"ray": "auto", "gpus_per_task": -1.0}, "--gpus-per-task: must be 0 or more"),
    ],
)
def test_options_that_do_not_go_together(options, message):
    with pytest.raises(UsageError, match=message):
        CrossvalOptions(**options)
