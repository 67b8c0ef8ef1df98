"""The command `fer` as it is typed, in this process."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from fercli.cli import console
from fercli.cli.app import main

Fer = Callable[..., tuple[int, str, str]]


@pytest.fixture
def fer(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Fer:
    """Runs `fer WORDS…` in an empty folder: exit code, standard output, standard error."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("FER_DATA", raising=False)
    monkeypatch.setenv("COLUMNS", "100")

    def run(*words: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["fer", *map(str, words)])
        console.set_quiet(False)
        console.set_debug(False)
        code = 0
        try:
            main()
        except SystemExit as end:
            code = int(end.code or 0)
        out, err = capsys.readouterr()
        return code, out, err

    return run


@pytest.fixture
def without_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    """No curves and matrices of a cross-validation: they take most of a small one's time."""
    for name in ("evaluate.evaluation.plot_confusion", "train.results.plot_curves"):
        monkeypatch.setattr(f"fercli.workflows.{name}", lambda *_: None)
    for name in ("plot_confusion", "plot_sensitivities", "plot_trend"):
        monkeypatch.setattr(f"fercli.workflows.crossval.report.{name}", lambda *_: None)
