"""The trial of versions: its table, and which step it stops at."""

import subprocess

import pytest

from benchmarks import versions
from benchmarks.versions import CORE, ROOT, try_versions


@pytest.fixture
def steps(monkeypatch):
    """Stands in for uv and the environment: fails at the command that holds the word in `failing`."""
    steps = {"failing": None, "run": []}

    def run_step(command, **_):
        words = [str(word) for word in command]
        steps["run"].append(words)
        failed = steps["failing"] in words
        said = {"-V": "Python 3.11.9", "-c": "2.11.0+cpu 1.26.0 1.20.0 0.19.0"}
        text = next((text for word, text in said.items() if word in words), "1 failed, 12 passed, 3 skipped in 1.00s")
        return subprocess.CompletedProcess(words, int(failed), text)

    monkeypatch.setattr(versions, "run_step", run_step)
    monkeypatch.setattr(versions.shutil, "which", lambda _: "uv")
    return steps


def test_a_pair_that_works_is_a_row(steps, tmp_path):
    trial = try_versions("3.11", "lowest-direct", ["tests/core"], tmp_path)
    assert trial.said == ""
    cells = "3.11.9 | lowest-direct | torch 2.11.0, numpy 1.26.0, onnxruntime 1.20.0, typer 0.19.0"
    assert trial.row() == f"| {cells} | 1 failed, 12 passed, 3 skipped | 0 min |"
    pytest_step = next(words for words in steps["run"] if "pytest" in words)
    assert "ignore::DeprecationWarning" in pytest_step
    assert pytest_step[-1] == "tests/core"
    try_versions("3.11", "highest", ["tests/core"], tmp_path)
    assert "ignore::DeprecationWarning" not in [words for words in steps["run"] if "pytest" in words][-1]


@pytest.mark.parametrize(
    ("failing", "told"),
    [
        ("venv", "no such Python here"),
        ("-r", "not installed"),
        ("pytest", "tests failed: 1 failed, 12 passed, 3 skipped"),
        ("--demo", "fer predict --demo failed"),
    ],
)
def test_the_first_step_that_fails_is_told(steps, tmp_path, failing, told):
    steps["failing"] = failing
    trial = try_versions("3.11", "highest", ["tests/core"], tmp_path)
    assert trial.tests == told
    assert trial.said
    assert any("--demo" in words for words in steps["run"]) == (failing == "--demo"), "nothing is run after it"


def test_the_tests_that_are_named_exist():
    assert all((ROOT / path).exists() for path in CORE)
