"""fer eval: measure a trained network on a face set."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from fercli.cli import console, options
from fercli.core.errors import UsageError
from fercli.workflows.evaluate.options import EvaluateOptions

if TYPE_CHECKING:
    from fercli.core.catalogue import Claim
    from fercli.workflows.evaluate.evaluation import Evaluation


def evaluate(
    corruptions: Annotated[
        str | None,
        typer.Argument(
            metavar="NAMES", help="With --corrupt: which corruptions, e.g. blur,rotation.", show_default="all"
        ),
    ] = None,
    model: options.Model = EvaluateOptions.model,
    data: Annotated[
        str | None,
        typer.Option("--data", "-d", help="A named set or a path. Default: what the network was trained on."),
    ] = EvaluateOptions.data,
    root: options.Root = EvaluateOptions.root,
    labels: options.Labels = None,
    keep_contempt: options.KeepContempt = None,
    subject_pattern: options.SubjectPattern = None,
    subjects: options.Subjects = None,
    detect: options.Detect = None,
    shared_classes: Annotated[
        bool,
        typer.Option("--shared-classes", help="On a set with other classes, measure those that the network has too."),
    ] = EvaluateOptions.shared_classes,
    split: Annotated[
        Literal["test", "val", "train", "spare", "all"] | None,
        typer.Option(help="Which split to measure. Default: test, else val; all if the set has no split."),
    ] = EvaluateOptions.split,
    tta: Annotated[bool, typer.Option(help="Average each face with its mirror image.")] = EvaluateOptions.tta,
    corrupt: Annotated[
        bool,
        typer.Option(
            "--corrupt", help="Also measure on corrupted faces: blurred, rotated and so on, at three strengths."
        ),
    ] = False,
    paper: Annotated[
        bool, typer.Option("--paper", help="Compare with the figures of the network's paper.")
    ] = EvaluateOptions.paper,
    coverage: Annotated[
        bool, typer.Option("--coverage", help="Show the accuracy on the faces with the highest confidence.")
    ] = EvaluateOptions.coverage,
    by: Annotated[
        list[str] | None,
        typer.Option(metavar="COLUMN", help="Also measure each group of this column of --groups; may be repeated."),
    ] = None,
    groups: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="A csv file with the column file and others, such as age or camera."),
    ] = EvaluateOptions.groups,
    out: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Save predictions.csv, metrics.json and plots in this folder."),
    ] = EvaluateOptions.out,
    device: options.Device = EvaluateOptions.device,
    threads: options.Threads = None,
    force: options.Force = EvaluateOptions.force,
    as_json: options.Json = False,
    quiet: options.Quiet = False,
    debug: options.Debug = False,
) -> None:
    """Measure a trained network on a face set.

    Shows precision, recall and F1 per class, accuracy with its interval, calibration and the confusion matrix.
    """
    flags = locals()

    from fercli.cli.progress import TerminalProgress
    from fercli.workflows.evaluate.run import evaluate as workflow

    read = {"corruptions": _read_corruptions(corruptions, corrupt), "by": tuple(by or ())}
    with TerminalProgress() as progress:
        result = workflow(options.collect(EvaluateOptions, flags | read), progress)
    if as_json:
        console.print_json({**result.to_dict(), **_compare(result)})
    else:
        _show(result)


def _read_corruptions(names: str | None, corrupt: bool) -> tuple[str, ...]:
    """The corruptions that the flags name. Raises UsageError for an unknown one, and for names without --corrupt."""
    if names is not None and not corrupt:
        raise UsageError(f"{names}: a network is named with --model, data with --data, corruptions by --corrupt")
    if not corrupt:
        return ()
    from fercli.data.quality.corruptions import parse_corruptions

    return parse_corruptions(names)


def _compare(result: "Evaluation") -> dict[str, Any]:
    """The comparison with the paper as JSON takes it, if it is wanted."""
    if result.claim is None:
        return {}
    from fercli.metrics.paper_claims import compare

    pairs = [pair.to_dict() for pair in compare(result.claim, result.scores, result.uncalibrated)]
    return {"paper": {"data": result.claim.data, "note": result.claim.note, "figures": pairs}}


def _show(result: "Evaluation") -> None:
    from fercli.cli.evaluate_tables import ConfusionTable, class_table, corruption_table, coverage_table, summary
    from fercli.cli.group_table import describe_power, group_table

    views = "each face and its mirror image" if result.mirrored else "single view"
    screen = console.out()
    screen.print(f"{result.model} on {result.data}, {result.split}, {views}\n", markup=False)
    for table in (
        summary(result.scores, result.uncalibrated),
        class_table(result.scores),
        ConfusionTable(result.scores),
        *([coverage_table(result.coverage)] if result.coverage else []),
    ):
        screen.print(table)
        screen.print()
    if result.robustness:
        screen.print(corruption_table(result.robustness, screen.width))
    for column, scores in result.groups.items():
        screen.print(group_table(column, scores, screen.width))
        screen.print(describe_power(result.scores.accuracy), markup=False, style="dim", highlight=False)
        screen.print()
    if result.claim:
        _show_paper(result.claim, result)


def _show_paper(claim: "Claim", result: "Evaluation") -> None:
    from fercli.cli.paper_table import class_pairs, overall_pairs, remarks
    from fercli.metrics.paper_claims import compare
    from fercli.models.catalogue import load_catalogue

    pairs, screen = compare(claim, result.scores, result.uncalibrated), console.out()
    screen.print(f"beside the paper: {load_catalogue()[result.model].source.cite}\n", markup=False)
    if (classes := class_pairs(pairs, screen.width)) is not None:
        screen.print(classes)
        screen.print()
    screen.print(overall_pairs(pairs, claim))
    for text in remarks(claim, result):
        screen.print(text, markup=False, style="dim", highlight=False)
