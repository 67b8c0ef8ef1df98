"""Settings chosen on validation faces, then a retraining on train + validation.

Follows Li 2021 (EAI 8-4-2021.169180). *Readings*: the grid is ours (the learning rate, unless another is named); the
retraining takes as many epochs as the chosen setting's best had and keeps the last, since no face is left to validate;
its temperature is the chosen candidate's. No candidate sees a test face.
"""

import itertools
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from fercli.core.catalogue import merged
from fercli.core.config import RunConfig, parse_config
from fercli.core.errors import FerError, RunError
from fercli.core.files import read_json, write_json
from fercli.models.weights import read_header
from fercli.workflows.run_folder import RunFolder
from fercli.workflows.train.settings import nested

#: Factors of the recipe's learning rate that are tried where no grid is named.
RATES = (0.3, 1.0, 3.0)


@dataclass(frozen=True)
class Choice:
    """The setting that validated best: recipe settings by dotted name, epochs to retrain for, temperature by views;
    `tried` has every candidate with its figures on validation faces."""

    settings: Mapping[str, Any]
    epochs: int
    temperature: Mapping[str, float]
    tried: tuple[Mapping[str, Any], ...]

    def retraining(self, config: RunConfig) -> RunConfig:
        """The settings of the training that follows."""
        fixed = {"epochs": self.epochs, "checkpoint_metric": "last", "early_stopping_patience": None}
        return with_settings(config, {**self.settings, **fixed})


def with_settings(config: RunConfig, settings: Mapping[str, Any]) -> RunConfig:
    """The run's settings with recipe settings, by dotted name, changed. Raises UsageError where one makes no sense."""
    document = config.model_dump(mode="json")
    document["recipe"] = merged(document["recipe"], nested(settings))
    return parse_config(document, "--grid")


def candidates(config: RunConfig, grid: Mapping[str, tuple[Any, ...]]) -> list[dict[str, Any]]:
    """Every combination of the grid's values; of three learning rates where it is empty."""
    rate = config.recipe.optimizer.lr
    named = grid or {"optimizer.lr": tuple(float(f"{rate * factor:.6g}") for factor in RATES)}
    return [dict(zip(named, values, strict=True)) for values in itertools.product(*named.values())]


def choose(
    config: RunConfig,
    grid: Mapping[str, tuple[Any, ...]],
    place: Path,
    train: Callable[[RunConfig, Path], None],
) -> Choice:
    """Train every candidate, in a run folder of its own below `place`, and file which validated best.

    One that goes astray is out of the running. Raises RunError where all do.
    """
    file = place / "selection.json"
    if file.is_file():
        document = read_json(file)
        return Choice(**{**document, "tried": tuple(document["tried"])})
    best: tuple[tuple[float, float], Choice] | None = None
    tried: list[Mapping[str, Any]] = []
    for number, settings in enumerate(candidates(config, grid), start=1):
        folder = RunFolder(place / "candidates" / f"{number}")
        try:
            if not folder.complete:
                train(with_settings(config, settings), folder.path)
        except FerError as error:
            tried.append({"settings": settings, "failed": str(error)})
            continue
        metrics = read_json(folder.metrics)
        val = metrics["val"]["single"]
        figures = {"val_accuracy": val["accuracy"], "val_log_loss": val["log_loss"]}
        tried.append({"settings": settings, **figures, "best_epoch": metrics["best_epoch"]})
        merit = (val["accuracy"], -val["log_loss"])  # few faces validate, so accuracies are often equal
        if best is None or merit > best[0]:
            best = merit, Choice(settings, metrics["best_epoch"], read_header(folder.weights).temperature, ())
    if best is None:
        raise RunError(f"every setting of the grid went astray: {tried[-1]['failed']}")
    choice = Choice(best[1].settings, best[1].epochs, best[1].temperature, tuple(tried))
    write_json(file, asdict(choice))
    return choice
