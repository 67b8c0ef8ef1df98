"""fer data check: what is wrong with a face set, before anyone trains on it."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from fercli.cli import console, options
from fercli.core.labels import SPLITS

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from rich.table import Table

    from fercli.core.config import LoadOptions
    from fercli.workflows.check.fix import Cleaned
    from fercli.workflows.check.issues import Issue
    from fercli.workflows.check.run import Check

#: Columns of a terminal from which on meaning and examples have columns of their own.
_WIDE = 110
#: Examples of each kind of issue, and faces named of each.
_EXAMPLES, _NAMED = 2, 3
#: Reasons of removals that are called otherwise in files.
_REASONS = {"copy": "duplicate"}


def check(
    name: Annotated[str, typer.Argument(metavar="NAME|PATH", help="A named set (fer2013, cartoon) or a path.")],
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
    min_class: Annotated[int, typer.Option(min=0, metavar="N", help="Report classes with fewer faces.")] = 100,
    near: Annotated[bool, typer.Option(help="Also find near duplicates; takes seconds for 30,000 faces.")] = True,
    faces: Annotated[
        bool,
        typer.Option("--faces", help="Also find images in which MTCNN detects no face; takes 30 to 50 ms per image."),
    ] = False,
    model: Annotated[
        str | None,
        typer.Option(
            "--model",
            "-m",
            help="Also find suspicious labels: those that this network, cross-validated, strongly contradicts.",
        ),
    ] = None,
    recipe: Annotated[
        str, typer.Option(help="With --model: the recipe to train with (paper, best or quick).")
    ] = "quick",
    epochs: Annotated[int | None, typer.Option(help="With --model: passes over the training faces.")] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", help="With --model: the folder of the cross-validation, which is resumed if it exists."
        ),
    ] = None,
    csv: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write a table with a row for each face concerned.")
    ] = None,
    sheet: Annotated[
        Path | None, typer.Option(metavar="FILE.png", help="Draw the faces concerned on a contact sheet.")
    ] = None,
    fix: Annotated[
        Path | None,
        typer.Option(
            metavar="OUT.safetensors",
            help="Write the set without these faces, and a list of what was removed beside it.",
        ),
    ] = None,
    force: options.Force = False,
    as_json: options.Json = False,
    quiet: options.Quiet = False,
    debug: options.Debug = False,
) -> None:
    """Find what is wrong with a face set, the worst first.

    Looks for duplicates within and across splits, contradicting labels, blanks, small classes and people in several
    splits. From a set that comes with its own split, --fix removes training faces only.
    """
    flags = locals()

    from fercli.cli.progress import TerminalProgress
    from fercli.workflows.check.fix import fix as write_fixed
    from fercli.workflows.check.fix import plan_fix
    from fercli.workflows.check.report import check_output, write_csv, write_suspects
    from fercli.workflows.check.run import CheckOptions
    from fercli.workflows.check.run import check as workflow

    for path, ending in ((csv, ".csv"), (sheet, ".png")):
        if path:
            check_output(path, ending, force)
    if fix:
        plan_fix(fix, force)
    load_options = options.load_options(flags)
    probabilities = _out_of_fold(name, root, load_options, model, recipe, epochs, seed, out) if model else None
    with TerminalProgress() as progress:
        result = workflow(
            name, root, load_options,
            CheckOptions(seed=seed, group=group, min_class=min_class, near_duplicates=near, no_face=faces),
            probabilities, progress.update,
        )  # fmt: skip
    if csv:
        write_csv(csv, result)
    if sheet:
        write_suspects(sheet, result)
    fixed = write_fixed(result, fix, force) if fix else None
    if as_json:
        console.print_json({**result.to_dict(), "fix": fixed.to_dict() if fixed else None})
    else:
        screen = console.out()
        screen.print(_heading(result), markup=False)
        screen.print()
        if any(issue.count for issue in result.issues):
            screen.print(_make_table(result, screen.width))
            screen.print()
        screen.print(_list_not_found(result), style="dim", markup=False)
    for path in (csv, sheet):
        if path:
            console.note(f"written to {path}")
    _say_next(name, root, result, fixed)


def _out_of_fold(
    name: str,
    root: Path | None,
    load_options: "LoadOptions | None",
    model: str,
    recipe: str,
    epochs: int | None,
    seed: int,
    out: Path | None,
) -> "NDArray[np.float64]":
    """What a network that has not learned from a face makes of it, for every face."""
    from fercli.cli.progress import TerminalProgress
    from fercli.workflows.check.out_of_fold import FOLDS, predict_out_of_fold

    console.note(
        f"cross-validating {model} on {name}, recipe {recipe}, {FOLDS} folds, to see which labels it contradicts"
    )
    with TerminalProgress() as progress:
        return predict_out_of_fold(
            name, root, load_options, model=model, recipe=recipe, epochs=epochs, seed=seed, out=out, progress=progress
        )


def _heading(result: "Check") -> str:
    """'fer2013: 32,298 faces (train 28,709, val 3,589)'."""
    splits = {split: int((result.splits == split).sum()) for split in (*SPLITS, "spare")}
    counts = ", ".join(f"{split} {count:,}" for split, count in splits.items() if count)
    drawn = "" if result.faces.splits is not None else f"; split drawn with --seed {result.seed}"
    return f"{result.faces.name}: {len(result.faces):,} faces ({counts}{drawn})"


def _say_next(name: str, root: Path | None, result: "Check", fixed: "Cleaned | None") -> None:
    """What was written, and the next command to type."""
    import shlex

    where = f" --root {shlex.quote(str(root))}" if root else ""
    for note in result.faces.notes:
        console.note(note)
    if fixed:
        reasons = ", ".join(
            f"{count:,} {_REASONS.get(reason, reason)}" for reason, count in fixed.removed.items() if count
        )
        console.note(f"{fixed.path}: {fixed.faces:,} faces, without {reasons or 'any loss'}; {fixed.table} lists them")
        console.note(f"next: fer train --data {shlex.quote(str(fixed.path))}")
    elif any(issue.count and issue.kind != "classes" for issue in result.issues):
        stem = result.faces.name
        console.note(f"next: fer data check {shlex.quote(name)}{where} --sheet {shlex.quote(stem)}.png   (to see them)")
        console.note(
            f"      fer data check {shlex.quote(name)}{where} --fix {shlex.quote(stem + '-clean.safetensors')}   "
            "(the set without them)"
        )
    else:
        console.note(f"next: fer train --data {shlex.quote(name)}{where}")


def _make_table(check: "Check", width: int) -> "Table":
    """A row for each kind of issue that was found: how much, what it means, and examples."""
    from rich.padding import Padding
    from rich.table import Table
    from rich.text import Text

    wide = width >= _WIDE
    table = Table(box=None, pad_edge=False, header_style="bold", show_header=wide, padding=(0, 2, 0, 0))
    for heading in ("issue", "found", "what it means", "for example")[: 4 if wide else 1]:
        table.add_column(heading)
    for issue in check.issues:
        if not issue.count:
            continue
        title, examples = Text(issue.title, "bold"), _examples(check, issue)
        if wide:
            table.add_row(title, Text(issue.found), issue.meaning, Text("\n".join(examples), "dim"))
        else:
            table.add_row(Text.assemble(title, ": ", issue.found))
            for line in (issue.meaning, *(f"e.g. {example}" for example in examples)):
                table.add_row(Padding(Text(line, "dim"), (0, 0, 0, 2)))
    return table


def _list_not_found(check: "Check") -> str:
    """The kinds that were looked for in vain, in one line."""
    kinds = ", ".join(issue.title for issue in check.issues if not issue.count)
    if all(issue.count for issue in check.issues):
        return "every kind of issue that was looked for was found"
    return f"not found: {kinds}" if any(issue.count for issue in check.issues) else f"nothing is wrong: no {kinds}"


def _examples(check: "Check", issue: "Issue") -> list[str]:
    """The first groups in a few words: 'Training_81 = PublicTest_29540', labels where they differ, people by name."""
    faces = check.faces
    sign = " ≈ " if issue.kind.startswith("near") else " = "
    lines = []
    for number, group in enumerate(issue.groups[:_EXAMPLES]):
        members = check.pick_examples(issue, group)
        if issue.kind == "people" and faces.subjects:
            lines.append(faces.subjects[members[0]])
            continue
        labels = [f" {faces.classes[faces.labels[face]]}" if issue.kind == "contradictions" else "" for face in members]
        names = [faces.ids[face] + label for face, label in zip(members, labels, strict=True)]
        remark = f": {issue.remarks[number]}" if issue.remarks else ""
        lines.append(sign.join(names[:_NAMED]) + (" …" if len(names) > _NAMED else "") + remark)
    return lines
