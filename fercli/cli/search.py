"""fer search: search for the settings of a recipe and the arguments of a network."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from fercli.cli import console, options
from fercli.workflows.search.options import SearchOptions


def search(
    model: Annotated[
        str | None, typer.Option("--model", "-m", help="A catalogue name. Default: xu-rescnn.")
    ] = SearchOptions.model,
    data: options.Data = SearchOptions.data,
    root: options.Root = SearchOptions.root,
    labels: options.Labels = None,
    keep_contempt: options.KeepContempt = None,
    subject_pattern: options.SubjectPattern = None,
    subjects: options.Subjects = None,
    detect: options.Detect = None,
    space: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="What to choose from: a YAML file, or a space of the model by name (recipe, architecture). Default: "
            "recipe.",
        ),
    ] = SearchOptions.space,
    show_space: Annotated[
        bool, typer.Option("--show-space", help="Print the space as a file to start from, and search nothing.")
    ] = False,
    trials: Annotated[
        int | None, typer.Option(help="The number of trials in all. Default: 40.")
    ] = SearchOptions.trials,
    budget: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="Begin no further trial after this time: 90s, 30m, 2h. Default: no limit."),
    ] = None,
    objectives: Annotated[
        list[str] | None,
        typer.Option(
            "--objective",
            help="What trials are ranked by: loss, accuracy, macro-recall, multiply-adds or parameters; "
            "may be repeated to trade several off. Default: loss.",
        ),
    ] = None,
    sampler: Annotated[
        Literal["tpe", "random", "grid", "nsga2"] | None,
        typer.Option(help="How trials are drawn. Default: tpe; nsga2 with several objectives."),
    ] = SearchOptions.sampler,
    pruner: Annotated[
        Literal["hyperband", "wilcoxon", "none"] | None,
        typer.Option(
            help="How trials are given up early: hyperband goes by epochs, wilcoxon by folds. Default: hyperband; "
            "wilcoxon with --folds; none with several objectives."
        ),
    ] = SearchOptions.pruner,
    folds: Annotated[
        int | None,
        typer.Option(help="Validate each trial on this many folds of the training split, not on the validation split."),
    ] = SearchOptions.folds,
    limits: Annotated[
        list[str] | None,
        typer.Option(
            "--limit",
            metavar="NAME=MOST",
            help="The most that a network may cost: parameters=100k, multiply-adds=20M, ms=3. May be repeated.",
        ),
    ] = None,
    top: Annotated[
        int | None, typer.Option(help="How many of the best trials are trained anew. Default: 5.")
    ] = SearchOptions.top,
    seeds: Annotated[
        int | None, typer.Option(help="On how many seeds each of them, and the default, is trained. Default: 3.")
    ] = SearchOptions.seeds,
    confirm_epochs: Annotated[
        int | None, typer.Option(help="For how many epochs. Default: as many as a trial.")
    ] = SearchOptions.confirm_epochs,
    recipe: options.Recipe = SearchOptions.recipe,
    epochs: options.Epochs = SearchOptions.epochs,
    batch_size: options.BatchSize = SearchOptions.batch_size,
    lr: options.LearningRate = SearchOptions.lr,
    recipe_settings: options.RecipeSettings = None,
    seed: Annotated[
        int | None, typer.Option(help="All draws follow from it; every trial trains with it. Default: 0.")
    ] = SearchOptions.seed,
    group: options.Group = SearchOptions.group,
    extra: options.Extra = SearchOptions.extra,
    teacher: options.Teacher = SearchOptions.teacher,
    jobs: Annotated[
        int, typer.Option("--jobs", "--workers", "-j", help="Trials trained at the same time.")
    ] = SearchOptions.jobs,
    ray: Annotated[
        str | None,
        typer.Option(
            metavar="ADDRESS",
            help="Train --jobs trials at a time on a Ray cluster; auto is the one that this machine belongs to.",
        ),
    ] = SearchOptions.ray,
    cpus_per_task: Annotated[
        float | None, typer.Option(help="With --ray: what each trial takes of a node. Default: 1.")
    ] = SearchOptions.cpus_per_task,
    gpus_per_task: Annotated[
        float | None, typer.Option(help="With --ray: the same for GPUs. Default: 0.")
    ] = SearchOptions.gpus_per_task,
    storage: Annotated[
        str | None,
        typer.Option(metavar="URL", help="Optuna's database. Default: the file study.log in the folder."),
    ] = SearchOptions.storage,
    device: options.TrainingDevice = SearchOptions.device,
    precision: options.Precision = SearchOptions.precision,
    compile: options.Compile = SearchOptions.compile,
    pretrained: options.Pretrained = SearchOptions.pretrained,
    pretrained_file: options.PretrainedFile = SearchOptions.pretrained_file,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="The folder of the study. Default: a new one in runs/.")
    ] = SearchOptions.out,
    resume: Annotated[
        bool, typer.Option("--resume", help="Continue the study in --out, or the newest unfinished one.")
    ] = SearchOptions.resume,
    force: options.Force = SearchOptions.force,
    as_json: options.Json = False,
    quiet: options.Quiet = False,
    debug: options.Debug = False,
) -> None:
    """Search for the settings of a recipe and the arguments of a network.

    Each trial is a training, ranked on validation faces; the test split is not touched. The best trials are trained
    anew on several seeds beside the default, and only then ranked. After an interruption, --resume (or the same command
    with the same --out) continues.
    """
    flags = locals()

    from fercli.cli.progress import TerminalProgress
    from fercli.cli.search_tables import search_report
    from fercli.workflows.search.settings import dump_space, find_space, parse_duration, parse_limits
    from fercli.workflows.train.settings import parse_settings, resolve_config

    read = {
        "objectives": tuple(objectives or ()),
        "limits": parse_limits(limits or []),
        "budget": None if budget is None else parse_duration(budget),
        "recipe_settings": parse_settings(recipe_settings or []),
    }
    chosen = options.collect(SearchOptions, flags | read)
    if show_space:
        console.write_data(dump_space(find_space(chosen.space, resolve_config(chosen)).document))
        return
    from fercli.workflows.search.run import search as workflow

    with TerminalProgress() as progress:
        result = workflow(chosen, progress)
    if result is None:
        return
    if as_json:
        console.print_json(result.to_dict())
    else:
        console.out().print(search_report(result))
    console.note(f"tables, plots and a page are in {result.folder}: report.html")
    best = result.folder / "best.yaml"
    if result.ranking and result.ranking.default_leads:
        console.note("next: keep the recipe as it is")
    else:
        console.note(f"next: fer train --config {best}")
