"""Trainings one after the other with one network: each as if it were the first."""

import numpy as np
import pytest
import torch

from fercli.core.progress import SILENT
from fercli.data.cartoon import cartoon
from fercli.workflows.run_folder import RunFolder
from fercli.workflows.train.data import prepare_data
from fercli.workflows.train.job import set_up_job, write_start
from fercli.workflows.train.options import TrainOptions
from fercli.workflows.train.run import run_job
from fercli.workflows.train.settings import resolve_config

FACES = cartoon(4, 1)


def config(**changes):
    return resolve_config(TrainOptions(**{"recipe": "quick", "device": "cpu", "epochs": 2, **changes}))


def splits(first):
    """One person tests, the next one validates."""
    out = np.full(len(FACES), "train", dtype="<U5")
    out[7 * first : 7 * first + 7] = "test"
    out[7 * first + 7 : 7 * first + 14] = "val"
    return out


def set_up(config, splits, previous=None):
    data = prepare_data(config, FACES, splits, torch.device("cpu"), SILENT)
    return set_up_job(config, data, SILENT, previous=previous)


def trained(job, path):
    folder = RunFolder(path)
    write_start(folder, job.config, job.data)
    run_job(job, folder)
    return {name: value.clone() for name, value in job.network.state_dict().items()}, folder.predictions.read_text()


def test_a_second_training_is_like_one_with_a_network_of_its_own(tmp_path):
    first = set_up(config(), splits(0))
    trained(first, tmp_path / "first")
    second = set_up(config(seed=1, batch_size=7), splits(1), first)
    assert second.network is first.network
    again, predictions = trained(second, tmp_path / "second")
    alone = set_up(config(seed=1, batch_size=7), splits(1))
    weights, expected = trained(alone, tmp_path / "alone")
    assert predictions == expected
    assert all(torch.equal(again[name], weights[name]) for name in weights)


def test_what_one_training_froze_the_next_one_trains(tmp_path):
    first = set_up(config(), splits(0))
    first.network.body.requires_grad_(False)
    second = set_up(config(), splits(0), first)
    assert all(parameter.requires_grad for parameter in second.network.parameters())


@pytest.mark.parametrize("compiles", [True, False])
def test_the_network_is_compiled_once(tmp_path, monkeypatch, compiles):
    calls = []
    monkeypatch.setattr("fercli.training.loop.compiled", lambda network, *_: calls.append(network) or network)
    chosen = config(compile="on" if compiles else "off")
    first = set_up(chosen, splits(0))
    trained(first, tmp_path / "first")
    trained(set_up(chosen, splits(1), first), tmp_path / "second")
    assert calls == [first.network] * compiles


@pytest.mark.parametrize(("fraction", "expected"), [(1e-9, 1), (1e9, 2)])
def test_checkpoints_are_written_as_long_as_they_take_little_of_the_time(tmp_path, monkeypatch, fraction, expected):
    saved = []
    monkeypatch.setattr("fercli.workflows.train.run._CHECKPOINT_TIME", fraction)
    monkeypatch.setattr("fercli.training.state.TrainingState.save", lambda state, path: saved.append(state.epoch))
    trained(set_up(config(), splits(0)), tmp_path)
    # the first epoch always has one: of whatever comes next the start is known
    assert saved == list(range(1, expected + 1))
