"""A job with a folder as its output: listed once, worked on by shards, and continued from the files that it has."""

import os
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from fercli.core.errors import RunError, UsageError
from fercli.core.files import read_json
from fercli.core.progress import SILENT, Progress, explain_interrupt
from fercli.core.text import format_count, shorten, to_printable
from fercli.faces.io.sources import Source
from fercli.runner.on_ray import run_on_ray
from fercli.runner.processes import run_here, run_in_processes
from fercli.runner.tasks import Job
from fercli.workflows.predict.folder_job import manifest as manifests
from fercli.workflows.predict.folder_job.manifest import Manifest, ShardTask, make_manifest
from fercli.workflows.predict.folder_job.options import FolderOptions, check_folder_job
from fercli.workflows.predict.folder_job.target import Target
from fercli.workflows.predict.folder_job.worker import ShardWorker, Work, read_model
from fercli.workflows.predict.options import PredictOptions
from fercli.workflows.predict.output.parquet import need_pyarrow
from fercli.workflows.predict.output.resume import NOW, JobRecord
from fercli.workflows.predict.results import PictureResult, PredictSummary, list_missing, source_text
from fercli.workflows.predict.run import find_inputs


class FolderSummary:
    """What a job counted: `counted` has the shards of this run only, `earlier` is the number of those that were there
    before, and `lost` has the reason of each that failed for good."""

    def __init__(self, target: str, shards: int, earlier: int) -> None:
        self.target, self.shards, self.earlier = target, shards, earlier
        self.counted = PredictSummary()
        self.videos = 0
        self.lost: dict[ShardTask, str] = {}

    def add(self, file: Path) -> None:
        """Count a shard by what it wrote."""
        counts = read_json(file)
        self.counted.pictures += counts["pictures"]
        self.counted.no_face += counts["no_face"]
        self.counted.failed += counts["failed"]
        self.counted.labels.update(counts["labels"])
        self.counted.hard.update(counts["hard"])
        self.counted.classes = tuple(counts["classes"])
        self.videos += counts["videos"]


def run_folder_job(
    inputs: Sequence[Path],
    output: str,
    options: PredictOptions,
    folder_options: FolderOptions,
    progress: Progress = SILENT,
) -> FolderSummary:
    """Predict the expressions in the pictures at `inputs` and write them into the folder `output`, a Parquet file a
    shard, in this process, in several or on a cluster.

    A shard is done when its file is there. Raises FerError for what must not or cannot be done, KeyboardInterrupt
    after Ctrl-C: what is finished stays.
    """
    check_folder_job(output, options)
    target = Target(output)
    need_pyarrow(f"--output {target.name}")
    with target.lock(), TemporaryDirectory(prefix="fer-") as name:
        done = target.list()
        manifest = _find_job(inputs, target, done, options, folder_options, Path(name))
        if manifest is None:
            sources = find_inputs(inputs, options)
            if missing := list_missing(sources):
                return _count_missing(missing, target, progress)
            manifest = _begin(sources, _name_inputs(inputs, options), target, done, options, folder_options, Path(name))
            done = set()
        pending = [task for task in manifest.tasks if task.name not in done]
        summary = FolderSummary(target.name, len(manifest.tasks), len(manifest.tasks) - len(pending))
        if summary.earlier:
            progress.say(f"resuming {target.name}: {summary.earlier:,} of {format_count(summary.shards, 'shard')} done")
        if pending:
            _work_on(pending, manifest, target, options, folder_options, _Tally(Path(name), pending, summary, progress))
        _check_seen(target, pending, summary)
    return summary


def _count_missing(missing: Sequence[PictureResult], target: Target, progress: Progress) -> FolderSummary:
    """The summary of a job none of whose inputs is there: it has no shards, and nothing is written."""
    summary = FolderSummary(target.name, 0, 0)
    summary.counted.missing = frozenset(result.source for result in missing)
    for result in missing:
        summary.counted.add(result)
        progress.say(f"{to_printable(str(result.source))}: {result.message}")
    return summary


def _name_inputs(inputs: Sequence[Path], options: PredictOptions) -> list[str]:
    return [source_text(path) for path in (*inputs, *([options.from_file] if options.from_file else []))]


def _find_job(
    inputs: Sequence[Path],
    target: Target,
    there: set[str],
    options: PredictOptions,
    folder_options: FolderOptions,
    scratch: Path,
) -> Manifest | None:
    """The job to resume, of which these files are there; None where one is to be begun.

    Raises UsageError where none can be begun or resumed, RunError where the job is another one.
    """
    if manifests.NAME in there and folder_options.resume:
        target.fetch(manifests.NAME, scratch / manifests.NAME)
        found = Manifest.read(scratch / manifests.NAME, f"{target.name}{manifests.NAME}")
        record = JobRecord.of(options.model, options.resume_key())
        _check_same(found, record, _name_inputs(inputs, options), folder_options, target)
        return found
    if folder_options.resume:
        raise UsageError(f"nothing to resume: there is no job in {target.name} (leave --resume out to begin)")
    if manifests.NAME in there and not folder_options.force:
        raise UsageError(f"{target.name} has a job already: --resume continues it, --force starts over")
    if others := there - _list_ours(there):
        shown = shorten(", ".join(sorted(others)), 80)
        raise UsageError(f"{target.name} holds other files ({shown}): choose a new folder")
    return None


def _list_ours(there: set[str]) -> set[str]:
    """Those of a folder's files that a job has written."""
    if manifests.NAME not in there:
        return set()
    return {name for name in there if name.startswith("shard-") and name.endswith(".parquet")} | {manifests.NAME}


def _begin(
    sources: Sequence[Source],
    typed: Sequence[str],
    target: Target,
    there: set[str],
    options: PredictOptions,
    folder_options: FolderOptions,
    scratch: Path,
) -> Manifest:
    """A new job of these sources, in the place of the one that is there, if any."""
    record = JobRecord.of(options.model, options.resume_key())
    manifest = make_manifest(typed, record, sources, folder_options.shards)
    ours = _list_ours(there)
    target.remove(sorted(ours, key=lambda name: name == manifests.NAME))  # last: until then they are ours
    manifest.write(scratch / manifests.NAME)
    target.take(scratch / manifests.NAME, manifests.NAME)
    return manifest


def _check_same(
    found: Manifest, record: JobRecord, typed: list[str], folder_options: FolderOptions, target: Target
) -> None:
    """Raises RunError where a job was begun with other inputs, shards, options or another model."""
    differences = found.record.differences(record, NOW)
    if list(found.inputs) != typed:
        differences.append(f"inputs: {' '.join(found.inputs)}, {NOW}{' '.join(typed)}")
    if folder_options.shards not in (None, found.asked):
        differences.append(f"shards: {found.asked or len(found.tasks)}, {NOW}{folder_options.shards}")
    if differences:
        raise RunError(
            f"{target.name} was begun differently ({shorten('; '.join(differences), 300)}): use the same version and "
            "settings, or --force starts over"
        )


def _work_on(
    pending: list[ShardTask],
    manifest: Manifest,
    target: Target,
    options: PredictOptions,
    folder_options: FolderOptions,
    tally: "_Tally",
) -> None:
    """Do the shards that are pending."""
    jobs, cluster = folder_options.jobs, folder_options.cluster
    at_once = min(jobs or 1, len(pending))
    threads = max(1, (os.cpu_count() or 1) // at_once) if at_once > 1 and cluster is None else None
    plain = replace(options, output=None, from_file=None, recursive=False)
    work = Work(target.everywhere, str(Path.cwd()), plain, manifest.record, read_model(options.model), threads)
    job = Job(tally.folder, partial(ShardWorker, work), lambda task: task.result)
    again = f"the same command with --resume continues {target.name}"
    with explain_interrupt(tally.progress, lambda: f"stopped after {tally.done} of {tally.total} shards; {again}"):
        if cluster is not None:
            run_on_ray(job, tally, cluster, tally.progress, jobs)
        elif at_once > 1:
            run_in_processes(job, tally, at_once, tally.progress)
        else:
            run_here(job, tally, tally.progress)


def _check_seen(target: Target, finished: Sequence[ShardTask], summary: FolderSummary) -> None:
    """Raises RunError where the file of a finished shard is not there."""
    there = target.list()
    if missing := [task.name for task in finished if task not in summary.lost and task.name not in there]:
        shown = shorten(", ".join(missing), 80)
        raise RunError(f"{target.name} lacks {shown}: all machines must see this folder, or write to a store")


class _Tally:
    """Counts shards as they end; one whose process died is tried once more."""

    def __init__(self, folder: Path, pending: list[ShardTask], summary: FolderSummary, progress: Progress) -> None:
        self.folder, self.pending, self.progress = folder, pending, progress
        self.total, self.done = len(pending), 0
        self._summary = summary
        self._tried: set[int] = set()
        progress.update(0, self.total, "shards")

    def advance(self, slot: int, fraction: float) -> None:
        """Shards are counted whole."""

    def finish(self, slot: int, task: ShardTask) -> None:
        """A shard's file is there."""
        self._summary.add(self.folder / task.result)
        self.done += 1
        self.progress.update(self.done, self.total, "shards")

    def fail(self, slot: int, task: ShardTask, reason: str) -> None:
        """A shard failed for good. The others go on."""
        self._summary.lost[task] = reason
        self.progress.say(f"{task} failed ({reason}): going on with the others")

    def lose(self, slot: int, task: ShardTask, reason: str) -> bool:
        """The process of a shard died; whether to try once more."""
        if task.number in self._tried:
            self.fail(slot, task, reason)
            return False
        self._tried.add(task.number)
        self.progress.say(f"{task} failed ({reason}): trying once more")
        return True
