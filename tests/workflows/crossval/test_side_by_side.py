"""Folds in several processes, and processes killed for real: the same figures."""

import json
import multiprocessing
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from fercli.core.progress import Progress

pytestmark = pytest.mark.slow


def test_two_at_a_time_give_what_one_at_a_time_gives(run):
    one = run("one", jobs=1, runs=2, epochs=2)
    two = run("two", jobs=2, runs=2, epochs=2)
    assert np.array_equal(one.series[0].probabilities, two.series[0].probabilities)
    assert {**one.to_dict(), "folder": ""} == {**two.to_dict(), "folder": ""}


def test_folds_that_choose_together_give_the_same_side_by_side(run):
    choosing = {"select": True, "select_by": "mean", "grid": {"optimizer.lr": [1e-3, 2e-3]}}
    one, two = run("one", jobs=1, **choosing), run("two", jobs=2, **choosing)
    assert np.array_equal(one.series[0].probabilities, two.series[0].probabilities)
    assert {**one.to_dict(), "folder": ""} == {**two.to_dict(), "folder": ""}


class _Killing(Progress):
    """Kills a process as soon as there is one that trains."""

    def __init__(self):
        self.killed, self.lines = False, []

    def say(self, text):
        self.lines.append(text)

    def update(self, done, total, what):
        if done and not self.killed:
            self.killed = True
            multiprocessing.active_children()[0].kill()


def test_a_process_that_dies_costs_nothing_but_time(run):
    progress = _Killing()
    expected = run("whole", epochs=40)
    result = run("broken", jobs=2, progress=progress, epochs=40)
    assert sum("its process ended with" in line for line in progress.lines) == 1
    assert np.array_equal(result.series[0].probabilities, expected.series[0].probabilities)


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system has no SIGKILL")
def test_the_command_killed_three_times_ends_with_the_same_tables(tmp_path):
    def fer(*words: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "fercli", *words]
        return subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    typed = ("crossval", "--model", "lenet", "--recipe", "quick", "--epochs", "3", "--folds", "3", "--runs", "2")
    assert fer(*typed, "--out", "whole", "--jobs", "1").wait() == 0

    draws, process, done = np.random.default_rng(0), fer(*typed, "--out", "broken", "--jobs", "2"), 0
    for _ in range(3):
        while len(list((tmp_path / "broken").rglob("metrics.json"))) <= done and process.poll() is None:
            time.sleep(0.02)
        done = len(list((tmp_path / "broken").rglob("metrics.json")))
        time.sleep(draws.uniform(0, 0.5))
        process.kill()
        process.wait()
        process = fer("crossval", "--resume", "--out", "broken", "--jobs", "2")
    assert process.wait() == 0
    first, second = (json.loads((tmp_path / name / "crossval.json").read_text()) for name in ("whole", "broken"))
    assert {**first, "folder": ""} == {**second, "folder": ""}
    assert _predictions(tmp_path / "whole") == _predictions(tmp_path / "broken")


def _predictions(folder: Path) -> dict[Path, str]:
    return {file.relative_to(folder): file.read_text() for file in folder.rglob("predictions.csv")}
