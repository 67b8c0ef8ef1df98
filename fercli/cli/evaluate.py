"""fer eval: measure a trained network on a face set."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from fercli.cli import console, options


def evaluate(
    model: options.Model = None,
    data: Annotated[
        str | None,
        typer.Option("--data", "-d", help="A named set or a path. Default: what the network was trained on."),
    ] = None,
    root: options.Root = None,
    split: Annotated[
        Literal["test", "val", "train", "spare", "all"] | None,
        typer.Option(help="Which part. Default: test, else val; all of a set without a split."),
    ] = None,
    tta: Annotated[bool, typer.Option(help="Average each face with its mirror image.")] = False,
    out: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Save predictions.csv, confusion.png and metrics.json here."),
    ] = None,
    device: options.Device = "auto",
    force: options.Force = False,
    as_json: options.Json = False,
    quiet: options.Quiet = False,
    debug: options.Debug = False,
) -> None:
    """Measure a trained network on a face set.

    Precision, recall and F1 per class, accuracy with its interval, calibration, confusion matrix.
    """
    from fercli.cli.report import ConfusionTable, class_table, summary
    from fercli.core.errors import UsageError
    from fercli.workflows.evaluate import evaluate as workflow

    if out is not None and not force and (out / "metrics.json").exists():
        raise UsageError(f"{out} holds an evaluation already: --force replaces it, or name another --out")
    result = workflow(model, data, root=root, part=split, mirrored=tta, device=device)
    for text in result.notes:
        console.note(text)
    if out is not None:
        result.save(out)
        console.note(f"predictions.csv, confusion.png and metrics.json are in {out}")
    if as_json:
        console.print_json(result.to_dict())
        return
    views = "each face and its mirror image" if tta else "single view"
    screen = console.out()
    screen.print(f"{result.model} on {result.data}, {result.part}, {views}\n", markup=False)
    for part in (
        summary(result.scores, result.uncalibrated),
        class_table(result.scores),
        ConfusionTable(result.scores),
    ):
        screen.print(part)
        screen.print()
