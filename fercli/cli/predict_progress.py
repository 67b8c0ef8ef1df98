"""What `fer predict` shows while it works: a bar, failures as they come, and the results where no file takes them."""

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from fercli.cli import console
from fercli.core.text import clock, to_printable
from fercli.workflows.predict.results import PictureResult
from fercli.workflows.predict.run import JobListener

if TYPE_CHECKING:
    from fercli.faces.io.sources import Source
    from fercli.workflows.predict.output import Form


class Terminal(JobListener):
    """Shows a job on the terminal. `form` is that of the results, 'table' or one of those that files have; `output`
    the file that takes them, if any."""

    def __init__(self, form: "Form | Literal['table']", output: Path | None) -> None:
        self._form, self._output = form, output

    def say(self, text: str) -> None:
        console.note(text)

    def failed(self, result: PictureResult) -> None:
        console.error(f"{to_printable(str(result.source))}: {result.message}")

    def follow(self, results: Iterator[PictureResult], sources: "Sequence[Source]") -> Iterator[PictureResult]:
        return show_bar(results, sources) if self._bar_fits(sources) else results

    def _bar_fits(self, sources: "Sequence[Source]") -> bool:
        """Whether there is something to wait for, someone to see it, and no data that would run into it."""
        streaming = self._form != "table" and self._output is None and sys.stdout.isatty()
        long = len(sources) > 1 or any(source.kind == "video" for source in sources)
        return long and sys.stderr.isatty() and not streaming

    def show(self, results: Iterator[PictureResult], classes: tuple[str, ...]) -> None:
        if self._form == "table":
            from fercli.cli.predict_tables import print_tables

            print_tables(results, classes)
            return
        from fercli.workflows.predict.output.writers import FORMATTERS

        for text in FORMATTERS[self._form](results, classes):
            console.write_data(text)


def show_bar(results: Iterator[PictureResult], sources: "Sequence[Source]") -> Iterator[PictureResult]:
    """The same results, with a progress bar on standard error that disappears when they end.

    A picture is a step; within a video's step the bar follows the time.
    """
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    videos = any(source.kind == "video" for source in sources)
    columns = (
        TextColumn("pictures and videos" if videos else "pictures"),
        BarColumn(),
        TextColumn("{task.fields[done]}/{task.total:.0f}"),
        TextColumn("{task.fields[position]}", markup=False),
        TimeRemainingColumn(),
    )
    done, video, seconds = 0, None, 0.0
    # standard output is left alone: it may be a pipe while standard error is a terminal
    with Progress(*columns, console=console.err(), transient=True, redirect_stdout=False) as bar:
        task = bar.add_task("", total=len(sources), done=0, position="")
        for result in results:
            if video is not None and result.source != video:
                done, video = done + 1, None
            fraction = 0.0
            if result.time is None:
                done += 1
            else:
                if video is None:
                    from fercli.workflows.predict.video import video_seconds

                    video, seconds = result.source, video_seconds(result.source)
                fraction = min(1.0, result.time / seconds) if seconds else 0.0
            bar.update(task, completed=done + fraction, done=done, position=_position(result, seconds))
            yield result


def _position(result: PictureResult, seconds: float) -> str:
    """Where in a video a frame is, e.g. 'clip.mp4 0:12 of 1:30, frame 360'."""
    if result.time is None:
        return ""
    length = f" of {clock(seconds)}" if seconds else ""
    return f"{to_printable(result.source.name)} {clock(result.time)}{length}, frame {result.frame}"
