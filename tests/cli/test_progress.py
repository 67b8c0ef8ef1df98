"""Long work on the terminal: a bar, plain lines where there is none, and Ctrl-C."""

import io

import pytest
import typer
from rich.console import Console

from fercli.cli import console
from fercli.cli import progress as module
from fercli.cli.progress import TerminalProgress
from fercli.core.progress import EpochRow


@pytest.fixture
def clock(monkeypatch):
    """The seconds that it is, to be moved by the test."""
    now = [0.0]
    monkeypatch.setattr(module.time, "perf_counter", lambda: now[0])
    console.set_quiet(False)
    return now


def test_plain_lines_are_few(clock, capsys):
    with TerminalProgress() as progress:
        for done in range(1001):
            clock[0] += 2
            progress.update(done, 1000, "looking for faces")
        progress.update(1, 3, "folds")  # another piece of work
        clock[0] += 20
        progress.update(2.5, 3, "folds")
    first, *others, last = capsys.readouterr().err.splitlines()
    assert first == "looking for faces: 51 of 1,000"
    assert len(others) < 20
    assert last == "folds: 2 of 3"


def test_how_long_a_training_takes_is_told_once(clock, capsys):
    with TerminalProgress() as progress:
        for done in range(1, 100):
            clock[0] += 1
            progress.step(1, done, 100, 0.5, 0.9, 1000)
        progress.epoch(EpochRow(1, 1e-3, 1.5, 0.25, 1.25, 0.5, 99.0), best=True)
    assert capsys.readouterr().err.splitlines() == [
        "about 2 min to go",
        "epoch   1  train loss 1.500   25.0 %   val loss 1.250   50.0 %   99.0 s  best",
    ]


def test_a_bar_counts_and_leaves_lines_above_it(monkeypatch):
    screen = Console(file=io.StringIO(), force_terminal=True, highlight=False, width=100)
    monkeypatch.setattr(console, "err", lambda: screen)
    monkeypatch.setattr(TerminalProgress, "_draws", True)
    with TerminalProgress() as progress:
        progress.update(1, 4, "folds")
        progress.update(2.5, 4, "folds")
        progress.say("fold 2 [of 4]")
        progress.step(3, 10, 20, 0.5, 0.9, 1234)
        progress.update(1, 1, "done at once")
    text = screen.file.getvalue()
    assert "1/4" in text
    assert "2/4" in text
    assert "fold 2 [of 4]\n" in text
    assert "epoch 3  loss 0.500  accuracy 90.0 %  1,234 faces/s" in text
    assert "done at once" not in text


def test_ctrl_c_is_an_exit_code():
    with pytest.raises(typer.Exit) as end, TerminalProgress():
        raise KeyboardInterrupt
    assert end.value.exit_code == 130
