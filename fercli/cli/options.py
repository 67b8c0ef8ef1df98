"""Flags that several commands share, each written once."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from fercli.cli import console

Model = Annotated[
    str | None,
    typer.Option(
        "--model",
        "-m",
        help="Catalogue name, run folder, weights or .onnx file, 'last'; + joins several: their average.",
    ),
]
Data = Annotated[str | None, typer.Option("--data", "-d", help="A named set (fer data list) or a path.")]
Root = Annotated[
    Path | None,
    typer.Option(help="Where named sets lie. Default: FER_DATA, else ./data.", show_default=False),
]
# how a face set is read: `reading` below gathers these five
Labels = Annotated[
    Literal["own", "ferplus", "ferplus-plurality", "ferplus-soft", "ferplus-mixed"] | None,
    typer.Option(
        help="For fer2013, by FER+'s ten votes: their majority, the most there are, their shares as targets, or half "
        "its own label and half the votes as targets."
    ),
]
KeepContempt = Annotated[
    bool | None, typer.Option("--keep-contempt", help="With FER+ labels: keep the eighth class.", show_default=False)
]
SubjectPattern = Annotated[
    str | None,
    typer.Option(metavar="REGEX", help="Finds subject IDs in file names: its first group, or the one named subject."),
]
Subjects = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="A csv file (file, subject, label) with subject IDs, labels or both."),
]
Detect = Annotated[
    bool | None,
    typer.Option("--detect", help="Photographs, not face crops: find the face in each first.", show_default=False),
]
Device = Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:N or mps.")]
Json = Annotated[bool, typer.Option("--json", help="One JSON document instead of tables.")]
Force = Annotated[bool, typer.Option("--force", help="Replace what exists.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", callback=console.set_quiet, help="Results and errors only.")]
Debug = Annotated[bool, typer.Option("--debug", callback=console.set_debug, help="Show the traceback of an error.")]


def reading(
    labels: str | None,
    keep_contempt: bool | None,
    subject_pattern: str | None,
    subjects: Path | None,
    detect: bool | None,
) -> dict[str, object]:
    """What was typed of how a face set is to be read, for fercli.core.config.LoadOptions."""
    typed = {
        "labels": labels,
        "keep_contempt": keep_contempt or None,
        "subject_pattern": subject_pattern,
        "subjects": str(subjects) if subjects else None,
        "detect": detect or None,
    }
    return {key: value for key, value in typed.items() if value is not None}
