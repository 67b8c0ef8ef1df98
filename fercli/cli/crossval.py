"""fer crossval: cross-validate networks on a face set, as the papers do and by person."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from fercli.cli import console, options
from fercli.workflows.crossval.options import CrossvalOptions


def crossval(
    models: Annotated[
        list[str] | None,
        typer.Option(
            "--model",
            "-m",
            help="A catalogue name; may be repeated to compare networks on the same folds. Default: xu-rescnn.",
        ),
    ] = None,
    data: options.Data = CrossvalOptions.data,
    root: options.Root = CrossvalOptions.root,
    labels: options.Labels = None,
    keep_contempt: options.KeepContempt = None,
    subject_pattern: options.SubjectPattern = None,
    subjects: options.Subjects = None,
    detect: options.Detect = None,
    folds: Annotated[
        int | None,
        typer.Option(
            help="The number of groups: one is for testing, one for validation, the others for training. Default: 10."
        ),
    ] = CrossvalOptions.folds,
    runs: Annotated[
        int | None, typer.Option(help="How often the whole cross-validation is repeated, with new folds. Default: 1.")
    ] = CrossvalOptions.runs,
    group: Annotated[
        Literal["auto", "image", "subject", "both"] | None,
        typer.Option(
            help="What the folds keep together: all faces of a subject, or only each image. both: one after the other, "
            "and the gap between them. auto: subjects where they are known. Default: auto."
        ),
    ] = CrossvalOptions.group,
    baselines: Annotated[
        list[str] | None,
        typer.Option(
            "--baseline", help="Compare with pca-svm, nearest or majority on the same folds; may be repeated."
        ),
    ] = None,
    select: Annotated[
        bool, typer.Option("--select", help="Choose settings on validation faces, then retrain on train + validation.")
    ] = CrossvalOptions.select,
    select_by: Annotated[
        Literal["fold", "mean"] | None,
        typer.Option(
            help="fold: one setting for each fold. mean: one for each run, by the mean validation error over its "
            "folds. Default: fold."
        ),
    ] = CrossvalOptions.select_by,
    grid: Annotated[
        list[str] | None,
        typer.Option(
            metavar="KEY=V,V",
            help="A setting of the recipe and the values that --select tries; may be repeated. Default: three learning "
            "rates.",
        ),
    ] = None,
    recipe: Annotated[
        str | None,
        typer.Option(help="paper, best or quick. Default: best; quick if neither --model nor --data is given."),
    ] = CrossvalOptions.recipe,
    epochs: options.Epochs = CrossvalOptions.epochs,
    batch_size: options.BatchSize = CrossvalOptions.batch_size,
    lr: options.LearningRate = CrossvalOptions.lr,
    recipe_settings: options.RecipeSettings = None,
    seed: Annotated[
        int | None, typer.Option(help="The seed of all runs and folds. Default: 0.")
    ] = CrossvalOptions.seed,
    jobs: Annotated[
        int | None,
        typer.Option(
            "--jobs",
            "--workers",
            "-j",
            help="Folds trained at the same time. Default: as many as the processor has room for.",
        ),
    ] = CrossvalOptions.jobs,
    ray: Annotated[
        str | None,
        typer.Option(
            metavar="ADDRESS",
            help="Train the folds on a Ray cluster; auto is the one that this machine belongs to.",
        ),
    ] = CrossvalOptions.ray,
    cpus_per_task: Annotated[
        float | None, typer.Option(help="With --ray: what each fold takes of a node. Default: its threads.")
    ] = CrossvalOptions.cpus_per_task,
    gpus_per_task: Annotated[
        float | None, typer.Option(help="With --ray: the same for GPUs; 0.5 puts two folds on one. Default: 0.")
    ] = CrossvalOptions.gpus_per_task,
    shard: Annotated[
        str | None,
        typer.Option(
            metavar="I/N", help="Train only the I-th of N shards of the folds, beside others with the same --out."
        ),
    ] = CrossvalOptions.shard,
    collect: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Pool the folds in this folder, which shards trained, and train none."),
    ] = CrossvalOptions.collect,
    threads: Annotated[
        int | None,
        typer.Option(help="Processor threads per fold; results depend on it, and not on --jobs. Default: mostly 1."),
    ] = CrossvalOptions.threads,
    device: options.TrainingDevice = CrossvalOptions.device,
    precision: options.Precision = CrossvalOptions.precision,
    compile: options.Compile = CrossvalOptions.compile,
    pretrained: options.Pretrained = CrossvalOptions.pretrained,
    pretrained_file: options.PretrainedFile = CrossvalOptions.pretrained_file,
    out: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="The folder of the cross-validation. Default: a new one in runs/."),
    ] = CrossvalOptions.out,
    resume: Annotated[
        bool,
        typer.Option("--resume", help="Continue the cross-validation in --out, or the newest unfinished one."),
    ] = CrossvalOptions.resume,
    force: options.Force = CrossvalOptions.force,
    as_json: options.Json = False,
    quiet: options.Quiet = False,
    debug: options.Debug = False,
) -> None:
    """Cross-validate networks on a face set.

    Each fold gets a run folder. After an interruption, --resume (or the same command with the same --out) continues
    with the first unfinished fold and ends with the same tables.
    """
    flags = locals()

    from fercli.cli.crossval_tables import crossval_report
    from fercli.cli.progress import TerminalProgress
    from fercli.workflows.crossval.run import crossval as workflow
    from fercli.workflows.crossval.settings import parse_grid
    from fercli.workflows.train.settings import parse_settings

    read = {
        "models": tuple(models or ()),
        "baselines": baselines or None,
        "grid": parse_grid(grid) if grid else None,
        "recipe_settings": parse_settings(recipe_settings or []),
    }
    with TerminalProgress() as progress:
        result = workflow(options.collect(CrossvalOptions, flags | read), progress)
    if result is None:
        return
    if as_json:
        console.print_json(result.to_dict())
    else:
        console.out().print(crossval_report(result))
    console.note(f"all tables, predictions and pictures are in {result.folder}, every fold a run folder")
    console.note(f"next: fer eval --model {result.folder / result.series[0].folder / 'run-01' / 'fold-01'}")
