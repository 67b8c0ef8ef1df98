"""A finished run, and what it is made of, for the tests of training and of evaluation."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from fercli.core.config import RunConfig
from fercli.workflows.run_folder import RunFolder
from fercli.workflows.train.options import TrainOptions
from fercli.workflows.train.run import start_run
from fercli.workflows.train.settings import resolve_config


@pytest.fixture(scope="session")
def config() -> Callable[..., RunConfig]:
    """Settings with changes: two quick epochs of the default network on the drawn faces."""

    def resolve(**changes: object) -> RunConfig:
        return resolve_config(TrainOptions(**{"recipe": "quick", "device": "cpu", "epochs": 2, **changes}))

    return resolve


@pytest.fixture(scope="session")
def run(config: Callable[..., RunConfig], tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    """A finished run, not to be changed."""
    return RunFolder(start_run(config(), tmp_path_factory.mktemp("runs") / "run").folder)


@pytest.fixture
def small_fer2013(tmp_path: Path) -> Path:
    """A folder with a fer2013.csv of 112 faces in all three usages."""
    draws = np.random.default_rng(0)
    usages = ["Training"] * 84 + ["PublicTest"] * 14 + ["PrivateTest"] * 14
    lines = ["emotion,pixels,Usage"]
    for number, usage in enumerate(usages):
        lines.append(f"{number % 7},{' '.join(map(str, draws.integers(0, 256, 2304)))},{usage}")
    folder = tmp_path / "sets"
    folder.mkdir()
    (folder / "fer2013.csv").write_text("\n".join(lines) + "\n")
    return folder
