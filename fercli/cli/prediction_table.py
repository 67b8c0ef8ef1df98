"""Predictions as a table on the terminal, as wide as there is room."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from fercli.cli import console

if TYPE_CHECKING:
    from pathlib import Path

    from fercli.workflows.predict.results import PictureResult

#: Characters of a row without file name and probabilities: face, expression, confidence and the gaps.
_MIDDLE = 23
#: File names longer than this are broken before the probabilities are left out.
LONGEST_NAME = 40


def print_table(results: "Iterator[PictureResult]", classes: tuple[str, ...]) -> None:
    """Print a row a face to standard output; pictures without faces and failures have a row too.

    On a wide terminal every class has a column in percent under its name, on a narrower one under its first
    three letters, on a narrow one there is none. Videos follow in a table of their own, a row a person. What is
    finished is printed on an interrupt too.
    """
    from fercli.cli.track_table import track_table
    from fercli.faces.io.folders import guess_kind
    from fercli.workflows.predict.track_summary import VideoSummary

    done: list[PictureResult] = []
    videos: dict[Path, VideoSummary] = {}
    try:
        for result in results:
            if guess_kind(result.source.name) == "video":
                videos.setdefault(result.source, VideoSummary(result.source)).add(result)
            else:
                done.append(result)
    finally:
        screen = console.out()
        if done:
            screen.print(table(done, classes, screen.width))
        if done and videos:
            screen.print()
        if videos:
            screen.print(track_table(list(videos.values()), classes, screen.width))


def table(results: "list[PictureResult]", classes: tuple[str, ...], width: int) -> Table:
    """The table for a terminal of that many columns."""
    names = file_names([result.source for result in results])
    heads = class_heads(classes, width - _MIDDLE - min(LONGEST_NAME, max(map(len, names), default=0)))
    drawn = Table(box=None, pad_edge=False, collapse_padding=True, header_style="bold")
    drawn.add_column("file", overflow="fold")
    drawn.add_column("face", justify="right")
    drawn.add_column("expression", no_wrap=True)
    drawn.add_column("", justify="right", no_wrap=True)
    for head in heads:
        drawn.add_column(head, justify="right", no_wrap=True)
    for result, name in zip(results, names, strict=True):
        if not result.faces:
            style = "red" if result.status == "failed" else "dim"
            drawn.add_row(Text(name), "", Text(result.status, style))
        for face in result.faces:
            shares = [
                Text(f"{100 * face.probabilities[c]:.0f}", "bold" if c == face.label else "dim")
                for c in classes[: len(heads)]
            ]
            first = Text(name if face.number == 1 else "")
            confidence = f"{100 * face.confidence:.0f} %"
            drawn.add_row(first, str(face.number), Text(face.label, "bold"), confidence, *shares)
    return drawn


def class_heads(classes: tuple[str, ...], room: int) -> list[str]:
    """Column heads for the classes that fit into `room` characters, or none."""
    for heads in (list(classes), [name[:3] for name in classes]):
        if sum(max(len(head), 3) + 1 for head in heads) <= room:
            return heads
    return []


def file_names(paths: "list[Path]") -> list[str]:
    """File names alone where they tell the files apart, whole paths where not."""
    names = [path.name for path in paths]
    shown = names if len(set(names)) == len(names) else [str(path) for path in paths]
    return [console.one_line(name) for name in shown]
