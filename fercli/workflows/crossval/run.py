"""A cross-validation from its options to its folder: groups drawn, folds trained, tables written."""

from dataclasses import dataclass
from pathlib import Path

from fercli.core.errors import RunError, UsageError
from fercli.core.files import damage_in, read_json, write_json
from fercli.core.lock import hold_lock, lock_path
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
from fercli.workflows.crossval.placement import EVERYTHING_HERE, Placement, resolve_placement
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

#: How long a shard waits for another one that is writing what all of them begin with.
_HEAD_SECONDS = 300.0


def crossval(options: CrossvalOptions, progress: Progress = SILENT) -> CrossvalResult | None:
    """Cross-validate networks on a face set into a folder, or resume that, as `fer crossval` does.

    With `shard`, only its folds are trained, and there is no result yet: `collect` pools those of all shards.

    Raises UsageError for settings that make no sense, and what `run_crossval` and `collect_crossval` raise. Ctrl-C
    leaves finished folds, and the others can be resumed.
    """
    unfinished = unfinished_crossval(options.collect or options.out) if options.resume or options.collect else None
    config = resolve_crossval(options, read_crossval(unfinished.config) if unfinished else None)
    if options.collect:
        return collect_crossval(config, choose_folder(config, options.collect, force=False), progress)
    placement = resolve_placement(options, config.threads)
    if not placement.is_whole and config.folds_choose_together:
        raise UsageError("--select-by mean needs the trials of all folds before one is retrained: leave --shard out")
    progress.say(_describe(config))
    folder = choose_folder(config, unfinished.path if unfinished else options.out, options.force)
    if placement.is_whole:
        return run_crossval(config, folder, placement, progress)
    train_shard(config, folder, placement, progress)
    return None


def _describe(config: CrossvalConfig) -> str:
    """What is about to be cross-validated."""
    names = " and ".join(model.model for model in config.models)
    start = " from scratch" if all(model.recipe.pretrained == "none" for model in config.models) else ""
    protocol = f"{config.folds} folds, {format_count(config.runs, 'run')}"
    return f"cross-validating {names}{start} on {describe_plan(config.models[0])}, {protocol}"


def run_crossval(
    config: CrossvalConfig, folder: CrossvalFolder, placement: Placement = EVERYTHING_HERE, progress: Progress = SILENT
) -> CrossvalResult:
    """Train what is not trained yet of a cross-validation, and pool all of it.

    Raises DataError, ModelError or MachineError before anything is written, RunError where folder and settings or data
    do not fit or a fold failed twice, UsageError where another process is at work in the folder.
    """
    with hold_lock(folder.path):
        _refuse_beside_shards(folder)
        begun = _begin(config, folder, placement, progress)
        _train(begun, placement, progress)
        return _pool(begun, folder, progress)


def train_shard(
    config: CrossvalConfig, folder: CrossvalFolder, placement: Placement, progress: Progress = SILENT
) -> None:
    """Train what is not trained yet of a shard of a cross-validation's folds, beside other processes that train other
    shards into the same folder. Raises errors as `run_crossval` does."""
    with hold_lock(folder.path, _HEAD_SECONDS, progress.say):
        begun = _begin(config, folder, placement, progress)
    with hold_lock(_shard_path(folder, placement.shard)):
        _train(begun, placement, progress)
    progress.say(f"this shard is done; when all are: fer crossval --collect {folder.path}")


def collect_crossval(config: CrossvalConfig, folder: CrossvalFolder, progress: Progress = SILENT) -> CrossvalResult:
    """Pool the folds of a cross-validation, without training any. Raises RunError, naming them, where some are not
    done, and else as `run_crossval` does."""
    with hold_lock(folder.path):
        _refuse_beside_shards(folder)
        begun = _begin(config, folder, None, progress)
        tasks = list(list_tasks(config, tuple(begun.work.assignments)))
        if missing := [task for task in tasks if not task.done(folder.path)]:
            names = "; ".join(map(str, missing[:3])) + ("; …" if len(missing) > 3 else "")
            raise RunError(
                f"{len(missing)} of {len(tasks)} folds are not done ({names}): run their shards again, or "
                f"fer crossval --resume --out {folder.path} trains them here"
            )
        return _pool(begun, folder, progress)


@dataclass(frozen=True)
class _Begun:
    """What a cross-validation works with, once its folder says so. `device` is the type of the device it is on."""

    work: Work
    notes: tuple[str, ...]
    device: str


def _shard_path(folder: CrossvalFolder, shard: tuple[int, int]) -> Path:
    """What a shard's lock is made for; no such file is written."""
    return folder.path / f"shard-{shard[0]}-of-{shard[1]}"


def _refuse_beside_shards(folder: CrossvalFolder) -> None:
    """Raise UsageError where a shard is being trained."""
    for lock in folder.path.glob(lock_path(Path("shard-*")).name):
        with hold_lock(lock.with_name(lock.name.removeprefix(".").removesuffix(".lock"))):
            pass


def _begin(config: CrossvalConfig, folder: CrossvalFolder, placement: Placement | None, progress: Progress) -> _Begun:
    """Read the faces, draw their groups or take those that were drawn, and write what is known before the first fold.
    Without a placement, nothing is trained and nothing is written."""
    with explain_interrupt(progress, lambda: "stopped before anything was written"):
        device = "cuda" if placement and placement.cluster and placement.cluster.gpus else _device_type(config)
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
        if placement:
            _write_head(folder, config, faces, assignments, device)
            progress.say(f"writing to {folder.path}")
    return _Begun(Work(config, faces, assignments, folder.path), notes, device)


def _device_type(config: CrossvalConfig) -> str:
    return pick_device(config.models[0].device).type


def _train(begun: _Begun, placement: Placement, progress: Progress) -> None:
    """Try all settings that must be tried first, then train every fold of the runs in which that succeeded. Raises
    RunError where some failed."""
    work = begun.work
    jobs = placement.count_jobs(work.config.threads, begun.device)
    groupings = tuple(work.assignments)
    failed = {}
    if first := list(list_trials(work.config, groupings)):
        failed = train_folds(work, first, jobs, progress, placement.cluster)
    lacking = {task.run_folder for task in failed}
    todo = [task for task in placement.choose(list_tasks(work.config, groupings)) if task.run_folder not in lacking]
    failed |= train_folds(work, todo, jobs, progress, placement.cluster)
    if failed:
        raise RunError(_describe_failed(work.folder, failed))


def _pool(begun: _Begun, folder: CrossvalFolder, progress: Progress) -> CrossvalResult:
    """Put the figures of all folds together, and write the tables."""
    work = begun.work
    with explain_interrupt(progress, lambda: f"stopped; fer crossval --resume --out {folder.path} continues"):
        result = pool_folds(folder.path, work.config, work.faces, work.assignments, begun.notes)
        write_artefacts(folder, result, work.faces)
    return result


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
    folder: CrossvalFolder, config: CrossvalConfig, faces: FaceSet, assignments: Assignments, device: str
) -> None:
    """Settings, groups and where this comes from; a later start is added to what the first one wrote.

    Raises RunError where folds were trained on another kind of device, whose arithmetic differs.
    """
    here = {"command": command_line(), "commit": git_commit(), "versions": versions(), "device": device}
    meta = {"data": {"name": faces.name, "fingerprint": faces.fingerprint}, **here}
    if folder.meta.is_file():
        meta = read_json(folder.meta)
        with damage_in(folder.meta):
            before = str(meta["device"])
            meta["resumed"] = [*meta.get("resumed", []), here]
        if before != device:
            raise RunError(
                f"{folder.path} was begun on {shorten(before, 40)}, this is {device}: go on there, or start anew "
                "with another --out"
            )
    if not folder.started:
        config.write(folder.config)
    if not folder.folds.is_file():
        write_folds(folder.folds, config, faces, assignments)
    write_json(folder.meta, meta)


def _describe_failed(folder: Path, failed: dict[Task, str]) -> str:
    task, reason = next(iter(failed.items()))
    more = f" and {len(failed) - 1} more" if len(failed) > 1 else ""
    return (
        f"{task} failed twice ({reason}){more}, so nothing is pooled: fer crossval --resume --out {folder} tries "
        "again what is missing (fewer --jobs take less memory); other settings need another --out"
    )
