"""One job of `fer predict` from beginning to end: planned, run, written and counted."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from fercli.core.errors import UsageError
from fercli.core.files import refuse_existing
from fercli.core.progress import Progress
from fercli.core.text import clock
from fercli.faces.io.sources import Source, find_sources
from fercli.workflows.predict import pipeline
from fercli.workflows.predict.options import PredictOptions
from fercli.workflows.predict.results import PictureResult, PredictSummary, list_missing, source_text

if TYPE_CHECKING:
    from fercli.workflows.predict.output.resume import JobFile, JobRecord
    from fercli.workflows.predict.visuals.plan import Visuals


class JobProgress(Progress):
    """Hears how a job goes, and takes its results. This one stays silent; override what is wanted."""

    def failed(self, result: PictureResult) -> None:
        """An input, or the rest of a video, could not be read."""

    def show(self, results: Iterator[PictureResult], classes: tuple[str, ...]) -> None:
        """Take all results of a job that writes no file of rows. `classes` are the model's."""
        for _ in results:
            pass


_SILENT = JobProgress()


def run_job(inputs: Sequence[Path], options: PredictOptions, progress: JobProgress = _SILENT) -> PredictSummary:
    """Predict the expressions in the pictures and videos at `inputs`, write what the options ask for, and count.

    An input that cannot be read is a result with its reason; the others go on. Ctrl-C ends the job early: what is
    finished is written and counted as usual, and the summary says `interrupted`. Raises FerError, before anything is
    computed, for what must not or cannot be done, and RunError where a file cannot be written.
    """
    if options.output is None:
        return _run_job(inputs, options, progress)
    from fercli.core.lock import hold_lock

    shard = (1, 1)
    if options.shard:
        from fercli.workflows.predict.shards import resolve_shard

        options, shard = resolve_shard(options)
    assert options.output is not None
    with hold_lock(options.output):
        return _run_job(inputs, options, progress, shard)


def run_sources(
    sources: list[Source], options: PredictOptions, record: "JobRecord", progress: JobProgress = _SILENT
) -> PredictSummary:
    """`run_job` for sources that are found already, of a job with this record."""
    return _run(sources, _open_output(options), record, options, progress)


def _run_job(
    inputs: Sequence[Path], options: PredictOptions, progress: JobProgress, shard: tuple[int, int] = (1, 1)
) -> PredictSummary:
    file = _open_output(options)
    sources, settings = find_inputs(inputs, options), options.resume_key()
    if options.writes and (missing := list_missing(sources)):
        return _count_missing(missing, progress)
    if shard != (1, 1):
        from fercli.workflows.predict.shards import choose_sources, describe_sources

        settings |= describe_sources(sources)
        sources = choose_sources(sources, shard)
    record = None
    if file:
        from fercli.workflows.predict.output.resume import JobRecord

        record = JobRecord.of(options.model, settings)
    return _run(sources, file, record, options, progress)


def _run(
    sources: list[Source],
    file: "JobFile | None",
    record: "JobRecord | None",
    options: PredictOptions,
    progress: JobProgress,
) -> PredictSummary:
    missing = frozenset(source.path for source in sources if source.error)
    videos = sum(source.kind == "video" and not source.error for source in sources)
    summary = PredictSummary(len(sources), videos, missing=missing)
    left = _resume(sources, file, record, options, summary, progress) if file and record else sources
    visuals = _plan_visuals(options, sources, left, file)
    if options.by_person:
        from fercli.workflows.predict.output.people import check_people_file

        check_people_file(options.by_person, options.force, options.resume)
    if file and not left and file.complete and visuals is None and not options.by_person:
        summary.nothing_left = True
        return summary

    _say_device(options, progress)
    model, finder = pipeline.load_networks(options)
    summary.classes = model.classes
    stages = visuals.stages(model, file, progress.say) if visuals else ()
    for remark in filter(None, (model.remark, visuals.remark if visuals else "")):
        progress.say(remark)
    predicted = pipeline.predict_sources(left, model, finder, options, stages)
    results = _count(predicted, left, summary, progress)
    try:
        _write(results, options, file, summary, progress)
    except KeyboardInterrupt:  # outside the computing, which `_count` guards: a row may be half written
        summary.interrupted = True
    if visuals:
        visuals.finish(model, summary)
    if options.by_person:
        from fercli.workflows.predict.output.people import write_people

        write_people(options.by_person, summary.videos.values(), summary.classes)
        summary.people = options.by_person
    return summary


def _open_output(options: PredictOptions) -> "JobFile | None":
    """The file that grows with the job, if the rows go to one. Raises UsageError where it must not be written."""
    output, form = options.output, options.form
    if output is None or form is None:
        return None
    if options.from_file and output.exists() and options.from_file.exists() and output.samefile(options.from_file):
        raise UsageError(f"--output {output} is the list that --from-file reads: choose another name")
    if form == "json":
        refuse_existing(output, force=options.force)
        return None
    from fercli.workflows.predict.output.resume import JobFile

    file = JobFile(output, form)
    file.check(options.resume, options.force)
    return file


def find_inputs(inputs: Sequence[Path], options: PredictOptions) -> list[Source]:
    """The sources at `inputs` and in the list that the options name. Raises UsageError where there are none."""
    if options.from_file is None:
        return find_sources(inputs, options.recursive)
    from fercli.faces.io.sources import read_list

    return find_sources(inputs, options.recursive, listed=read_list(options.from_file))


def _count_missing(missing: Sequence[PictureResult], progress: JobProgress) -> PredictSummary:
    summary = PredictSummary(len(missing), missing=frozenset(result.source for result in missing), nothing_found=True)
    for result in missing:
        summary.add(result)
        progress.failed(result)
    return summary


def _resume(
    sources: list[Source],
    file: "JobFile",
    record: "JobRecord",
    options: PredictOptions,
    summary: PredictSummary,
    progress: JobProgress,
) -> list[Source]:
    """Begin the file's job, or resume it: the sources that the file lacks. The results that it has are counted.

    Raises RunError where it was begun with another model or other options.
    """
    done = set()
    for result in file.begin(record, options.resume):
        summary.add(result)
        done.add(source_text(result.source))
    left = [source for source in sources if source_text(source.path) not in done]
    if options.resume and left:
        older = f" (its record is older and lacks {', '.join(file.assumed)})" if file.assumed else ""
        progress.say(f"resuming {file.path}: {len(done):,} done, {len(left):,} left{older}")
    return left


def _plan_visuals(
    options: PredictOptions, sources: list[Source], left: list[Source], file: "JobFile | None"
) -> "Visuals | None":
    """What is drawn besides the rows, if anything. Raises UsageError or MachineError where that cannot be."""
    if not options.draws:
        return None
    from fercli.workflows.predict.visuals.plan import Resumed, Visuals

    paths = {source.path for source in left}
    done = [source for source in sources if source.path not in paths]
    return Visuals(options, left, Resumed(done, file.started if file and options.resume else None))


def _say_device(options: PredictOptions, progress: JobProgress) -> None:
    if pipeline.choose_device(options) == "mps" and not options.faces_are_cropped:
        progress.say("faces are searched for on the CPU; expressions are classified on mps")


def _count(
    results: Iterator[PictureResult], sources: Sequence[Source], summary: PredictSummary, progress: JobProgress
) -> Iterator[PictureResult]:
    """The same results, counted, up to a Ctrl-C: what is finished is written as usual."""
    position = _Position(sources)
    try:
        for result in results:
            summary.add(result)
            if result.status == "failed":
                progress.failed(result)
            position.advance(result)
            progress.update(position.done + position.fraction, len(sources), str(position))
            yield result
    except KeyboardInterrupt:
        summary.interrupted = True


class _Position:
    """How far a job is: `done` inputs, and the `fraction` of the video that is worked on, by its time."""

    def __init__(self, sources: Sequence[Source]) -> None:
        videos = any(source.kind == "video" for source in sources)
        self._what = "pictures and videos" if videos else "pictures"
        self.done, self.fraction = 0, 0.0
        self._frame: PictureResult | None = None
        self._seconds = 0.0

    def advance(self, result: PictureResult) -> None:
        """Take in the next result."""
        if self._frame is not None and result.source != self._frame.source:
            self.done, self._frame = self.done + 1, None
        self.fraction = 0.0
        if result.time is None:
            self.done, self._frame = self.done + 1, None
            return
        if self._frame is None:
            from fercli.workflows.predict.video import video_seconds

            self._seconds = video_seconds(result.source)
        self._frame = result
        self.fraction = min(1.0, result.time / self._seconds) if self._seconds else 0.0

    def __str__(self) -> str:
        """'pictures', and in a video also the frame: 'clip.mp4 0:12 of 1:30, frame 360'."""
        if self._frame is None or self._frame.time is None:
            return self._what
        length = f" of {clock(self._seconds)}" if self._seconds else ""
        return f"{self._what}  {self._frame.source.name} {clock(self._frame.time)}{length}, frame {self._frame.frame}"


def _write(
    results: Iterator[PictureResult],
    options: PredictOptions,
    file: "JobFile | None",
    summary: PredictSummary,
    progress: JobProgress,
) -> None:
    """Consume the results: to the file, or to whoever shows them."""
    if file:
        file.write(results, summary.classes)
        if summary.interrupted:
            return
        file.finish(summary.classes)
    elif options.output:
        from fercli.workflows.predict.output.writers import write_document

        write_document(options.output, results, summary.classes)
    else:
        progress.show(results, summary.classes)
    summary.output = options.output
