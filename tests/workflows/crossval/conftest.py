"""Small cross-validations: 42 drawn faces of six people, one epoch of the fastest network, no pictures a fold."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fercli.core.progress import SILENT, Progress
from fercli.data.cartoon import cartoon
from fercli.workflows.crossval.aggregate import CrossvalResult
from fercli.workflows.crossval.crossval_folder import choose_folder
from fercli.workflows.crossval.options import CrossvalOptions
from fercli.workflows.crossval.placement import Placement
from fercli.workflows.crossval.run import run_crossval
from fercli.workflows.crossval.settings import CrossvalConfig, resolve_crossval

FACES = cartoon(6, 1)


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fercli.workflows.crossval.run.load_set", lambda *_: FACES)
    monkeypatch.setattr("fercli.workflows.evaluate.evaluation.plot_confusion", lambda *_: None)
    monkeypatch.setattr("fercli.workflows.train.results.plot_curves", lambda *_: None)


@pytest.fixture(autouse=True)
def _without_pictures(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pictures of the whole take most of a small one's time."""
    if "with_pictures" not in request.fixturenames:
        for name in ("plot_confusion", "plot_sensitivities", "plot_trend"):
            monkeypatch.setattr(f"fercli.workflows.crossval.report.{name}", lambda *_: None)


@pytest.fixture
def with_pictures() -> None:
    """Asked for by a test that looks at them."""


@pytest.fixture
def config() -> Callable[..., CrossvalConfig]:
    """Settings of three folds by image, changed as told."""

    def make(**options: object) -> CrossvalConfig:
        plain = {"models": ("lenet",), "recipe": "quick", "device": "cpu", "epochs": 1, "folds": 3, "threads": 1}
        return resolve_crossval(CrossvalOptions(**{**plain, "group": "image", **options}))

    return make


#: Everything that must not depend on how folds were trained: tables, predictions, groups.
_MADE = (
    "runs.csv", "confusion.csv", "predictions.csv", "folds.json", "accuracy.csv", "differences.csv", "split.csv",
    "selection.json",
)  # fmt: skip


@pytest.fixture
def made() -> Callable[[Path], dict[Path, str]]:
    """Reads what a cross-validation's folder holds that must be the same however its folds were trained."""

    def read(folder: Path) -> dict[Path, str]:
        return {file.relative_to(folder): file.read_text() for name in _MADE for file in sorted(folder.rglob(name))}

    return read


class _KilledError(BaseException):
    """Stands for a kill: nothing may catch it."""


@pytest.fixture
def killed_until_it_ends(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], Any], int], Any]:
    """Gives what a function gives when it is killed again and again, before files take their place, whichever they
    are; the moments follow from a seed."""

    def go(work: Callable[[], Any], seed: int) -> Any:
        draws, replaced, left, kills = np.random.default_rng(seed), Path.replace, [0], 0

        def killing(self: Path, target: Path) -> Path:
            left[0] -= 1
            if left[0] == 0:
                raise _KilledError
            return replaced(self, target)

        with monkeypatch.context() as patched:
            patched.setattr(Path, "replace", killing)
            while True:
                left[0] = int(draws.integers(1, 30))
                try:
                    result = work()
                except _KilledError:
                    kills += 1
                else:
                    assert kills >= 3
                    return result

    return go


@pytest.fixture
def run(tmp_path: Path, config: Callable[..., CrossvalConfig]) -> Callable[..., CrossvalResult]:
    """Cross-validates into a folder of that name, in this process."""

    def go(
        name: str = "cv",
        progress: Progress = SILENT,
        jobs: int = 1,
        force: bool = False,
        **options: object,
    ) -> CrossvalResult:
        chosen = config(**options)
        return run_crossval(chosen, choose_folder(chosen, tmp_path / name, force), Placement(jobs), progress)

    return go
