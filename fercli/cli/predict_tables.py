"""Predictions as tables on the terminal, as wide as there is room, and a job's closing lines."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from fercli.cli import console
from fercli.core.text import clock, shorten, to_printable
from fercli.workflows.predict.results import PictureResult, PredictSummary

if TYPE_CHECKING:
    from fercli.workflows.predict.video import TrackSummary, VideoSummary

#: Characters of a picture's row without file name and probabilities: face, expression, confidence and the gaps.
_PICTURE_COLUMNS = 23
#: The same of a video's row: person, from, to, frames, expression, confidence and the gaps.
_VIDEO_COLUMNS = 49
#: File names are shortened for the probabilities' sake, but not below this many characters.
_SHORTEST_NAME = 16


def print_tables(results: Iterator[PictureResult], classes: tuple[str, ...]) -> None:
    """Print a row a face to standard output; pictures without faces and failures have a row too.

    On a wide terminal every class has a column in percent under its name, on a narrower one under its first
    three letters, on a narrow one there is none. Videos follow in a table of their own, a row a person: a row a frame
    would be too many. What is finished is printed on an interrupt too.
    """
    pictures: list[PictureResult] = []
    frames = PredictSummary()
    try:
        for result in results:
            if result.of_video:
                frames.add(result)
            else:
                pictures.append(result)
    finally:
        screen = console.out()
        if pictures:
            screen.print(picture_table(pictures, classes, screen.width))
        if pictures and frames.videos:
            screen.print()
        if frames.videos:
            screen.print(video_table(list(frames.videos.values()), classes, screen.width))


def picture_table(results: list[PictureResult], classes: tuple[str, ...], width: int) -> Table:
    """The table of pictures for a terminal of that many columns."""
    names, heads = _fit([result.source for result in results], classes, width - _PICTURE_COLUMNS)
    table = Table(box=None, pad_edge=False, collapse_padding=True, header_style="bold")
    table.add_column("file", overflow="fold")
    table.add_column("face", justify="right")
    table.add_column("expression", no_wrap=True)
    for head in ("", *heads):
        table.add_column(head, justify="right", no_wrap=True)
    for result, name in zip(results, names, strict=True):
        if not result.faces:
            style = "red" if result.status == "failed" else "dim"
            table.add_row(Text(name), "", Text(result.status, style))
        for face in result.faces:
            first = Text(name if face.number == 1 else "")
            percents = _percents(face.probabilities, classes[: len(heads)], face.label)
            confidence = f"{100 * face.confidence:.0f} %"
            table.add_row(first, str(face.number), Text(face.label, "bold"), confidence, *percents)
    return table


def video_table(videos: "list[VideoSummary]", classes: tuple[str, ...], width: int) -> Table:
    """The table of videos for a terminal of that many columns: the most frequent expression, means over a person's
    frames."""
    names, heads = _fit([video.source for video in videos], classes, width - _VIDEO_COLUMNS)
    table = Table(box=None, pad_edge=False, collapse_padding=True, header_style="bold")
    table.add_column("video", overflow="fold")
    for head in ("person", "from", "to", "frames"):
        table.add_column(head, justify="right", no_wrap=True)
    table.add_column("mostly", no_wrap=True)
    for head in ("", *heads):
        table.add_column(head, justify="right", no_wrap=True)
    for video, name in zip(videos, names, strict=True):
        first = name
        for track in video.people:
            table.add_row(Text(first), *_track_cells(track, classes[: len(heads)]))
            first = ""
        if others := len(video.tracks) - len(video.people):
            table.add_row(Text(first), Text(f"+ {others:,}", "dim"), "", "", "", Text("briefly", "dim"))
        if video.failure or not video.tracks:
            status = Text("failed", "red") if video.failure else Text("no face", "dim")
            table.add_row(Text("" if video.tracks else name), "", "", "", "", status)
    return table


def _track_cells(track: "TrackSummary", classes: tuple[str, ...]) -> list[str | Text]:
    """One person's cells after the video's name."""
    times = [clock(track.first, tenths=True), clock(track.last, tenths=True)]
    percents = _percents({name: track.mean(name) for name in classes}, classes, track.label)
    confidence = f"{100 * track.mean_confidence:.0f} %"
    return [str(track.track), *times, f"{track.frames:,}", Text(track.label, "bold"), confidence, *percents]


def _percents(probabilities: dict[str, float], classes: tuple[str, ...], label: str) -> list[Text]:
    """The classes' probabilities in percent, that of the label in bold."""
    return [Text(f"{100 * probabilities[name]:.0f}", "bold" if name == label else "dim") for name in classes]


def _fit(paths: list[Path], classes: tuple[str, ...], width: int) -> tuple[list[str], list[str]]:
    """File names and column heads for the classes that share `width` characters.

    The names are shortened where whole ones leave no room for heads of three letters. Where there is no room even so,
    there are no heads, and the names are whole.
    """
    names = _file_names(paths)
    longest = max(map(len, names), default=0)
    for heads in (list(classes), [name[:3] for name in classes]):
        if longest <= width - _heads_width(heads):
            return names, heads
    room = width - _heads_width(heads)
    if room < _SHORTEST_NAME:
        return names, []
    return [shorten(name, room) for name in names], heads


def _heads_width(heads: list[str]) -> int:
    return sum(max(len(head), 3) + 1 for head in heads)


def _file_names(paths: list[Path]) -> list[str]:
    """File names alone where they tell the files apart, whole paths where not."""
    names = [path.name for path in paths]
    shown = names if len(set(names)) == len(names) else [str(path) for path in paths]
    return [to_printable(name) for name in shown]


def describe_summary(summary: PredictSummary) -> str:
    """The closing line, e.g. '3 pictures, 8 faces: 6 happy, 2 neutral; 1 failed', or for a video
    '1 video (40 frames, 2 people), 78 faces: 78 happy'."""
    videos = summary.videos.values()
    things = [count(summary.pictures, "picture")] if summary.pictures or not videos else []
    if videos:
        frames = count(sum(video.frames for video in videos), "frame")
        people = sum(len(video.people) for video in videos)
        things.append(f"{count(len(videos), 'video')} ({frames}, {people:,} {'person' if people == 1 else 'people'})")
    line = ", ".join([*things, count(summary.faces, "face")])
    labels = ", ".join(f"{number:,} {label}" for label, number in summary.expressions.items() if number)
    return line + (f": {labels}" if labels else "") + (f"; {summary.failed} failed" if summary.failed else "")


def describe_stop(summary: PredictSummary) -> str:
    """Where Ctrl-C ended a job."""
    if summary.last is not None and summary.last.time is not None:
        return f"stopped at {clock(summary.last.time)} of {to_printable(str(summary.last.source))}"
    if summary.videos:
        done = summary.pictures + len(summary.videos)
        return f"stopped after {done:,} of {summary.inputs:,} pictures and videos"
    return f"stopped after {count(summary.pictures, 'picture')} of {summary.inputs:,}"


def count(number: int, thing: str) -> str:
    """A number of things, e.g. '1 picture' and '2 pictures'."""
    return f"{number:,} {thing}{'s'[: number != 1]}"
