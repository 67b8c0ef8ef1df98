"""A search from its options to its folder: trials drawn and trained, the best trained anew, the report written."""

import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fercli.core.errors import RunError, UsageError
from fercli.core.files import damage_in, read_json, write_json
from fercli.core.lock import hold_lock
from fercli.core.progress import SILENT, Progress, explain_interrupt
from fercli.data.faceset import FaceSet
from fercli.data.folds import assign_groups, count_subjects
from fercli.runner.on_ray import RayCluster
from fercli.training.device import pick_device
from fercli.workflows.run_folder import RUNS, command_line, git_commit, name_new_folder, versions
from fercli.workflows.search.conduct import Placement, conduct_trials
from fercli.workflows.search.confirm import confirm_best
from fercli.workflows.search.options import SearchOptions
from fercli.workflows.search.report import write_artefacts
from fercli.workflows.search.result import SearchResult
from fercli.workflows.search.settings import StudyConfig, read_study, resolve_study
from fercli.workflows.search.study import Study, StudyFolder
from fercli.workflows.search.trial import Work
from fercli.workflows.train.data import draw_split, load_set
from fercli.workflows.train.settings import describe_plan

#: How long a process waits for another one that begins, or ends, the same study.
_HEAD_SECONDS = 300.0


def search(options: SearchOptions, progress: Progress = SILENT) -> SearchResult | None:
    """Search for settings of a recipe and of a network, as `fer search` does. None where another process still trains
    trials of the same study: the last one to end writes the report.

    Raises UsageError for settings that make no sense, DataError, ModelError or MachineError before anything is written,
    RunError where the folder is of another study or the best trials cannot be trained anew. Ctrl-C leaves what is done,
    and the same command continues.
    """
    unfinished = unfinished_study(options.out) if options.resume else None
    config = resolve_study(options, read_study(unfinished.config) if unfinished else None)
    folder = choose_folder(config, unfinished.path if unfinished else options.out, options.force)
    progress.say(f"searching settings of {config.run.model} on {describe_plan(config.run)}, {config.trials} trials")
    begun = _begin(config, folder, progress)
    placement = _choose_placement(options)
    study = Study(config, folder.path)

    def describe() -> str:
        ended = f"{study.count_ended()} of {config.trials} trials"
        return f"stopped after {ended}; fer search --resume --out {folder.path} continues"

    with explain_interrupt(progress, describe):
        conduct_trials(begun.work, study, placement, progress)
        if running := [task.number for task in study.begun]:
            progress.say(f"trials {', '.join(map(str, running))} are still trained elsewhere: the last to end reports")
            return None
        with hold_lock(folder.confirmed, _HEAD_SECONDS, progress.say):
            return _report(begun, study, folder, placement, progress)


def _report(
    begun: "_Begun", study: Study, folder: StudyFolder, placement: Placement, progress: Progress
) -> SearchResult:
    if not study.best:
        raise RunError(f"no trial came to its end, so there is nothing to report: {folder.path} says how each went")
    ranking = confirm_best(study, begun.confirming, placement, progress) if study.config.top else None
    return write_artefacts(folder, study, ranking)


@dataclass(frozen=True)
class _Begun:
    """What a study works with, once its folder says so: for trials, and for the best of them."""

    work: Work
    confirming: Work


def _begin(config: StudyConfig, folder: StudyFolder, progress: Progress) -> _Begun:
    """Read the faces, and write what is known before the first trial."""
    with explain_interrupt(progress, lambda: "stopped before anything was written"):
        device = pick_device(config.run.device)
        faces = load_set(config.run, progress.update)
        for note in faces.notes:
            progress.say(note)
        splits = draw_split(config.run, faces)
        # the test split is not even handed on
        seen = np.isin(splits, ("train", "val"))
        known, val_split = faces.select(seen), splits[seen]
        folds = _draw_folds(config, known, val_split) if config.folds else (val_split,)
        if config.storage is not None:
            Study(config, folder.path)  # what is wrong with the database is told before anything is written
        with hold_lock(folder.path, _HEAD_SECONDS, progress.say):
            _write_head(folder, config, faces, device.type)
        progress.say(f"writing to {folder.path}")
    work = Work(config, known, folds, folder.path)
    return _Begun(work, Work(config, known, (val_split,), folder.path))


def _draw_folds(config: StudyConfig, faces: FaceSet, splits: NDArray[np.str_]) -> tuple[NDArray[np.str_], ...]:
    """For each fold the split of each face [N]: the training split dealt out, the validation split left aside."""
    training = np.flatnonzero(splits == "train")
    subset, folds = faces.select(splits == "train"), config.folds or 0
    by_subject = config.run.group != "image" and count_subjects(subset) >= folds
    groups = assign_groups(subset, folds, config.run.seed, "subject" if by_subject else "image")
    drawn = []
    for fold in range(folds):
        each = np.full(len(splits), "spare", dtype=splits.dtype)
        each[training] = np.where(groups == fold, "val", "train")
        drawn.append(each)
    return tuple(drawn)


def _choose_placement(options: SearchOptions) -> Placement:
    cluster = None
    if options.ray is not None:
        cpus = 1 if options.cpus_per_task is None else options.cpus_per_task
        cluster = RayCluster(options.ray, cpus, options.gpus_per_task or 0)
    deadline = None if options.budget is None else time.monotonic() + options.budget
    return Placement(options.jobs, cluster, deadline)


def choose_folder(config: StudyConfig, out: Path | None, force: bool) -> StudyFolder:
    """The folder to work in: `out`, begun with the same settings or new, else a new one in runs/.

    Raises RunError where `out` was begun with other settings, naming them, and `force` does not start it over, or
    where it holds something else.
    """
    if out is None:
        return StudyFolder(name_new_folder(f"search_{config.run.model}", config.run.data))
    folder = StudyFolder(out)
    if out.is_file():
        raise RunError(f"--out {out} is a file: name a folder")
    if folder.config.is_file() and force:
        if config.storage is not None:
            raise UsageError("--force empties a folder, not the database of --storage: name another --out")
        with hold_lock(out):
            for path in (folder.confirmed, *sorted(folder.trials.glob("[0-9]*"))):
                with hold_lock(path):
                    pass  # raises where another process writes it
            _clear(folder)
    elif folder.config.is_file():
        _check_settings(folder, config)
    elif out.is_dir() and any(out.iterdir()):
        raise RunError(f"{out} is not empty and no study: name another --out")
    return folder


def _check_settings(folder: StudyFolder, config: StudyConfig) -> None:
    if differences := read_study(folder.config).differences(config):
        raise RunError(
            f"{folder.path} was begun with other settings ({'; '.join(differences)}): leave them out to continue it, "
            "--force starts it over, another --out leaves it alone"
        )


def _clear(folder: StudyFolder) -> None:
    """Remove what a study wrote; other files stay."""
    for path in (folder.trials, folder.confirmed):
        if path.is_dir():
            shutil.rmtree(path)
    # the settings last: until they are gone, this is a study that can be started over
    files = [path for path in vars(folder).values() if path.is_file()]
    for path in [*folder.path.glob("*.png"), *sorted(files, key=lambda path: path == folder.config)]:
        path.unlink(missing_ok=True)


def unfinished_study(out: Path | None) -> StudyFolder:
    """The study to resume: `out`, else the newest unfinished one in runs/. Raises RunError where there is none."""
    if out is not None:
        if not StudyFolder(out).config.is_file():
            raise RunError(f"nothing to resume in {out}: it has no study.yaml (leave --resume out to begin there)")
        return StudyFolder(out)
    configs = sorted(RUNS.glob("*/study.yaml"), key=lambda file: file.stat().st_mtime, reverse=True)
    for file in configs:
        if not StudyFolder(file.parent).results.is_file():
            return StudyFolder(file.parent)
    raise RunError(f"no unfinished study in {RUNS.resolve()}: --resume --out FOLDER names one, or leave --resume out")


def _write_head(folder: StudyFolder, config: StudyConfig, faces: FaceSet, device: str) -> None:
    """Settings and where this comes from; a later start is added to what the first one wrote.

    Raises RunError where the study was begun with other faces or on another kind of device.
    """
    here: dict[str, Any] = {"command": command_line(), "commit": git_commit(), "versions": versions(), "device": device}
    meta = {"data": {"name": faces.name, "fingerprint": faces.fingerprint}, **here}
    if folder.meta.is_file():
        begun = read_json(folder.meta)
        with damage_in(folder.meta):
            before = {"data": str(begun["data"]["fingerprint"]), "device": str(begun["device"])}
            resumed = [*begun.get("resumed", []), here]
        for what, now in (("data", faces.fingerprint), ("device", device)):
            if before[what] != now:
                shown = f"{before[what][:12]}, now {now[:12]}"
                raise RunError(f"{folder.path} was begun with another {what} ({shown}): name another --out")
        meta = {**begun, "resumed": resumed}
    if folder.config.is_file():  # another process may have begun it since
        _check_settings(folder, config)
    config.write(folder.config)
    folder.results.unlink(missing_ok=True)
    write_json(folder.meta, meta)
