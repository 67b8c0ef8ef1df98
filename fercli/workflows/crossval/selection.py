"""Settings chosen on validation faces, then a retraining on train + validation.

Follows Li 2021 (EAI 8-4-2021.169180). *Readings*: the grid is ours (the learning rate, unless another is named). Each
fold chooses for itself, by its own validation faces; or, by 'mean', all folds of a run take one setting, that with the
lowest mean validation error over them. The retraining takes as many epochs as the chosen candidate's best had in that
fold and keeps the last, since no face is left to validate; its temperature is that candidate's. No candidate of a fold
sees that fold's test faces; by 'mean' they do have a say, as the validation faces of another fold.
"""

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

from fercli.core.config import RunConfig
from fercli.core.errors import FerError, RunError
from fercli.core.files import damage_in, read_json, write_json
from fercli.models.weights import read_header
from fercli.workflows.crossval.plan import TRIED
from fercli.workflows.crossval.settings import SelectBy
from fercli.workflows.run_folder import RunFolder
from fercli.workflows.train.settings import change_config

#: What a fold was retrained with.
SELECTION = "selection.json"
#: Factors of the recipe's learning rate that are tried where no grid is named.
RATES = (0.3, 1.0, 3.0)


#: How settings were chosen, by the way it was done, for whoever reads the figures.
SELECTED: Mapping[SelectBy, str] = {
    "fold": "settings chosen for each fold on its validation faces, then retrained on train + validation",
    "mean": "settings chosen once a run, by the mean validation error over its folds, then retrained on train + "
    "validation: a fold's test faces were another fold's validation faces, which makes the figures slightly too high",
}

#: One candidate: its settings, accuracy and log loss on validation faces, best epoch and temperature, or why it failed.
Tried = Mapping[str, Any]


@dataclass(frozen=True)
class Choice:
    """The setting that validated best: recipe settings by dotted name, epochs to retrain for, temperature by views;
    `tried` has every candidate with the figures on validation faces that it was chosen by: this fold's, or by 'mean'
    those of all folds of the run."""

    settings: Mapping[str, Any]
    epochs: int
    temperature: Mapping[str, float]
    tried: tuple[Tried, ...]
    by: SelectBy = "fold"

    def resolve_retraining(self, config: RunConfig) -> RunConfig:
        """The settings of the training that follows."""
        fixed = {"epochs": self.epochs, "checkpoint_metric": "last", "early_stopping_patience": None}
        return change_recipe(config, {**self.settings, **fixed})


def change_recipe(config: RunConfig, settings: Mapping[str, Any]) -> RunConfig:
    """The run's settings with recipe settings, by dotted name, changed. Raises UsageError where one makes no sense."""
    return change_config(config, settings, "--grid")


def list_candidates(config: RunConfig, grid: Mapping[str, tuple[Any, ...]]) -> list[dict[str, Any]]:
    """Every combination of the grid's values; of three learning rates where it is empty."""
    rate = config.recipe.optimizer.lr
    named = grid or {"optimizer.lr": tuple(float(f"{rate * factor:.6g}") for factor in RATES)}
    return [dict(zip(named, values, strict=True)) for values in itertools.product(*named.values())]


def try_candidates(
    config: RunConfig,
    grid: Mapping[str, tuple[Any, ...]],
    fold_folder: Path,
    train: Callable[[RunConfig, Path], None],
) -> tuple[Tried, ...]:
    """Train every candidate for one fold, in a run folder of its own below `fold_folder`: what each reached.

    Raises RunError where all diverge.
    """
    tried: list[Tried] = []
    for number, settings in enumerate(list_candidates(config, grid), start=1):
        folder = RunFolder(fold_folder / "candidates" / f"{number}")
        try:
            if not folder.complete:
                train(change_recipe(config, settings), folder.path)
        except FerError as error:
            tried.append({"settings": settings, "failed": str(error)})
            continue
        metrics = read_json(folder.metrics)
        with damage_in(folder.metrics):
            val = metrics["val"]["single"]
            figures = {"val_accuracy": float(val["accuracy"]), "val_log_loss": float(val["log_loss"])}
            best_epoch = int(metrics["best_epoch"])
        made = {"best_epoch": best_epoch, "temperature": dict(read_header(folder.weights).temperature)}
        tried.append({"settings": settings, **figures, **made})
    if all("failed" in one for one in tried):
        raise RunError(f"every setting of the grid diverged: {tried[-1]['failed']}")
    return tuple(tried)


def choose(own: Sequence[Tried], run: Sequence[Sequence[Tried]] | None = None) -> Choice:
    """The candidate of a fold, whose own are `own`, that validated best: there, or on average over those of all folds
    of a `run`.

    The highest accuracy wins, of equals the lowest log loss: few faces validate, so accuracies are often equal. One
    that diverged in any of these folds is left out. Raises RunError where all are.
    """
    tried = own if run is None else [_mean(rows) for rows in zip(*run, strict=True)]
    able = [number for number, one in enumerate(tried) if "failed" not in one]
    if not able:
        raise RunError(f"every setting of the grid diverged in some fold: {tried[-1]['failed']}")
    best = max(able, key=lambda number: (tried[number]["val_accuracy"], -tried[number]["val_log_loss"]))
    chosen = own[best]
    by: SelectBy = "fold" if run is None else "mean"
    return Choice(chosen["settings"], chosen["best_epoch"], chosen["temperature"], tuple(tried), by)


def _mean(folds: Sequence[Tried]) -> Tried:
    """One candidate over all folds of a run, each of them counting the same."""
    failed = next((one["failed"] for one in folds if "failed" in one), None)
    if failed is not None:
        return {"settings": folds[0]["settings"], "failed": failed}
    figures = {name: fmean(one[name] for one in folds) for name in ("val_accuracy", "val_log_loss")}
    return {"settings": folds[0]["settings"], **figures}


def read_choice(folder: Path) -> Choice | None:
    """What a fold was chosen to be retrained with; None where nothing is chosen yet."""
    file = folder / SELECTION
    if not file.is_file():
        return None
    document = read_json(file)
    with damage_in(file):
        return Choice(**{**document, "tried": tuple(document["tried"])})


def write_choice(folder: Path, choice: Choice) -> None:
    """File what a fold is retrained with."""
    write_json(folder / SELECTION, asdict(choice))


def read_tried(folder: Path) -> tuple[Tried, ...]:
    """What a fold's candidates reached. Raises RunError where they were not all tried."""
    document = read_json(folder / TRIED)
    with damage_in(folder / TRIED):
        return tuple(dict(one) for one in document)


def write_tried(folder: Path, tried: Sequence[Tried]) -> None:
    """File what a fold's candidates reached."""
    write_json(folder / TRIED, list(tried))
