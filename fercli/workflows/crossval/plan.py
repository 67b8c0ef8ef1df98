"""What there is to train: seeds, groups and the folder of every fold."""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fercli.core.errors import DataError, RunError, reason_of
from fercli.core.files import damage_in, read_json, write_text
from fercli.data.faceset import FaceSet
from fercli.data.folds import Grouping, assign_fold_splits, assign_groups, count_subjects
from fercli.data.loaders.ferplus import hint_at_earlier_labels
from fercli.models.locate import RUN_METRICS
from fercli.workflows.crossval.settings import CrossvalConfig

#: The file of a fold that says what its candidates reached, where the folds of a run choose together.
TRIED = "candidates.json"
#: Groups [R, N] of each run, by the way they were drawn.
Assignments = Mapping[Grouping, NDArray[np.int64]]


@dataclass(frozen=True)
class Task:
    """One fold of one run with one method: run and fold from 1 on, as people count them.

    `trying` its candidates is a task of its own where the folds of a run choose together what they are retrained with.
    """

    grouping: Grouping
    method: str
    run: int
    fold: int
    trying: bool = False

    @property
    def run_folder(self) -> Path:
        """Its run's folder inside the cross-validation's."""
        return Path(self.grouping, self.method, f"run-{self.run:02}")

    @property
    def fold_folder(self) -> Path:
        """Its folder inside the cross-validation's."""
        return self.run_folder / f"fold-{self.fold:02}"

    @property
    def result(self) -> Path:
        """The file inside the cross-validation's folder that is written when it is done."""
        return self.fold_folder / (TRIED if self.trying else RUN_METRICS)

    def done(self, folder: Path) -> bool:
        """Whether it is done in the cross-validation's folder."""
        return (folder / self.result).is_file()

    def list_run(self, folds: int) -> list["Task"]:
        """The same of every fold of its run."""
        return [replace(self, fold=fold) for fold in range(1, folds + 1)]

    def __str__(self) -> str:
        what = ", trying settings" if self.trying else ""
        return f"{self.method} by {self.grouping}, run {self.run} fold {self.fold}{what}"


def derive_seed(seed: int, *path: object) -> int:
    """A seed of 32 bits that follows from another one and a name; neighbours have nothing in common."""
    text = "/".join(map(str, (seed, *path)))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big")


def derive_training_seed(seed: int, task: Task, attempt: int = 1) -> int:
    """The seed of a fold's training: the same for all networks and groupings, another one for a second attempt."""
    again = (f"attempt {attempt}",) if attempt > 1 else ()
    return derive_seed(seed, f"run {task.run}", f"fold {task.fold}", *again)


def choose_groupings(config: CrossvalConfig, faces: FaceSet) -> tuple[Grouping, ...]:
    """The ways in which groups are drawn. Raises DataError where subjects are asked for and not known."""
    if config.group == "both":
        if not count_subjects(faces):
            raise DataError(f"--group both: {faces.name} has no subject IDs; use --group image")
        return ("image", "subject")
    if config.group == "auto":
        return ("subject",) if count_subjects(faces) >= config.folds else ("image",)
    return (config.group,)


def draw_groups(config: CrossvalConfig, faces: FaceSet) -> dict[Grouping, NDArray[np.int64]]:
    """The group of each face [R, N] for each run and grouping. Raises DataError as assign_groups does."""
    return {
        grouping: np.array(
            [
                assign_groups(faces, config.folds, derive_seed(config.seed, f"run {run}"), grouping)
                for run in range(1, config.runs + 1)
            ]
        )
        for grouping in choose_groupings(config, faces)
    }


def list_tasks(config: CrossvalConfig, groupings: Sequence[Grouping]) -> Iterator[Task]:
    """Every fold there is: run by run, so that the first run is whole as soon as may be."""
    for grouping in groupings:
        for run in range(1, config.runs + 1):
            for method in config.methods:
                for fold in range(1, config.folds + 1):
                    yield Task(grouping, method, run, fold)


def list_trials(config: CrossvalConfig, groupings: Sequence[Grouping]) -> Iterator[Task]:
    """The candidates of every fold, where all folds of a run must have tried theirs before any is retrained."""
    if config.folds_choose_together:
        networks = {model.model for model in config.models}
        yield from (replace(task, trying=True) for task in list_tasks(config, groupings) if task.method in networks)


def assign_task_splits(assignments: Assignments, task: Task, folds: int) -> NDArray[np.str_]:
    """The split of each face [N] in a fold."""
    return assign_fold_splits(assignments[task.grouping][task.run - 1], task.fold - 1, folds)


def write_folds(path: Path, config: CrossvalConfig, faces: FaceSet, assignments: Assignments) -> None:
    """Write folds.json: for each face by its name its group in each run, a line a face."""
    head = {
        "data": faces.name,
        "fingerprint": faces.fingerprint,
        "folds": config.folds,
        "reading": "in fold g of a run, counted from 0, group g tests, group g + 1 validates, the others train",
    }
    lines = [f"  {json.dumps(key)}: {json.dumps(value, ensure_ascii=False)}," for key, value in head.items()]
    blocks = []
    for grouping, groups in assignments.items():
        rows = (
            f"    {json.dumps(face, ensure_ascii=False)}: {row}"
            for face, row in zip(faces.ids, groups.T.tolist(), strict=True)
        )
        blocks.append(f'  "{grouping}": {{\n' + ",\n".join(rows) + "\n  }")
    write_text(path, "\n".join(["{", *lines]) + "\n" + ",\n".join(blocks) + "\n}\n")


def read_folds(path: Path, faces: FaceSet) -> dict[Grouping, NDArray[np.int64]]:
    """The groups that write_folds wrote, for the same faces. Raises RunError where they are of other faces."""
    document = read_json(path)
    with damage_in(path):
        fingerprint = document.get("fingerprint")
    if fingerprint != faces.fingerprint:
        earlier = hint_at_earlier_labels(faces, "crossval.yaml")
        raise RunError(
            f"{path} was drawn for other data than {faces.name} is now: start anew with another --out{earlier}"
        )
    assignments: dict[Grouping, NDArray[np.int64]] = {}
    for grouping in ("image", "subject"):
        rows = document.get(grouping)
        if rows is None:
            continue
        try:
            assignments[grouping] = np.array([rows[face] for face in faces.ids], dtype=np.int64).T
        except (KeyError, ValueError, TypeError, OverflowError) as error:
            raise RunError(f"{path} is damaged: {reason_of(error)}; start anew with another --out") from error
    return assignments
