"""How far a job of `fer predict` is: a bar that counts pictures and videos, and goes on within a video."""

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from fercli.cli import console

if TYPE_CHECKING:
    from fercli.faces.io.sources import Source
    from fercli.workflows.predict.results import PictureResult


def bar_fits(sources: "Sequence[Source]", form: str, output: Path | None) -> bool:
    """Whether there is something to wait for, someone to see it, and no data that would run into it."""
    streaming = form != "table" and output is None and sys.stdout.isatty()
    long = len(sources) > 1 or any(source.kind == "video" for source in sources)
    return long and sys.stderr.isatty() and not streaming


def with_bar(results: "Iterator[PictureResult]", sources: "Sequence[Source]") -> "Iterator[PictureResult]":
    """The same results, with a progress bar on standard error that goes when they end.

    A picture is a step; of a video's step the share that its time is of its length.
    """
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    videos = any(source.kind == "video" for source in sources)
    columns = (
        TextColumn("pictures and videos" if videos else "pictures"),
        BarColumn(),
        TextColumn("{task.fields[done]}/{task.total:.0f}"),
        TextColumn("{task.fields[place]}", markup=False),
        TimeRemainingColumn(),
    )
    done, video, seconds = 0, None, 0.0
    # standard output is left alone: it may be a pipe while standard error is a terminal
    with Progress(*columns, console=console.err(), transient=True, redirect_stdout=False) as bar:
        task = bar.add_task("", total=len(sources), done=0, place="")
        for result in results:
            if video is not None and result.source != video:
                done, video = done + 1, None
            share = 0.0
            if result.time is None:
                done += 1
            else:
                if video is None:
                    video, seconds = result.source, _seconds(result.source)
                share = min(1.0, result.time / seconds) if seconds else 0.0
            bar.update(task, completed=done + share, done=done, place=_place(result, seconds))
            yield result


def _place(result: "PictureResult", seconds: float) -> str:
    """Where in a video a frame is, e.g. 'clip.mp4 0:12 of 1:30, frame 360'."""
    if result.time is None:
        return ""
    from fercli.core.times import clock

    length = f" of {clock(seconds)}" if seconds else ""
    return f"{console.one_line(result.source.name)} {clock(result.time)}{length}, frame {result.frame}"


def _seconds(video: Path) -> float:
    """How long a video is, 0 where that is not known."""
    from fercli.core.errors import PictureError
    from fercli.faces.video.read import read_video_info

    try:
        return read_video_info(video).seconds
    except PictureError:
        return 0.0
