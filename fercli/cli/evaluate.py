"""fer eval: measure a trained network on a face set."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from fercli.cli import console, options

if TYPE_CHECKING:
    from fercli.core.catalogue import Claim
    from fercli.workflows.evaluate.evaluation import Evaluation


def evaluate(
    corruptions: Annotated[
        str | None,
        typer.Argument(metavar="NAMES", help="With --corrupt: which, as in blur,rotation.", show_default="all"),
    ] = None,
    model: options.Model = None,
    data: Annotated[
        str | None,
        typer.Option("--data", "-d", help="A named set or a path. Default: what the network was trained on."),
    ] = None,
    root: options.Root = None,
    labels: options.Labels = None,
    keep_contempt: options.KeepContempt = None,
    subject_pattern: options.SubjectPattern = None,
    subjects: options.Subjects = None,
    detect: options.Detect = None,
    shared_classes: Annotated[
        bool, typer.Option("--shared-classes", help="Of a set with other classes, measure those that both know.")
    ] = False,
    split: Annotated[
        Literal["test", "val", "train", "spare", "all"] | None,
        typer.Option(help="Which part. Default: test, else val; all of a set without a split."),
    ] = None,
    tta: Annotated[bool, typer.Option(help="Average each face with its mirror image.")] = False,
    corrupt: Annotated[
        bool, typer.Option("--corrupt", help="Measure on the faces made worse too, in named ways at three strengths.")
    ] = False,
    paper: Annotated[bool, typer.Option("--paper", help="Set the paper's own figures beside these.")] = False,
    coverage: Annotated[
        bool, typer.Option("--coverage", help="Accuracy when only the surest faces are answered.")
    ] = False,
    out: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Save predictions.csv, metrics.json and pictures of the results here."),
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
    from fercli.cli.progress_bar import Bar
    from fercli.cli.report import ConfusionTable, class_table, corruption_table, coverage_table, summary
    from fercli.core.config import LoadOptions
    from fercli.core.errors import UsageError
    from fercli.core.files import refuse_existing
    from fercli.data.quality.corruptions import parse_corruptions
    from fercli.workflows.evaluate.evaluation import EVALUATION_FILES
    from fercli.workflows.evaluate.run import evaluate as workflow

    if out is not None:
        refuse_existing(*(out / name for name in EVALUATION_FILES), force=force, otherwise="name another --out")
    if corruptions is not None and not corrupt:
        raise UsageError(f"{corruptions}: a network is named with --model, data with --data, corruptions by --corrupt")
    names = parse_corruptions(corruptions) if corrupt else ()
    typed = options.reading(labels, keep_contempt, subject_pattern, subjects, detect)
    with Bar() as bar:
        result = workflow(
            model, data, root=root, part=split, mirrored=tta, device=device,
            options=LoadOptions(**typed) if typed else None, shared_classes=shared_classes, corruptions=names,
            progress=bar.update,
        )  # fmt: skip
    for text in result.notes:
        console.note(text)
    curve = result.coverage() if coverage else None
    if out is not None:
        *files, last = result.save(out, curve)
        console.note(f"{', '.join(files)} and {last} are in {out}")
    claim = _claim(result) if paper else None
    if as_json:
        more = {"coverage": curve.to_dict()} if curve else {}
        console.print_json({**result.to_dict(), **more, **(_compared(claim, result) if claim else {})})
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
    if curve:
        screen.print(coverage_table(curve))
        screen.print()
    if result.robustness:
        screen.print(corruption_table(result.robustness, screen.width))
    if claim:
        _show_paper(claim, result)


def _claim(result: "Evaluation") -> "Claim":
    """What the network's paper claims. Raises ModelError where its entry holds no claim."""
    from fercli.core.errors import ModelError
    from fercli.metrics.claims import fitting_claim
    from fercli.models.catalogue import load_catalogue

    claim = fitting_claim(load_catalogue()[result.model].claims, result.data)
    if claim is None:
        raise ModelError(f"--paper: the entry of {result.model} in models.yaml holds no claims; leave the flag out")
    return claim


def _compared(claim: "Claim", result: "Evaluation") -> dict[str, object]:
    """The comparison as JSON takes it."""
    from fercli.metrics.claims import compare

    pairs = [pair.to_dict() for pair in compare(claim, result.scores, result.uncalibrated)]
    return {"paper": {"data": claim.data, "note": claim.note, "figures": pairs}}


def _show_paper(claim: "Claim", result: "Evaluation") -> None:
    from fercli.cli.paper_table import class_pairs, overall_pairs, remarks
    from fercli.metrics.claims import compare
    from fercli.models.catalogue import load_catalogue

    pairs, screen = compare(claim, result.scores, result.uncalibrated), console.out()
    screen.print(f"beside the paper: {load_catalogue()[result.model].source.cite}\n", markup=False)
    if (classes := class_pairs(pairs, screen.width)) is not None:
        screen.print(classes)
        screen.print()
    screen.print(overall_pairs(pairs, claim))
    for text in remarks(claim, result):
        screen.print(text, markup=False, style="dim", highlight=False)
