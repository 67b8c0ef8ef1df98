"""fer data build: make a set of its public halves."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from fercli.cli import console, options

if TYPE_CHECKING:
    from rich.table import Table

    from fercli.workflows.face_sets import Built


def build(
    name: Annotated[Literal["fergit"], typer.Argument(help="The set to build.")],
    fer2013: Annotated[
        Path | None, typer.Option(help="FER2013, as its csv file or class folders. Default: the set in the data root.")
    ] = None,
    muxspace: Annotated[
        Path | None,
        typer.Option(
            help="muxspace/facial_expressions, as a folder, zip archive or clone. Default: muxspace/ in the data root."
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(help="The file to write. Default: fergit.safetensors in the data root.", show_default=False),
    ] = None,
    root: options.Root = None,
    force: options.Force = False,
    as_json: options.Json = False,
    quiet: options.Quiet = False,
    debug: options.Debug = False,
) -> None:
    """Build fergit: FER2013 and the faces that MTCNN finds in the muxspace photographs, in one file.

    This takes some minutes. After an interruption, the same command resumes.
    """
    from fercli.cli.progress import TerminalProgress
    from fercli.workflows.face_sets import build_fergit

    with TerminalProgress() as progress:
        built = build_fergit(fer2013, muxspace, root=root, output=output, force=force, progress=progress)
    if as_json:
        console.print_json(built.to_dict())
    else:
        screen = console.out()
        screen.print(_counts(built))
        for reason, names in built.left_out.items():
            shown = ", ".join(names[:5]) + (", …" if len(names) > 5 else "")
            screen.print(f"left out, {reason}: {len(names):,} ({shown})", style="dim", markup=False, highlight=False)
    console.note(f"wrote {built.path} (all names left out are in its header)")
    data = name if output is None else str(built.path)
    console.note(f"next: fer data show {data}   or   fer train --model bah-resnet --data {data}")


def _counts(built: "Built") -> "Table":
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("set", no_wrap=True)
    for expression in built.faces.classes:
        table.add_column(expression, justify="right")
    table.add_column("all", justify="right")
    for half, counts in built.counts.items():
        table.add_row(half, *(f"{count:,}" for count in counts.values()), f"{sum(counts.values()):,}")
    return table
