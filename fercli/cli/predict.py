"""fer predict: the expression of every face in pictures and videos."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, TextIO

import typer

from fercli.cli import console, options
from fercli.cli.prediction_tally import Tally

if TYPE_CHECKING:
    from fercli.faces.sources import Source
    from fercli.workflows.predict.results import PictureResult


Form = Literal["table", "csv", "jsonl", "json"]


def predict(
    paths: Annotated[list[Path] | None, typer.Argument(metavar="PATH", help="Pictures, videos and folders.")] = None,
    demo: Annotated[bool, typer.Option("--demo", help="The portrait in matplotlib's sample data.")] = False,
    model: options.Model = None,
    recursive: Annotated[bool, typer.Option("--recursive", "-r", help="Folders within folders too.")] = False,
    form: Annotated[Form | None, typer.Option("--format", help="Default: table, or what --output ends in.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="The same as --format json.")] = False,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Write to this file: .csv, .jsonl or .json.")
    ] = None,
    annotate: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Marked copies in this folder; of a video its timeline too."),
    ] = None,
    every: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="Of videos, look at a frame so often: 0.5s, 500ms, 2; 'frame': all."),
    ] = None,
    fps: Annotated[
        float | None,
        typer.Option(metavar="N", help="Of videos, look at so many frames a second. Default: 5."),
    ] = None,
    smooth: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="In videos, average a person's expressions over so long: 0.5s."),
    ] = None,
    tta: Annotated[bool, typer.Option(help="Average each face with its mirror image.")] = True,
    raw: Annotated[bool, typer.Option("--raw", help="Confidence as trained, not calibrated.")] = False,
    device: options.Device = "auto",
    force: options.Force = False,
    quiet: options.Quiet = False,
    debug: options.Debug = False,
) -> None:
    """Name the expression of every face in pictures and videos.

    Faces are numbered from left to right, people in a video as they appear. Exit code 1 if a file could not be read.
    """
    from fercli.faces.sources import find_sources
    from fercli.workflows.predict.copies import plan_copies
    from fercli.workflows.predict.video_settings import video_settings

    chosen = _form(form, as_json, output)
    video = video_settings(every, fps, smooth)
    _refuse_existing(output, force)
    sources = find_sources([*(paths or []), *([_portrait()] if demo else [])], recursive)
    copies = plan_copies(sources, annotate, force) if annotate else None

    from fercli.faces.detect import Detector
    from fercli.models.loaded import load_model
    from fercli.training.device import model_device, pick_device
    from fercli.workflows.predict.job import predict_sources

    where = pick_device(device)
    if where.type == "mps":
        console.note("faces are searched for on the CPU, which MTCNN needs; expressions are named on mps")
    network = load_model(model, model_device(model, device), mirrored=tta, raw=raw)
    detector = Detector(str(where))
    results = predict_sources(sources, network, detector, copies=copies, every=video.every, smooth=video.smooth)
    tally = Tally()
    counted = tally.counting(results)
    if _bar_fits(sources, chosen, output):
        from fercli.cli.prediction_bar import with_bar

        counted = with_bar(counted, sources)
    _write(counted, network.classes, chosen, output)
    console.note(tally.sentence(network.classes))
    _note_videos(sources, {"--every": every, "--fps": fps, "--smooth": smooth})
    if output:
        console.note(f"written to {output}")
    if copies and any(copy.exists() for copy in copies.values()):
        console.note(f"annotated copies in {annotate}")
    if tally.interrupted:
        console.note(tally.stopped(len(sources)))
        raise typer.Exit(130)
    if tally.failed:
        raise typer.Exit(1)


def _form(form: Form | None, as_json: bool, output: Path | None) -> Form:
    """The one form that the flags and the file's ending agree on. Raises UsageError where they do not."""
    from fercli.core.errors import UsageError
    from fercli.workflows.predict.writers import form_of

    wanted: dict[str, Form] = {"--json": "json"} if as_json else {}
    if form:
        wanted[f"--format {form}"] = form
    if output:
        wanted[f"--output {output}"] = form_of(output)
    if len(set(wanted.values())) > 1:
        raise UsageError(f"{' and '.join(wanted)} name different forms: leave one out")
    return next(iter(wanted.values()), "table")


def _refuse_existing(output: Path | None, force: bool) -> None:
    from fercli.core.errors import UsageError

    if output and output.exists() and not force:
        raise UsageError(f"{output} exists already: --force replaces it, or choose another name")


def _portrait() -> Path:
    """Grace Hopper, from the sample data that matplotlib installs."""
    from matplotlib.cbook import get_sample_data

    return Path(get_sample_data("grace_hopper.jpg", asfileobj=False))


def _write(results: "Iterator[PictureResult]", classes: tuple[str, ...], form: Form, output: Path | None) -> None:
    if form == "table":
        from fercli.cli.prediction_table import print_table

        print_table(results, classes)
        return
    from fercli.workflows.predict.writers import WRITERS

    with _opened(output) as stream:
        for text in WRITERS[form](results, classes):
            stream.write(text)
            stream.flush()


@contextmanager
def _opened(output: Path | None) -> Iterator[TextIO]:
    if output is None:
        yield sys.stdout
        return
    from fercli.core.files import written_whole

    with written_whole(output) as temporary, temporary.open("w", encoding="utf-8", newline="\n") as file:
        yield file


def _bar_fits(sources: "Sequence[Source]", form: Form, output: Path | None) -> bool:
    """Whether there is something to wait for, someone to see it, and no data that would run into it."""
    streaming = form != "table" and output is None and sys.stdout.isatty()
    long = len(sources) > 1 or any(source.kind == "video" for source in sources)
    return long and sys.stderr.isatty() and not streaming


def _note_videos(sources: "Sequence[Source]", typed: "dict[str, object]") -> None:
    """How videos are looked at where that was not asked for, or that there are none for what was asked."""
    given = [flag for flag, value in typed.items() if value is not None]
    if all(source.kind == "picture" for source in sources):
        if given:
            console.note(f"no video among the paths: {' and '.join(given)} had nothing to do")
    elif not {"--every", "--fps"} & set(given):
        from fercli.workflows.predict.video_settings import EVERY

        rate = f"{1 / EVERY:g} frames a second were looked at"
        console.note(f"{rate}: --fps N takes another number, --every frame all of them")
