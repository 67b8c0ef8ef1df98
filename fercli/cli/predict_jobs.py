"""Jobs of `fer predict`, run and closed: the lines at their end, and the exit code."""

from pathlib import Path
from typing import TYPE_CHECKING, Literal, NoReturn

import typer

from fercli.cli import console
from fercli.core.errors import UsageError
from fercli.core.text import format_count
from fercli.workflows.predict.options import PredictOptions

if TYPE_CHECKING:
    from fercli.workflows.predict.folder_job.options import FolderOptions
    from fercli.workflows.predict.output import Form
    from fercli.workflows.predict.results import PredictSummary


def run_into_file(
    inputs: list[Path], settings: PredictOptions, form: "Form | Literal['table']", video_flags: dict[str, object]
) -> None:
    """A job whose rows go to one file or to standard output, in that form. `video_flags` are those that were typed."""
    from fercli.cli.predict_tables import Terminal
    from fercli.workflows.predict.run import run_job

    with console.without_chatter(), Terminal(form, settings.output) as progress:
        summary = run_job(inputs, settings, progress)
    _close(summary, settings, video_flags)


def run_into_folder(
    inputs: list[Path], output: str, settings: PredictOptions, folder_options: "FolderOptions"
) -> NoReturn:
    """A job whose output is a folder, its closing lines, and the exit code."""
    from fercli.cli.predict_tables import describe_folder
    from fercli.cli.progress import TerminalProgress
    from fercli.workflows.predict.advice import advise
    from fercli.workflows.predict.folder_job.run import run_folder_job

    with console.without_chatter(), TerminalProgress() as progress:
        summary = run_folder_job(inputs, output, settings, folder_options, progress)
    # the counts of shards do not tell faces of videos from those of pictures
    advice = () if summary.videos else advise(summary.counted, settings)
    for line in (*describe_folder(summary), *advice):
        console.note(line)
    raise typer.Exit(1 if summary.counted.failed or summary.lost else 0)


def collect_files(file: Path, force: bool, inputs: list[Path], output: str | None, shard: str | None) -> None:
    """Write all shards of a file into it."""
    if inputs or output or shard:
        raise UsageError(f"--collect {file} reads the shards beside it: leave pictures, --output and --shard out")
    from fercli.workflows.predict.shards import collect_shards

    _close(collect_shards(file, force), PredictOptions(output=file), {})


def _close(summary: "PredictSummary", settings: PredictOptions, video_flags: dict[str, object]) -> None:
    """The closing lines, and the exit code."""
    from fercli.cli.predict_tables import NOTHING_FOUND, describe_stop, describe_summary
    from fercli.workflows.predict.advice import advise

    failed = 1 if summary.failed else 0
    target = f"shard {settings.shard} of {settings.output}" if settings.shard else settings.output
    if summary.nothing_left:
        console.note(f"{target} has all {format_count(summary.inputs, 'picture')} already: nothing left to do")
        if failed:
            console.note(f"{summary.failed} of them failed earlier: --force tries all of them again")
        raise typer.Exit(failed)
    if summary.nothing_found:
        console.note(NOTHING_FOUND)
        raise typer.Exit(failed)
    console.note(describe_summary(summary))
    for line in advise(summary, settings):
        console.note(line)
    _note_sampling(summary, [flag for flag, value in video_flags.items() if value is not None])
    if summary.output:
        console.note(f"written to {summary.output}")
    for what, path in (
        ("annotations", summary.annotations),
        ("explanations", summary.explanations),
        ("report", summary.report),
        ("crops", summary.crops),
        ("embeddings", summary.embeddings),
        ("people", summary.people),
    ):
        if path and what == "people" and not summary.video_inputs:
            console.note(f"no video among the inputs, so {path} lists nobody")
        elif path:
            console.note(f"{what} in {path}")
    if summary.interrupted:
        within_video = summary.last is not None and summary.last.time is not None
        console.note(f"{describe_stop(summary)}{_describe_next(settings, str(target), within_video)}")
    raise typer.Exit(130 if summary.interrupted else failed)


def _describe_next(settings: PredictOptions, target: str, within_video: bool) -> str:
    """How to go on after Ctrl-C, if that is possible."""
    continues = f"continues {target}" + (", and begins this video again" if within_video else "")
    if not settings.can_resume:
        return ""
    if settings.embeddings:
        return f"; with --resume in place of --embeddings, the same command {continues}; --force starts over"
    return f"; the same command{'' if settings.shard else ' with --resume'} {continues}"


def _note_sampling(summary: "PredictSummary", typed: list[str]) -> None:
    """How videos are sampled where that was not asked for, or that there are none for what was asked."""
    if not summary.video_inputs:
        if typed:
            console.note(f"no video among the inputs: {' and '.join(typed)} had no effect")
    elif not {"--every", "--fps"} & set(typed):
        rate = f"{1 / PredictOptions.every:g} frames a second were sampled"
        console.note(f"{rate}: --fps N takes another number, --every frame all of them")
