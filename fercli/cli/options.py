"""Flags that several commands share, each written once."""

from pathlib import Path
from typing import Annotated

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
Data = Annotated[str | None, typer.Option("--data", "-d", help="A named set (fer2013, cartoon) or a path.")]
Root = Annotated[
    Path | None,
    typer.Option(help="Where named sets lie. Default: FER_DATA, else ./data.", show_default=False),
]
Device = Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:N or mps.")]
Json = Annotated[bool, typer.Option("--json", help="One JSON document instead of tables.")]
Force = Annotated[bool, typer.Option("--force", help="Replace what exists.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", callback=console.set_quiet, help="Results and errors only.")]
Debug = Annotated[bool, typer.Option("--debug", callback=console.set_debug, help="Show the traceback of an error.")]
