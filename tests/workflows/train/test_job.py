"""Trainings one after the other in one job: each as if it were the first."""

import numpy as np
import pytest
import torch

from fercli.core.progress import Listener
from fercli.data.cartoon import cartoon
from fercli.workflows.run_folder import RunFolder
from fercli.workflows.train.job import TrainingJob
from fercli.workflows.train.run import run_job
from fercli.workflows.train.settings import settings

FACES = cartoon(4, 1)


def config(seed=0, **overrides):
    return settings(recipe="quick", changes={"device": "cpu", "seed": seed}, overrides={"epochs": 2, **overrides})


def parts(first):
    """One person tests, the next one validates."""
    out = np.full(len(FACES), "train", dtype="<U5")
    out[7 * first : 7 * first + 7] = "test"
    out[7 * first + 7 : 7 * first + 14] = "val"
    return out


def trained(job, path):
    folder = RunFolder(path)
    job.write_start(folder)
    run_job(job, folder)
    return {name: value.clone() for name, value in job.network.state_dict().items()}, folder.predictions.read_text()


def test_a_second_training_is_like_one_in_a_job_of_its_own(tmp_path):
    job = TrainingJob(config(), Listener(), faces=FACES, parts=parts(0))
    trained(job, tmp_path / "first")
    network = job.network
    job.prepare(config(1, batch_size=7), parts(1))
    assert job.network is network
    again, predictions = trained(job, tmp_path / "second")
    alone = TrainingJob(config(1, batch_size=7), Listener(), faces=FACES, parts=parts(1))
    weights, expected = trained(alone, tmp_path / "alone")
    assert predictions == expected
    assert all(torch.equal(again[name], weights[name]) for name in weights)


def test_what_one_training_froze_the_next_one_trains(tmp_path):
    job = TrainingJob(config(), Listener(), faces=FACES, parts=parts(0))
    job.network.body.requires_grad_(False)
    job.prepare(config(), parts(0))
    assert all(parameter.requires_grad for parameter in job.network.parameters())


@pytest.mark.parametrize("compiles", [True, False])
def test_the_network_is_compiled_once(tmp_path, monkeypatch, compiles):
    calls = []
    monkeypatch.setattr("fercli.training.loop.compiled", lambda network, *_: calls.append(network) or network)
    chosen = config().model_copy(update={"compile": "on" if compiles else "off"})
    job = TrainingJob(chosen, Listener(), faces=FACES, parts=parts(0))
    trained(job, tmp_path / "first")
    job.prepare(chosen, parts(1))
    trained(job, tmp_path / "second")
    assert calls == [job.network] * compiles


@pytest.mark.parametrize(("share", "expected"), [(1e-9, 1), (1e9, 2)])
def test_checkpoints_are_written_as_long_as_they_take_little_of_the_time(tmp_path, monkeypatch, share, expected):
    saved = []
    monkeypatch.setattr("fercli.workflows.train.run._CHECKPOINT_TIME", share)
    monkeypatch.setattr("fercli.training.state.TrainingState.save", lambda state, path: saved.append(state.epoch))
    trained(TrainingJob(config(), Listener(), faces=FACES, parts=parts(0)), tmp_path)
    # the first epoch always has one: of whatever comes next the start is known
    assert saved == list(range(1, expected + 1))
