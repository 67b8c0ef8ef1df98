"""Runs that are there: listed, and compared with each other."""

import csv
import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from fercli.core.config import RunConfig
from fercli.core.errors import FerError, RunError, reason_of
from fercli.core.files import damage_in, read_content, read_json
from fercli.core.text import shorten
from fercli.workflows.run_folder import RunFolder

#: A recipe's remark, which changes nothing.
_NOTE = "recipe.note"

#: How a run stands: at its end, before it, or with files that cannot be read.
State = Literal["complete", "unfinished", "damaged"]
#: A row of history.csv.
Row = Mapping[str, float]


@dataclass(frozen=True)
class RunSummary:
    """One run: its settings, its epochs so far, and its accuracies (single view), None where there are none yet.

    `problem` says why a damaged run cannot be read; `config` is None then.
    """

    folder: Path
    state: State
    config: RunConfig | None = None
    history: tuple[Row, ...] = ()
    best_epoch: int | None = None
    val_accuracy: float | None = None
    test_accuracy: float | None = None
    problem: str = ""

    @property
    def epochs(self) -> int:
        """How many epochs are done."""
        return len(self.history)

    def to_dict(self) -> dict[str, Any]:
        """Plain values, as JSON takes them; the curves are in history.csv."""
        config = self.config
        return {
            "run": str(self.folder),
            "state": self.state,
            "model": config.model if config else None,
            "data": config.data if config else None,
            "recipe": config.recipe_name if config else None,
            "seed": config.seed if config else None,
            "epochs": self.epochs,
            "epochs_wanted": config.recipe.epochs if config else None,
            "best_epoch": self.best_epoch,
            "val_accuracy": self.val_accuracy,
            "test_accuracy": self.test_accuracy,
            "problem": self.problem,
        }


def list_runs(folder: Path) -> list[RunSummary]:
    """The runs in a folder, the newest first. Raises RunError where there is none."""
    found = sorted(folder.glob("*/config.yaml"), key=lambda file: file.stat().st_mtime, reverse=True)
    if not found:
        raise RunError(f"no run in {folder.absolute()}: fer train makes one; --in FOLDER looks elsewhere")
    return [read_run(file.parent) for file in found]


def find_run(run: Path, folder: Path) -> Path:
    """The folder of a run: a path to it, or its name in `folder`.

    Raises RunError, naming what is there, where neither is a folder with settings.
    """
    for path in (run, folder / run):
        if (path / "config.yaml").is_file():
            return path
    there = [file.parent.name for file in sorted(folder.glob("*/config.yaml"))]
    known = shorten(f"the folder {folder} has {', '.join(there)}", 200) if there else f"there is none in {folder}"
    raise RunError(f"no run {run}: {known}")


def read_run(folder: Path) -> RunSummary:
    """What a run's files say of it; one that cannot be read is 'damaged', with the reason."""
    run = RunFolder(folder)
    try:
        config = run.read_config()
        history = read_history(run.history) if run.history.is_file() else ()
        best = max(history, key=lambda row: row["val_accuracy"], default=None)
        if not run.complete:
            val = best["val_accuracy"] if best else None
            return RunSummary(folder, "unfinished", config, history, int(best["epoch"]) if best else None, val)
        metrics = read_json(run.metrics)
        with damage_in(run.metrics):
            accuracies = {split: metrics[split]["single"]["accuracy"] for split in ("val", "test") if split in metrics}
            best_epoch = int(metrics["best_epoch"])
    except (FerError, OSError, KeyError) as error:
        return RunSummary(folder, "damaged", problem=reason_of(error))
    return RunSummary(folder, "complete", config, history, best_epoch, accuracies.get("val"), accuracies.get("test"))


def read_history(path: Path) -> tuple[Row, ...]:
    """The rows of a history.csv. Raises RunError where it is damaged."""
    text = read_content(path, "the history").decode("utf-8", "replace")
    try:
        rows = tuple({name: float(value) for name, value in row.items()} for row in csv.DictReader(text.splitlines()))
    except (TypeError, ValueError) as error:
        raise RunError(f"{path} is damaged: {reason_of(error)}") from error
    needed = {"epoch", "train_loss", "val_loss", "val_accuracy"}
    if any(not needed <= row.keys() or not math.isfinite(row["epoch"]) for row in rows):
        raise RunError(f"{path} is damaged: it lacks columns that every history has")
    return rows


def label_runs(folders: Sequence[Path]) -> list[str]:
    """A short label for each run: the folder's name, or where two have the same, the path from the folder that all
    are in."""
    names = [folder.name for folder in folders]
    if len(set(names)) == len(names):
        return names
    paths = [folder.absolute() for folder in folders]
    common = os.path.commonpath([path.parent for path in paths])
    return [str(path.relative_to(common)) for path in paths]


def compare_runs(folders: Sequence[Path]) -> tuple[list[RunSummary], dict[str, list[str]]]:
    """The runs, and each setting in which they differ, by its dotted name with a value for each run.

    Raises RunError where one of them cannot be read.
    """
    runs = [read_run(folder) for folder in folders]
    for run in runs:
        if run.config is None:
            raise RunError(f"{run.folder} cannot be compared: {run.problem}")
    settings = [_flatten(run.config.to_document()) for run in runs if run.config]
    names = [name for name in dict.fromkeys(name for each in settings for name in each) if name != _NOTE]
    values = {name: [each.get(name, "-") for each in settings] for name in names}
    return runs, {name: row for name, row in values.items() if len(set(row)) > 1}


def _flatten(settings: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    flat: dict[str, str] = {}
    for key, value in settings.items():
        if isinstance(value, Mapping):
            flat |= _flatten(value, f"{prefix}{key}.")
        else:
            # how a set is read has flags of its own, by which everyone knows these settings
            name = f"--{key.replace('_', '-')}" if prefix == "reading." else prefix + key
            flat[name] = "-" if value is None or value == [] else str(value)
    return flat
