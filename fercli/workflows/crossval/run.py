"""A cross-validation from its options to its folder: groups drawn, folds trained, tables written."""

import os

import torch

from fercli.core.errors import RunError
from fercli.core.files import damage_in, read_json, write_json
from fercli.core.lock import hold_lock
from fercli.core.progress import SILENT, Progress, explain_interrupt
from fercli.core.text import format_count, shorten
from fercli.data.faceset import FaceSet
from fercli.data.folds import count_subjects
from fercli.models.catalogue import load_catalogue
from fercli.training.device import pick_device
from fercli.workflows.crossval.aggregate import CrossvalResult, pool_folds
from fercli.workflows.crossval.crossval_folder import CrossvalFolder, choose_folder, unfinished_crossval
from fercli.workflows.crossval.fold import Work
from fercli.workflows.crossval.options import CrossvalOptions
from fercli.workflows.crossval.plan import (
    Assignments,
    Task,
    draw_groups,
    list_tasks,
    list_trials,
    read_folds,
    write_folds,
)
from fercli.workflows.crossval.report import write_artefacts
from fercli.workflows.crossval.selection import SELECTED, change_recipe, list_candidates
from fercli.workflows.crossval.settings import CrossvalConfig, read_crossval, resolve_crossval
from fercli.workflows.crossval.workers import train_folds
from fercli.workflows.run_folder import command_line, git_commit, versions
from fercli.workflows.train.data import load_set
from fercli.workflows.train.settings import describe_plan


def crossval(options: CrossvalOptions, progress: Progress = SILENT) -> CrossvalResult:
    """Cross-validate networks on a face set into a folder, or resume that, as `fer crossval` does.

    Raises UsageError for settings that make no sense, and what `run_crossval` raises. Ctrl-C leaves finished folds,
    and the others can be resumed.
    """
    unfinished = unfinished_crossval(options.out) if options.resume else None
    config = resolve_crossval(options, read_crossval(unfinished.config) if unfinished else None)
    progress.say(_describe(config))
    folder = choose_folder(config, unfinished.path if unfinished else options.out, options.force)
    return run_crossval(config, folder, jobs=options.jobs, progress=progress)


def _describe(config: CrossvalConfig) -> str:
    """What is about to be cross-validated."""
    names = " and ".join(model.model for model in config.models)
    start = " from scratch" if all(model.recipe.pretrained == "none" for model in config.models) else ""
    protocol = f"{config.folds} folds, {format_count(config.runs, 'run')}"
    return f"cross-validating {names}{start} on {describe_plan(config.models[0])}, {protocol}"


def run_crossval(
    config: CrossvalConfig, folder: CrossvalFolder, *, jobs: int | None = None, progress: Progress = SILENT
) -> CrossvalResult:
    """Train what is not trained yet of a cross-validation, and pool all of it.

    `jobs` folds train side by side; without a number, as many as the processor has room for with the settings'
    threads each, and one on a GPU. Raises DataError, ModelError or MachineError before anything is written, RunError
    where folder and settings or data do not fit or a fold failed twice, UsageError where another process is at work in
    the folder.
    """
    with hold_lock(folder.path):
        return _run_crossval(config, folder, jobs, progress)


def _run_crossval(
    config: CrossvalConfig, folder: CrossvalFolder, jobs: int | None, progress: Progress
) -> CrossvalResult:
    with explain_interrupt(progress, lambda: "stopped before anything was written"):
        device = pick_device(config.models[0].device)
        for model in config.models:
            for candidate in list_candidates(model, config.grid) if config.select else ():
                change_recipe(model, candidate)
        faces = load_set(config.models[0], progress.update)
        assignments = draw_groups(config, faces)
        if folder.folds.is_file():
            assignments = read_folds(folder.folds, faces)
        notes = _notes(config, faces, assignments)
        for note in (*faces.notes, *notes):
            progress.say(note)
        _write_head(folder, config, faces, assignments, device)
    progress.say(f"writing to {folder.path}")
    jobs = jobs or (max(1, (os.cpu_count() or 1) // config.threads) if device.type == "cpu" else 1)
    if failed := _train(Work(config, faces, assignments, folder.path), jobs, progress):
        raise RunError(_describe_failed(folder, failed))
    with explain_interrupt(progress, lambda: f"stopped; fer crossval --resume --out {folder.path} continues"):
        result = pool_folds(folder.path, config, faces, assignments, notes)
        write_artefacts(folder, result, faces)
    return result


def _train(work: Work, jobs: int, progress: Progress) -> dict[Task, str]:
    """Try all settings that must be tried first, then train every fold of the runs in which that succeeded: the reason
    of each that failed."""
    groupings = tuple(work.assignments)
    failed = {}
    if first := list(list_trials(work.config, groupings)):
        failed = train_folds(work, first, jobs, progress)
    lacking = {task.run_folder for task in failed}
    todo = [task for task in list_tasks(work.config, groupings) if task.run_folder not in lacking]
    return failed | train_folds(work, todo, jobs, progress)


def _notes(config: CrossvalConfig, faces: FaceSet, assignments: Assignments) -> tuple[str, ...]:
    """What must be known to read the figures."""
    notes = []
    if "image" in assignments and count_subjects(faces):
        notes.append("by image, the same people are in training and test: those figures do not speak of new people")
    if config.group == "auto" and "image" in assignments:
        known = count_subjects(faces)
        why = f"only {known} persons are known" if known else "there are no subject IDs"
        notes.append(f"{why} in {faces.name}: groups are drawn by image")
    if faces.splits is not None:
        notes.append(f"the split that {faces.name} comes with is set aside: all {len(faces):,} faces are dealt out")
    catalogue = load_catalogue()
    remarks = {model.model: catalogue[model.model].remark(model.recipe) for model in config.models}
    notes += [f"{name}: {remark}" for name, remark in remarks.items() if remark]
    if config.select:
        notes.append(SELECTED[config.select_by])
    return tuple(notes)


def _write_head(
    folder: CrossvalFolder, config: CrossvalConfig, faces: FaceSet, assignments: Assignments, device: torch.device
) -> None:
    """Settings, groups and where this comes from; a later start is added to what the first one wrote.

    Raises RunError where folds were trained on another kind of device, whose arithmetic differs.
    """
    here = {"command": command_line(), "commit": git_commit(), "versions": versions(), "device": device.type}
    meta = {"data": {"name": faces.name, "fingerprint": faces.fingerprint}, **here}
    if folder.meta.is_file():
        meta = read_json(folder.meta)
        with damage_in(folder.meta):
            before = str(meta["device"])
            meta["resumed"] = [*meta.get("resumed", []), here]
        if before != device.type:
            raise RunError(
                f"{folder.path} was begun on {shorten(before, 40)}, this is {device.type}: go on there, or start anew "
                "with another --out"
            )
    if not folder.started:
        config.write(folder.config)
    if not folder.folds.is_file():
        write_folds(folder.folds, config, faces, assignments)
    write_json(folder.meta, meta)


def _describe_failed(folder: CrossvalFolder, failed: dict[Task, str]) -> str:
    task, reason = next(iter(failed.items()))
    more = f" and {len(failed) - 1} more" if len(failed) > 1 else ""
    return (
        f"{task} failed twice ({reason}){more}, so nothing is pooled: fer crossval --resume --out {folder.path} tries "
        "again what is missing (fewer --jobs take less memory); other settings need another --out"
    )
