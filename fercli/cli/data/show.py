"""fer data show: one set, counted."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from fercli.cli import console, options

if TYPE_CHECKING:
    from rich.table import Table

    from fercli.workflows.face_sets import Description


def show(
    name: Annotated[str, typer.Argument(metavar="NAME|PATH", help="A named set (fer data list) or a path.")],
    root: options.Root = None,
    labels: options.Labels = None,
    keep_contempt: options.KeepContempt = None,
    subject_pattern: options.SubjectPattern = None,
    subjects: options.Subjects = None,
    detect: options.Detect = None,
    seed: Annotated[int, typer.Option(help="The seed of the split, if one is drawn.")] = 0,
    group: Annotated[
        Literal["auto", "subject", "image"],
        typer.Option(help="What a drawn split keeps together: all faces of a subject, or only each image."),
    ] = "auto",
    sheet: Annotated[
        Path | None, typer.Option(metavar="FILE.png", help="Draw some faces of each class on a contact sheet.")
    ] = None,
    force: options.Force = False,
    as_json: options.Json = False,
    quiet: options.Quiet = False,
    debug: options.Debug = False,
) -> None:
    """Show what is in a set: faces per class and split, size, fingerprint, source and terms."""
    flags = locals()

    from rich.text import Text

    from fercli.cli.progress import TerminalProgress
    from fercli.workflows.check.report import check_output
    from fercli.workflows.face_sets import describe, write_samples

    if sheet:
        check_output(sheet, ".png", force)
    with TerminalProgress() as progress:
        found = describe(name, root, options.load_options(flags), seed=seed, group=group, progress=progress.update)
    if sheet:
        write_samples(sheet, found, seed)
        console.note(f"written to {sheet}")
    if as_json:
        console.print_json(found.to_dict())
        return
    screen = console.out()
    screen.print(Text(found.faces.name, "bold"), f"· {len(found.faces):,} faces")
    screen.print()
    screen.print(_counts(found, screen.width))
    screen.print()
    screen.print(_facts(found))
    for note in found.faces.notes:
        screen.print(note, style="dim", markup=False)


def _counts(found: "Description", width: int) -> "Table":
    """A row a class: faces in each split, in all, and a bar as long as its fraction."""
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("class", no_wrap=True)
    splits = found.splits if found.splits != ("all",) else ()
    for heading in (*splits, "all", "share"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("")
    totals = found.counts.sum(axis=1)
    room = max(0, min(40, width - 30 - 9 * (len(found.splits) + 1)))
    for name, row, total in zip(found.faces.classes, found.counts, totals, strict=True):
        length = round(2 * room * total / max(totals.max(), 1))
        bar = Text("█" * (length // 2) + "▌" * (length % 2), "blue")
        fraction = f"{100 * total / max(totals.sum(), 1):.1f} %"
        table.add_row(Text(name), *(f"{count:,}" for count in row if splits), f"{total:,}", fraction, bar)
    sums = found.counts.sum(axis=0) if splits else ()
    table.add_row(Text("all", "bold"), *(f"{count:,}" for count in sums), f"{totals.sum():,}")
    return table


def _facts(found: "Description") -> "Table":
    from rich.table import Table

    from fercli.workflows.face_sets import known_subjects

    faces = found.faces
    people = known_subjects(faces)
    table = Table.grid(padding=(0, 2))
    table.add_column(style="bold", no_wrap=True)
    table.add_column()
    table.add_row("split", found.split_by)
    table.add_row("subjects", "not known" if people is None else f"{people:,}")
    table.add_row("size", f"{faces.images.nbytes / 1e6:.1f} MB in memory")
    table.add_row("fingerprint", faces.fingerprint[:16])
    table.add_row("source", found.source)
    table.add_row("terms", found.terms)
    return table
