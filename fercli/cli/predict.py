"""fer predict: the expression of every face in pictures."""

import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, TextIO

import typer

from fercli.cli import console, options

if TYPE_CHECKING:
    from fercli.workflows.predict.results import PictureResult


Form = Literal["table", "csv", "jsonl", "json"]


def predict(
    paths: Annotated[list[Path] | None, typer.Argument(metavar="PATH", help="Pictures and folders.")] = None,
    demo: Annotated[bool, typer.Option("--demo", help="The portrait in matplotlib's sample data.")] = False,
    model: options.Model = None,
    recursive: Annotated[bool, typer.Option("--recursive", "-r", help="Folders within folders too.")] = False,
    form: Annotated[Form | None, typer.Option("--format", help="Default: table, or what --output ends in.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="The same as --format json.")] = False,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Write to this file: .csv, .jsonl or .json.")
    ] = None,
    annotate: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Draw boxes and labels on copies in this folder.")
    ] = None,
    tta: Annotated[bool, typer.Option(help="Average each face with its mirror image.")] = True,
    min_face: Annotated[
        float,
        typer.Option(metavar="PX", help="The smallest face looked for, in pixels: higher is faster, lower finds more."),
    ] = 20,
    max_side: Annotated[
        int,
        typer.Option(
            metavar="PX",
            help="Search larger pictures as if shrunk to it: lower is faster, higher finds small faces; 0: never.",
        ),
    ] = 1920,
    threshold: Annotated[
        float,
        typer.Option(help="How sure the detector must be, 0 to 1: lower finds more faces, and more that are none."),
    ] = 0.7,
    raw: Annotated[bool, typer.Option("--raw", help="Confidence as trained, not calibrated.")] = False,
    device: options.Device = "auto",
    force: options.Force = False,
    quiet: options.Quiet = False,
    debug: options.Debug = False,
) -> None:
    """Name the expression of every face in pictures.

    Faces are numbered from left to right. Exit code 1 if a picture could not be read.
    """
    from fercli.faces.sources import find_sources
    from fercli.workflows.predict.copies import plan_copies

    chosen = _form(form, as_json, output)
    _refuse_existing(output, force)
    sources = find_sources([*(paths or []), *([_portrait()] if demo else [])], recursive)
    copies = plan_copies(sources, annotate, force) if annotate else None

    from fercli.faces.detect import THRESHOLDS, Detector
    from fercli.models.loaded import load_model
    from fercli.training.device import model_device, pick_device
    from fercli.workflows.predict.job import predict_sources

    where = pick_device(device)
    if where.type == "mps":
        console.note("faces are searched for on the CPU; expressions are named on mps")
    detector = Detector(str(where), min_face, (*THRESHOLDS[:2], threshold), max_side)
    network = load_model(model, model_device(model, device), mirrored=tta, raw=raw)
    results = predict_sources(sources, network, detector, copies=copies)
    tally = Tally()
    counted = tally.counting(results)
    if _bar_fits(len(sources), chosen, output):
        counted = _with_bar(counted, len(sources))
    _write(counted, network.classes, chosen, output)
    console.note(tally.sentence(network.classes))
    if output:
        console.note(f"written to {output}")
    if annotate and tally.faces:
        console.note(f"annotated copies in {annotate}")
    if tally.interrupted:
        console.note(f"stopped after {_count(tally.pictures, 'picture')} of {len(sources):,}")
        raise typer.Exit(130)
    if tally.failed:
        raise typer.Exit(1)


@dataclass
class Tally:
    """What a job has met so far."""

    pictures: int = 0
    failed: int = 0
    interrupted: bool = False
    labels: Counter[str] = field(default_factory=Counter)

    @property
    def faces(self) -> int:
        """Faces found."""
        return self.labels.total()

    def counting(self, results: "Iterator[PictureResult]") -> "Iterator[PictureResult]":
        """The same results, up to a Ctrl-C: what is finished is written and counted as usual. Failures go to
        standard error as they come, one line each."""
        try:
            for result in results:
                self.pictures += 1
                self.labels.update(face.label for face in result.faces)
                if result.status == "failed":
                    self.failed += 1
                    console.error(f"{result.source}: {result.message}")
                yield result
        except KeyboardInterrupt:
            self.interrupted = True

    def sentence(self, classes: tuple[str, ...]) -> str:
        """The closing line, e.g. '3 pictures, 8 faces: 6 happy, 2 neutral; 1 failed'."""
        counts = ", ".join(f"{self.labels[name]} {name}" for name in classes if self.labels[name])
        line = f"{_count(self.pictures, 'picture')}, {_count(self.faces, 'face')}"
        return line + (f": {counts}" if counts else "") + (f"; {self.failed} failed" if self.failed else "")


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


def _bar_fits(pictures: int, form: Form, output: Path | None) -> bool:
    """Whether there is something to wait for, someone to see it, and no data that would run into it."""
    streaming = form != "table" and output is None and sys.stdout.isatty()
    return pictures > 1 and sys.stderr.isatty() and not streaming


def _with_bar(results: "Iterator[PictureResult]", total: int) -> "Iterator[PictureResult]":
    """The same results, with a progress bar on standard error that goes when they end."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("pictures"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    # standard output is left alone: it may be a pipe while standard error is a terminal
    with Progress(*columns, console=console.err(), transient=True, redirect_stdout=False) as bar:
        yield from bar.track(results, total=total)


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}{'s'[: number != 1]}"
