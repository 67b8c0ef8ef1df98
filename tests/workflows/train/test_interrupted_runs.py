"""Runs that were interrupted: resumed to the end that they would have had, or refused."""

import json
import shutil

import pytest

from fercli.core.errors import RunError
from fercli.core.progress import Progress
from fercli.workflows.run_folder import RunFolder, read_config, unfinished_run
from fercli.workflows.train.options import TrainOptions
from fercli.workflows.train.run import resume_run, start_run
from fercli.workflows.train.settings import resolve_config


class _KilledError(Exception):
    """Stands for a kill between two epochs."""


class _KilledAfter(Progress):
    def __init__(self, epoch: int) -> None:
        self.last = epoch

    def step(self, epoch: int, done: int, total: int, loss: float, accuracy: float, rate: float) -> None:
        if epoch > self.last:
            raise _KilledError


def test_a_killed_run_continues_to_the_same_end(config, run, tmp_path):
    with pytest.raises(_KilledError):
        start_run(config(), tmp_path / "broken", progress=_KilledAfter(1))
    broken = RunFolder(tmp_path / "broken")
    assert not broken.complete
    assert len(broken.history.read_text().splitlines()) == 2
    resume_run(broken, read_config(broken.config))
    assert broken.complete
    assert json.loads(broken.metrics.read_text())["test"] == json.loads(run.metrics.read_text())["test"]


def test_a_run_killed_in_its_first_epoch_continues_too(config, tmp_path):
    with pytest.raises(_KilledError):
        start_run(config(epochs=1), tmp_path / "broken", progress=_KilledAfter(0))
    broken = unfinished_run(tmp_path / "broken")
    resume_run(broken, read_config(broken.config))
    assert broken.complete


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 half"])
def test_a_run_whose_checkpoint_is_damaged_is_trained_anew_to_the_same_end(config, run, tmp_path, content):
    with pytest.raises(_KilledError):
        start_run(config(), tmp_path / "broken", progress=_KilledAfter(1))
    broken = RunFolder(tmp_path / "broken")
    broken.checkpoint.write_bytes(content)
    said: list[str] = []
    progress = Progress()
    progress.say = said.append
    resume_run(broken, read_config(broken.config), progress)
    (line,) = [text for text in said if "begins again" in text]
    assert line.startswith(f"cannot resume from {broken.checkpoint}: ")
    assert json.loads(broken.metrics.read_text())["test"] == json.loads(run.metrics.read_text())["test"]


def test_a_run_killed_before_its_last_history_was_written_has_it_in_the_end(config, tmp_path):
    folder = RunFolder(start_run(config(), tmp_path / "run").folder)
    whole = folder.history.read_text()
    folder.metrics.unlink()
    folder.history.write_text("".join(whole.splitlines(keepends=True)[:-1]))
    resume_run(folder, read_config(folder.config))
    assert folder.history.read_text() == whole
    assert len(json.loads(folder.meta.read_text())["resumed"]) == 1


def test_resuming_on_other_data_is_refused(config, tmp_path):
    with pytest.raises(_KilledError):
        start_run(config(), tmp_path / "broken", progress=_KilledAfter(0))
    broken = RunFolder(tmp_path / "broken")
    meta = json.loads(broken.meta.read_text())
    meta["data"]["fingerprint"] = "0" * 64
    broken.meta.write_text(json.dumps(meta))
    with pytest.raises(RunError, match="was begun with another data"):
        resume_run(broken, read_config(broken.config))


def test_a_run_goes_on_in_the_precision_that_is_faster_on_this_machine(config, tmp_path):
    with pytest.raises(_KilledError):
        start_run(config(), tmp_path / "broken", progress=_KilledAfter(0))
    broken = RunFolder(tmp_path / "broken")
    meta = json.loads(broken.meta.read_text())
    broken.meta.write_text(json.dumps({**meta, "precision": "bf16"}))
    said: list[str] = []
    progress = Progress()
    progress.say = said.append
    resume_run(broken, read_config(broken.config), progress)
    assert "note: from here in fp32, which is faster on this machine; it was bf16 until now" in said
    after = json.loads(broken.meta.read_text())
    assert (after["precision"], after["resumed"][0]["precision"]) == ("bf16", "fp32")


def test_force_leaves_nothing_of_the_run_before(config, run, tmp_path):
    out = tmp_path / "out"
    shutil.copytree(run.path, out)
    with pytest.raises(_KilledError):
        start_run(config(seed=1), out, force=True, progress=_KilledAfter(0))
    assert {file.name for file in out.iterdir()} == {"config.yaml", "meta.json", "split.csv"}
    assert read_config(out / "config.yaml").seed == 1


def test_resuming_with_other_settings_names_the_difference(config, tmp_path):
    with pytest.raises(_KilledError):
        start_run(config(), tmp_path / "broken", progress=_KilledAfter(0))
    broken = RunFolder(tmp_path / "broken")
    other = resolve_config(TrainOptions(seed=3, lr=0.5), base=read_config(broken.config))
    with pytest.raises(RunError, match=r"seed: 0, 3; recipe.optimizer.lr: 0.008, 0.5"):
        resume_run(broken, other)


def test_a_complete_run_is_not_resumed(run):
    with pytest.raises(RunError, match="is complete: fer eval"):
        resume_run(run, read_config(run.config))


def test_nothing_to_resume_says_so(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(RunError, match="no unfinished run"):
        unfinished_run(None)
    with pytest.raises(RunError, match="nothing to resume in"):
        unfinished_run(tmp_path)
