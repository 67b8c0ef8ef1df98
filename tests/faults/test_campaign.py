"""A short campaign with a fixed seed: every kind of fault ends in a result or in one line."""

import math
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from benchmarks.faults.campaign import Campaign
from benchmarks.faults.kinds import KINDS
from benchmarks.faults.processes import JOBS

pytestmark = pytest.mark.slow

#: Cases of each kind; those that train or run whole commands are fewer.
CASES, FEW = 15, 3
LONG = ("interrupted runs", "cross-validations", "full disk", "finished runs", "large pictures")


@pytest.fixture(scope="module")
def campaign(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Campaign]:
    folder = tmp_path_factory.mktemp("campaign")
    with pytest.MonkeyPatch.context() as patch:
        # the campaign sets these for its worker
        for name in ("FAULTS_INPUTS", "FER_CACHE", "OMP_NUM_THREADS", "TORCH_HOME", "CUDA_VISIBLE_DEVICES"):
            patch.setenv(name, "")
        patch.setenv("HF_HUB_OFFLINE", "1")
        campaign = Campaign(folder, folder / "failed", seed=1, names=[kind.name for kind in KINDS])
        campaign.prepare()
        yield campaign
        campaign.close()


@pytest.mark.parametrize("kind", [kind.name for kind in KINDS])
def test_a_fault_is_a_result_or_one_line(campaign, kind):
    for number in range(FEW if kind in LONG else CASES):
        seed = f"1/{kind}/{number}"
        what, reply = campaign.do(kind, seed)
        assert reply.outcome in ("result", "refused"), f"{seed} ({what}): {reply.outcome}: {reply.text}"


@pytest.mark.parametrize("name", ["train", "data check"])
def test_a_killed_job_comes_to_the_same_end(campaign, name):
    _, reply = campaign.processes.kill(Random(1), [job for job in JOBS if job.name == name])
    assert reply.outcome == "result", reply.text


def test_of_processes_that_race_for_one_output_one_works(campaign):
    job = next(job for job in JOBS if job.name == "predict csv")
    _, reply = campaign.processes.race(Random(1), [job])
    assert reply.outcome == "result", reply.text


def test_each_kind_has_a_case_even_without_time(campaign, tmp_path):
    short = Campaign(campaign.scratch, tmp_path, 2, ["tables", "lists"])
    short.worker = campaign.worker
    short.run(0)
    assert [count.cases for count in short.counts.values()] == [1, 1]
    short.run(math.inf, most=2)
    assert [count.cases for count in short.counts.values()] == [2, 2]


def test_a_whole_campaign_brings_each_kind_to_its_target(campaign, tmp_path):
    whole = Campaign(campaign.scratch, tmp_path, 2, ["tables", "lists", "kills"])
    whole.worker = campaign.worker
    whole.targets = {"tables": 5, "lists": 2, "kills": 1}
    whole.run_whole()
    assert {name: count.cases for name, count in whole.counts.items()} == whole.targets
    assert not any(count.failures for count in whole.counts.values())
    assert whole.counts["lists"].memory > 0


def test_what_must_not_happen_is_noticed(campaign, tmp_path):
    """A file that runs code, a death and a wrong message are failures."""
    for source, outcome in (
        ("raise ValueError('a bug')", "exception"),
        ("import os; os._exit(3)", "died"),
        ("import warnings; warnings.warn('advice', stacklevel=1)", "warning"),
        ("open('payload-ran', 'w').close()", "ran code"),
        ("from fercli import FerError; raise FerError('two\\nlines')", "message"),
        ("while True: pass", "hung"),
    ):
        file = Path(tmp_path / "case.py")
        file.write_text(source)
        assert campaign.worker.run("run_python", file, cpu=2).outcome == outcome
