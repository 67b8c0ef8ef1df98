"""How many threads compute."""

from fercli.core.engine import count_threads


def test_threads_follow_the_variable_that_pytorch_obeys(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    assert count_threads() == 3
    monkeypatch.setenv("OMP_NUM_THREADS", "many")
    assert count_threads() >= 1
