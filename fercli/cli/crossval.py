"""fer crossval: cross-validate networks on a face set, as the papers do and by person."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from fercli.cli import console, options

if TYPE_CHECKING:
    from fercli.workflows.crossval.settings import CrossvalConfig


def crossval(
    model: Annotated[
        list[str] | None,
        typer.Option(
            "--model", "-m", help="Catalogue name; several are compared on the same folds. Default: xu-rescnn."
        ),
    ] = None,
    data: options.Data = None,
    root: options.Root = None,
    labels: options.Labels = None,
    keep_contempt: options.KeepContempt = None,
    subject_pattern: options.SubjectPattern = None,
    subjects: options.Subjects = None,
    detect: options.Detect = None,
    folds: Annotated[
        int | None, typer.Option(help="Groups: one tests, one validates, the rest train. Default: 10.")
    ] = None,
    runs: Annotated[int | None, typer.Option(help="Times all folds are drawn and trained anew. Default: 1.")] = None,
    group: Annotated[
        Literal["auto", "image", "subject", "both"] | None,
        typer.Option(help="What a group keeps together; both: each way, and the gap. Default: the person where known."),
    ] = None,
    baseline: Annotated[
        list[str] | None, typer.Option(help="pca-svm, nearest or majority, on the same folds; may be repeated.")
    ] = None,
    select: Annotated[
        bool, typer.Option("--select", help="Choose settings on validation faces, then retrain on train + validation.")
    ] = False,
    select_by: Annotated[
        Literal["fold", "mean"] | None,
        typer.Option(help="fold: each fold chooses its own; mean: one a run, by mean validation error. Default: fold."),
    ] = None,
    grid: Annotated[
        list[str] | None,
        typer.Option(metavar="KEY=V,V", help="What --select chooses from. Default: three learning rates."),
    ] = None,
    recipe: Annotated[
        str | None, typer.Option(help="paper, best or quick. Default: best; quick with neither --model nor --data.")
    ] = None,
    epochs: Annotated[int | None, typer.Option(help="Passes over the training faces.")] = None,
    batch_size: Annotated[int | None, typer.Option(help="Faces a step.")] = None,
    lr: Annotated[float | None, typer.Option(help="Learning rate.")] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Any recipe setting, e.g. augment.rotate=15."),
    ] = None,
    seed: Annotated[
        int | None, typer.Option(help="The seeds of all runs and folds follow from it. Default: 0.")
    ] = None,
    jobs: Annotated[
        int | None, typer.Option("--jobs", "-j", min=1, help="Folds side by side. Default: as the processor has room.")
    ] = None,
    threads: Annotated[
        int | None, typer.Option(help="Processor threads a fold; results depend on it alone. Default: mostly 1.")
    ] = None,
    device: Annotated[str | None, typer.Option(help="auto, cpu, cuda, cuda:N or mps. Default: auto.")] = None,
    precision: Annotated[
        Literal["auto", "fp32", "bf16"] | None, typer.Option(help="auto: bf16 where it is faster, else fp32.")
    ] = None,
    compile_: Annotated[
        Literal["auto", "on", "off"] | None, typer.Option("--compile", help="auto: where it saves time.")
    ] = None,
    pretrained: Annotated[
        bool, typer.Option("--pretrained/--no-pretrained", help="--no-pretrained: start from scratch, nothing frozen.")
    ] = True,
    pretrained_file: Annotated[
        Path | None,
        typer.Option(help="Start from this state dict instead of torchvision's ImageNet weights.", show_default=False),
    ] = None,
    out: Annotated[Path | None, typer.Option(help="The folder. Default: a new one in runs/.")] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Continue --out, or the newest unfinished one, with its settings.")
    ] = False,
    force: options.Force = False,
    as_json: options.Json = False,
    quiet: options.Quiet = False,
    debug: options.Debug = False,
) -> None:
    """Cross-validate networks on a face set.

    Every fold is a run folder. Killed at any moment, the same command with the same --out, or --resume, goes on with
    the first unfinished fold, to the same tables.
    """
    from fercli.cli.crossval_progress import CrossvalProgress
    from fercli.cli.crossval_tables import crossval_report
    from fercli.core.errors import UsageError
    from fercli.workflows.crossval.folder import folder_for, unfinished_crossval
    from fercli.workflows.crossval.run import crossval as workflow
    from fercli.workflows.crossval.settings import crossval_settings, parse_grid, read_crossval
    from fercli.workflows.train.settings import parse_overrides

    if resume and force:
        raise UsageError("--resume continues what --force would start over: leave one out")
    if pretrained_file and not pretrained:
        raise UsageError("--no-pretrained starts from scratch: leave out either it or --pretrained-file")
    begun = unfinished_crossval(out) if resume else None
    typed = {"epochs": epochs, "batch_size": batch_size, "optimizer.lr": lr}
    config = crossval_settings(
        models=model or (),
        data=data,
        recipe=recipe,
        pretrained=pretrained_file or (None if pretrained else False),
        reading=options.reading(labels, keep_contempt, subject_pattern, subjects, detect),
        changes={
            "root": str(root) if root else None,
            "device": device,
            "precision": precision,
            "compile": compile_,
        },
        overrides={
            **{key: value for key, value in typed.items() if value is not None},
            **parse_overrides(set_ or []),
        },
        protocol={
            "folds": folds,
            "runs": runs,
            "seed": seed,
            "group": group,
            "baselines": baseline,
            "select": True if select or select_by or grid else None,
            "select_by": select_by,
            "grid": parse_grid(grid) if grid else None,
            "threads": threads,
        },
        begun=read_crossval(begun.config) if begun else None,
    )
    console.note(_first_line(config))
    folder = folder_for(config, begun.path if begun else out, force)
    listener = CrossvalProgress()
    try:
        with listener:
            result = workflow(config, folder, jobs=jobs, listener=listener)
    except KeyboardInterrupt:
        listener.interrupted()
        raise typer.Exit(130) from None
    if as_json:
        console.print_json(result.to_dict())
    else:
        console.out().print(crossval_report(result))
    console.note(f"all tables, predictions and pictures are in {folder.path}, every fold a run folder")
    first = result.series[0].folder
    console.note(f"next: fer eval --model {folder.path / first / 'run-01' / 'fold-01'}")


def _first_line(config: "CrossvalConfig") -> str:
    """What is about to be done."""
    first = config.models[0]
    names = " and ".join(model.model for model in config.models)
    default = " (built-in drawn faces: name a real set with --data)" if first.data == "cartoon" else ""
    start = " from scratch" if all(model.recipe.pretrained == "none" for model in config.models) else ""
    runs = f"{config.runs} run{'s'[: config.runs > 1]}"
    return (
        f"cross-validating {names}{start} on {first.data}{default}, recipe {first.recipe_name}, "
        f"{first.recipe.epochs} epochs, {config.folds} folds, {runs}"
    )
