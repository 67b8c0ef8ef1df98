"""What `fer predict --camera` shows: rows or a window while it works, and a closing line."""

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal, NoReturn

import typer

from fercli.cli import console
from fercli.core.errors import UsageError
from fercli.core.text import clock, format_count, to_printable

if TYPE_CHECKING:
    from fercli.workflows.predict.options import PredictOptions
    from fercli.workflows.predict.output import Form
    from fercli.workflows.predict.results import PictureResult

#: Seconds of which a camera's expressions are the mean, where nothing else is asked for.
SMOOTH = 0.5


def predict_from_camera(
    camera: str, settings: "PredictOptions", form: "Form | Literal['table']", window: bool
) -> NoReturn:
    """Watch a camera until Ctrl-C, and say what was seen; the exit code is 1 where the camera ended it."""
    from fercli.workflows.predict.camera import watch_camera

    if form == "json" and settings.output is None:
        raise UsageError("--camera gives rows one by one: --format csv or jsonl, or neither for lines to read")

    def tell_end() -> None:
        console.note("Ctrl-C ends it" + (", and so does q in the window" if window else ""))

    def show(results: "Iterator[PictureResult]", classes: tuple[str, ...]) -> None:
        if form == "table":
            _show_lines(results)
        else:
            _show_rows(results, classes, form)

    with console.without_chatter():
        summary = watch_camera(camera, settings, show, window, started=tell_end)
    video = summary.video
    brief = len(video.tracks) - len(video.people)
    people = format_count(len(video.people), "person", "people") + (f" + {brief:,} briefly" if brief else "")
    rate = f"{video.frames / summary.seconds:.1f} a second" if summary.seconds else ""
    frames = f"{format_count(video.frames, 'frame')} ({rate}, {summary.dropped:,} dropped)"
    console.note(f"{clock(summary.seconds)}: {frames}, {people}")
    if settings.output:
        console.note(f"written to {settings.output}")
    if summary.ended:
        console.error(f"camera {camera} gives no more frames")
    raise typer.Exit(1 if summary.ended else 130 if summary.interrupted else 0)


def _show_rows(results: "Iterator[PictureResult]", classes: tuple[str, ...], form: "Form") -> None:
    from fercli.workflows.predict.output.writers import FORMATTERS

    for text in FORMATTERS[form](results, classes):
        console.write_data(text)
        sys.stdout.flush()


def _show_lines(results: "Iterator[PictureResult]") -> None:
    """A line whenever someone shows something else than before."""
    shown: dict[int | None, str] = {}
    for result in results:
        for face in result.faces:
            if shown.get(face.track) != face.label:
                shown[face.track] = face.label
                when = clock(result.time or 0.0, tenths=True)
                console.write_data(
                    f"{when}  person {face.track}  {to_printable(face.label)}  {100 * face.confidence:.0f} %\n"
                )
                sys.stdout.flush()
