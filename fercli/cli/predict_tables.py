"""What `fer predict` shows: a bar and failures while it works, predictions as tables, as wide as there is room, and the
closing lines."""

import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from rich.cells import cell_len
from rich.table import Table
from rich.text import Text

from fercli.cli import console
from fercli.cli.progress import TerminalProgress
from fercli.core.text import clock, format_count, shorten, to_printable
from fercli.workflows.predict.results import PictureResult, PredictSummary
from fercli.workflows.predict.run import JobProgress

if TYPE_CHECKING:
    from fercli.workflows.predict.folder_job.run import FolderSummary
    from fercli.workflows.predict.output import Form
    from fercli.workflows.predict.video import TrackSummary, VideoSummary

#: Characters of a picture's row without file name and probabilities: face, expression, confidence and the gaps.
_PICTURE_COLUMNS = 23
#: The same of a video's row: person, from, to, frames, expression, confidence and the gaps.
_VIDEO_COLUMNS = 49
#: Said where no input is there.
NOTHING_FOUND = "no picture or video was found: no file is written"
#: A cell's text and style.
_Cell = tuple[str, str]
#: What begins a style on a terminal.
_STYLES = {"bold": "\033[1m", "dim": "\033[2m", "red": "\033[31m"}
#: File names are shortened for the probabilities' sake, but not below this many characters.
_SHORTEST_NAME = 16


class Terminal(TerminalProgress, JobProgress):
    """Shows a job on the terminal. `form` is that of the results, 'table' or one of those that files have; `output`
    the file that takes them, if any."""

    def __init__(self, form: "Form | Literal['table']", output: Path | None) -> None:
        super().__init__()
        self._form, self._output = form, output

    def update(self, done: float, total: float, what: str) -> None:
        # rows that appear on the same terminal would run into a bar
        if self._form == "table" or self._output is not None or not sys.stdout.isatty():
            super().update(done, total, what)

    def failed(self, result: PictureResult) -> None:
        console.error(f"{to_printable(str(result.source))}: {result.message}")

    def show(self, results: Iterator[PictureResult], classes: tuple[str, ...]) -> None:
        results = self._without_bar_after(results)
        if self._form == "table":
            print_tables(results, classes)
            return
        from fercli.workflows.predict.output.writers import FORMATTERS

        for text in FORMATTERS[self._form](results, classes):
            console.write_data(text)

    def _without_bar_after(self, results: Iterator[PictureResult]) -> Iterator[PictureResult]:
        """The same results; the bar is gone before a table follows them."""
        try:
            yield from results
        finally:
            self.stop_bar()


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
            coloured = screen.is_terminal and not screen.no_color and not screen.legacy_windows
            for line in picture_lines(pictures, classes, screen.width, coloured):
                console.write_data(f"{line}\n")
        if pictures and frames.videos:
            screen.print()
        if frames.videos:
            screen.print(video_table(list(frames.videos.values()), classes, screen.width))


def picture_lines(
    results: list[PictureResult], classes: tuple[str, ...], width: int, coloured: bool = False
) -> Iterator[str]:
    """The lines of the table of pictures for a terminal of `width` columns, with colours and bold where asked.

    Rich's tables take a millisecond a row, which a hundred thousand pictures feel.
    """
    names, heads = _fit([result.source for result in results], classes, width - _PICTURE_COLUMNS)
    rows = [row for result, name in zip(results, names, strict=True) for row in _picture_rows(result, name, len(heads))]
    titles = [("file", "bold"), ("face", "bold"), ("expression", "bold"), ("", ""), *((head, "bold") for head in heads)]
    widths = [max(cell_len(row[column][0]) for row in (titles, *rows)) for column in range(len(titles))]
    for row in (titles, *rows):
        cells = zip(row, widths, ("left", "right", "left", *["right"] * (len(row) - 3)), strict=True)
        yield " ".join(_pad(text, style, room, side, coloured) for (text, style), room, side in cells).rstrip()


def _picture_rows(result: PictureResult, name: str, shown: int) -> Iterator[list[_Cell]]:
    """The rows of one picture: cells of text and style, the probabilities of the first `shown` classes among them."""
    if not result.faces:
        style = "red" if result.status == "failed" else "dim"
        yield [(name, ""), ("", ""), (result.status, style), ("", ""), *[("", "")] * shown]
    for face in result.faces:
        percents = [
            (f"{100 * probability:.0f}", "bold" if label == face.label else "dim")
            for label, probability in islice(face.probabilities.items(), shown)
        ]
        first = name if face.number == 1 else ""
        confidence = f"{100 * face.confidence:.0f} %"
        yield [(first, ""), (str(face.number), ""), (to_printable(face.label), "bold"), (confidence, ""), *percents]


def _pad(text: str, style: str, width: int, side: str, coloured: bool) -> str:
    """A cell as wide as its column. Wide characters, as Chinese has, count as two."""
    blanks = " " * (width - cell_len(text))
    if coloured and style and text:
        text = f"{_STYLES[style]}{text}\033[0m"
    return f"{text}{blanks}" if side == "left" else f"{blanks}{text}"


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
    there are no heads.
    """
    names = _file_names(paths)
    longest = max(map(cell_len, names), default=0)
    for heads in (list(classes), [name[:3] for name in classes]):
        if longest <= width - _heads_width(heads):
            return names, heads
    room = width - _heads_width(heads)
    if room < _SHORTEST_NAME:
        return [_shorten(name, max(_SHORTEST_NAME, width)) for name in names], []
    return [_shorten(name, room) for name in names], heads


def _shorten(name: str, width: int) -> str:
    """A name that takes at most `width` columns."""
    lengths = range(width, 0, -1)
    return next(shown for length in lengths if cell_len(shown := shorten(name, length)) <= width)


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
    things = [format_count(summary.pictures, "picture")] if summary.pictures or not videos else []
    if videos:
        frames = format_count(sum(video.frames for video in videos), "frame")
        people = sum(len(video.people) for video in videos)
        things.append(f"{format_count(len(videos), 'video')} ({frames}, {format_count(people, 'person', 'people')})")
    line = ", ".join([*things, format_count(summary.faces, "face")])
    labels = ", ".join(f"{number:,} {label}" for label, number in summary.expressions.items() if number)
    return line + (f": {labels}" if labels else "") + (f"; {summary.failed} failed" if summary.failed else "")


def describe_folder(summary: "FolderSummary") -> Iterator[str]:
    """The closing lines of a job whose output is a folder: what it counted, where it is, and what failed."""
    if not summary.shards:
        yield NOTHING_FOUND
        return
    if summary.earlier == summary.shards:
        has = f"{summary.target} has all {format_count(summary.shards, 'shard')} already: nothing left to do"
        yield f"{has} (new pictures need another folder)"
        return
    counted = describe_summary(summary.counted)
    if summary.videos:
        counted = f"{format_count(summary.videos, 'video')}, {counted.removeprefix('0 pictures, ')}"
    yield f"{counted}{f' (the {summary.earlier:,} done before are not counted)' if summary.earlier else ''}"
    written = summary.shards - len(summary.lost)
    yield f"written to {summary.target}: {written:,} of {format_count(summary.shards, 'shard')}"
    if summary.lost:
        yield f"failed: {shorten(', '.join(map(str, summary.lost)), 200)}; the same command with --resume tries again"


def describe_stop(summary: PredictSummary) -> str:
    """Where Ctrl-C ended a job."""
    if summary.last is not None and summary.last.time is not None:
        return f"stopped at {clock(summary.last.time)} of {to_printable(str(summary.last.source))}"
    if summary.videos:
        done = summary.pictures + len(summary.videos)
        return f"stopped after {done:,} of {summary.inputs:,} pictures and videos"
    return f"stopped after {format_count(summary.pictures, 'picture')} of {summary.inputs:,}"
