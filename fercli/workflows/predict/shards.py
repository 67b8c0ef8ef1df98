"""A job of `fer predict` in shards: a file of rows for each, and all of them as one file."""

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import TypeVar

from fercli.core.errors import RunError, UsageError
from fercli.core.files import refuse_existing
from fercli.core.lock import hold_lock
from fercli.core.text import shorten
from fercli.faces.io.sources import Source
from fercli.runner.shards import parse_shard
from fercli.workflows.predict.options import PredictOptions, Setting
from fercli.workflows.predict.output import form_of
from fercli.workflows.predict.output.readers import READERS, read_predictions
from fercli.workflows.predict.output.resume import JobFile, JobRecord
from fercli.workflows.predict.output.schema import classes_of
from fercli.workflows.predict.results import PictureResult, PredictSummary, source_text

T = TypeVar("T")

#: What the record of a shard calls the pictures of all shards.
_PICTURES = "pictures"


def choose_sources(sources: Sequence[T], shard: tuple[int, int]) -> list[T]:
    """Those of a shard: the shards one after the other are all sources in their order."""
    number, count = shard
    return list(sources[len(sources) * (number - 1) // count : len(sources) * number // count])


def describe_sources(sources: Sequence[Source]) -> dict[str, Setting]:
    """What all shards of a job must have in common, beside its settings: how many pictures there are, and which."""
    digest = hashlib.sha256("\0".join(source_text(source.path) for source in sources).encode()).hexdigest()
    return {_PICTURES: f"{len(sources):,} ({digest[:8]})"}


def resolve_shard(options: PredictOptions) -> tuple[PredictOptions, tuple[int, int]]:
    """The options of a shard's own job, and which shard it is. It writes a file of its own beside the output, and
    resumes what is there of it.

    Raises UsageError for a shard that is none.
    """
    if options.shard is None or options.output is None or options.form is None:
        return options, (1, 1)
    number, count = parse_shard(options.shard)
    path = _shard_path(options.output, number, count)
    begun = JobFile(path, options.form).begun
    return replace(options, output=path, resume=begun and not options.force), (number, count)


def _shard_path(output: Path, number: int, count: int) -> Path:
    return output.with_name(f"{output.stem}.{number}-of-{count}{output.suffix}")


def collect_shards(output: Path, force: bool = False) -> PredictSummary:
    """Write the rows of all shards of `output` into it, as one job would have written them.

    Raises UsageError where `output` exists and `force` is not set, RunError where shards are missing, unfinished or
    of different jobs: of other settings, or of other pictures.
    """
    form = form_of(output)
    if form == "json":
        raise UsageError(f"--collect {output}: shards are .csv, .jsonl or .parquet files")
    with hold_lock(output):
        file = JobFile(output, form)
        refuse_existing(output, force=force)
        file.check(resume=False, force=True)  # whether pyarrow is there
        shards = _find_shards(output)
        jobs = [JobFile(path, form) for path in shards]
        _check_complete(output, jobs)
        record = _find_record(jobs)
        summary = PredictSummary(0, 0)
        summary.classes = _find_classes(shards)
        file.begin(record, resume=False)
        file.write(_read_all(shards, summary), summary.classes)
        file.finish(summary.classes)
    summary.video_inputs = len(summary.videos)
    summary.output = output
    return summary


def _find_shards(output: Path) -> list[Path]:
    """Every shard's file, in order. Raises RunError where one is missing, or where they are of different numbers."""
    pattern = re.compile(rf"{re.escape(output.stem)}\.(\d+)-of-(\d+){re.escape(output.suffix)}(\.job)?", re.ASCII)
    found = [match for path in output.parent.glob("*") if (match := pattern.fullmatch(path.name))]
    counts = {int(match[2]) for match in found}
    if not counts:
        raise RunError(f"there are no shards of {output}: fer predict PATH… --output {output} --shard 1/4 writes one")
    if len(counts) > 1:
        shown = " and ".join(map(str, sorted(counts)))
        raise RunError(f"the shards of {output} are of {shown}: remove those of an earlier job")
    (count,) = counts
    missing = sorted(set(range(1, count + 1)) - {int(match[1]) for match in found})
    if missing:
        raise RunError(f"shards are missing: {_list(output, missing, count)}")
    return [_shard_path(output, number, count) for number in range(1, count + 1)]


def _check_complete(output: Path, jobs: Sequence[JobFile]) -> None:
    if unfinished := [number for number, job in enumerate(jobs, 1) if not job.complete]:
        raise RunError(
            f"shards are unfinished: {_list(output, unfinished, len(jobs))}; the command that began each continues it"
        )


def _list(output: Path, numbers: Sequence[int], count: int) -> str:
    return shorten(f"{', '.join(f'{number}/{count}' for number in numbers)} of {output}", 200)


def _find_record(jobs: Sequence[JobFile]) -> JobRecord:
    """The one record of all. Raises RunError where they differ."""
    first, *others = [job.find_record() for job in jobs]
    for job, record in zip(jobs[1:], others, strict=True):
        if differences := first.differences(record):
            shown = shorten("; ".join(differences), 200)
            raise RunError(f"{jobs[0].path} and {job.path} are of different jobs ({shown})")
    settings = {name: value for name, value in first.settings.items() if name != _PICTURES}
    return replace(first, settings=settings, complete=False, whole=0)


def _find_classes(paths: Sequence[Path]) -> tuple[str, ...]:
    """The classes by the columns of the first file that has rows."""
    line = next(chain.from_iterable(READERS[form_of(path)](path) for path in paths if path.stat().st_size), None)
    return classes_of(list(line.values)) if line else ()


def _read_all(paths: Sequence[Path], summary: PredictSummary) -> Iterator[PictureResult]:
    """The results of all files, counted."""
    for path in paths:
        last = None
        for result in read_predictions(path) if path.stat().st_size else ():
            summary.inputs += result.source != last
            last = result.source
            summary.add(result)
            yield result
