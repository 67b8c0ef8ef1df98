"""What every test stands on: no test reads or writes the caches and settings of whoever runs it."""

from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def _own_surroundings(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """A cache of the tests' own, and the catalogue of this checkout."""
    cache: Path = tmp_path_factory.getbasetemp() / "cache"
    monkeypatch.setenv("FER_CACHE", str(cache))
    monkeypatch.delenv("FER_CATALOGUE", raising=False)
