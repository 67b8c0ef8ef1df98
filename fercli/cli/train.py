"""fer train: fit a network to a face set."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fercli.cli import console, options
from fercli.workflows.train.options import TrainOptions

if TYPE_CHECKING:
    from rich.table import Table

    from fercli.workflows.train.results import TrainResult


def train(
    model: Annotated[
        str | None, typer.Option("--model", "-m", help="A catalogue name (see fer models). Default: xu-rescnn.")
    ] = TrainOptions.model,
    data: options.Data = TrainOptions.data,
    root: options.Root = TrainOptions.root,
    labels: options.Labels = None,
    keep_contempt: options.KeepContempt = None,
    subject_pattern: options.SubjectPattern = None,
    subjects: options.Subjects = None,
    detect: options.Detect = None,
    recipe: options.Recipe = TrainOptions.recipe,
    epochs: options.Epochs = TrainOptions.epochs,
    batch_size: options.BatchSize = TrainOptions.batch_size,
    lr: options.LearningRate = TrainOptions.lr,
    val_fraction: Annotated[
        float | None, typer.Option(help="Use this fraction of the training split for validation.")
    ] = TrainOptions.val_fraction,
    seed: Annotated[int | None, typer.Option(help="The seed of everything random. Default: 0.")] = TrainOptions.seed,
    group: options.Group = TrainOptions.group,
    drop_leaks: Annotated[
        bool, typer.Option("--drop-leaks", help="Leave out training faces that also occur in val or test.")
    ] = TrainOptions.drop_leaks,
    device: options.TrainingDevice = TrainOptions.device,
    threads: options.Threads = None,
    precision: options.Precision = TrainOptions.precision,
    compile: options.Compile = TrainOptions.compile,
    recipe_settings: options.RecipeSettings = None,
    pretrained: options.Pretrained = TrainOptions.pretrained,
    pretrained_file: options.PretrainedFile = TrainOptions.pretrained_file,
    start_from: Annotated[
        str | None,
        typer.Option(
            metavar="MODEL",
            help="Start from this trained network: a catalogue name, a run folder or a weights file. Its recipe is "
            "then finetune.",
        ),
    ] = TrainOptions.start_from,
    extra: options.Extra = TrainOptions.extra,
    teacher: options.Teacher = TrainOptions.teacher,
    tensorboard: Annotated[
        bool,
        typer.Option("--tensorboard", help="Also write the figures of each epoch for TensorBoard."),
    ] = TrainOptions.tensorboard,
    config: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Repeat the run that this config.yaml describes.")
    ] = TrainOptions.config,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="The run folder. Default: a new one in runs/.")
    ] = TrainOptions.out,
    resume: Annotated[
        bool, typer.Option("--resume", help="Continue the run in --out, or the newest unfinished run.")
    ] = TrainOptions.resume,
    force: options.Force = TrainOptions.force,
    as_json: options.Json = False,
    quiet: options.Quiet = False,
    debug: options.Debug = False,
) -> None:
    """Train a network on a face set.

    Everything is written to a run folder. Ctrl-C keeps the finished epochs; --resume continues to the same result.
    torchrun trains in several processes: torchrun --nproc-per-node 2 -m fercli train ...
    """
    flags = locals()

    from fercli.cli.progress import TerminalProgress
    from fercli.training.distributed import joined_ranks
    from fercli.workflows.train.follow import follow
    from fercli.workflows.train.run import train as workflow
    from fercli.workflows.train.settings import parse_settings

    chosen = options.collect(TrainOptions, flags | {"recipe_settings": parse_settings(recipe_settings or [])})
    with TerminalProgress() as progress, joined_ranks() as ranks:
        if not ranks.is_first:
            follow(ranks)
            return
        result = workflow(chosen, progress, ranks)
    if as_json:
        console.print_json(result.to_dict())
    else:
        console.out().print(_table(result))
        for text in result.evaluations[0].notes:
            console.out().print(text, style="dim", markup=False)
    console.note(f"next: fer eval --model {result.folder}   or   fer predict PHOTO --model {result.folder}")


def _table(result: "TrainResult") -> "Table":
    """The figures of a finished training: a row a split and view."""
    from rich.table import Table

    from fercli.cli.evaluate_tables import explain_macro
    from fercli.core.text import format_count, format_duration

    table = Table(box=None, pad_edge=False, header_style="bold", caption_justify="left")
    macros = (explain_macro(each.scores, f"macro F1 of {each.split}") for each in result.evaluations)
    table.caption = "\n".join(dict.fromkeys(filter(None, macros))) or None
    epochs = format_count(result.epochs, "epoch")
    table.title = f"best of {epochs}: {result.best_epoch}, in {format_duration(result.seconds)}"
    table.title_justify, table.title_style = "left", ""
    table.add_column("split")
    table.add_column("views")
    for heading in ("faces", "accuracy", "95 %", "macro F1", "log loss", "ECE"):
        table.add_column(heading, justify="right")
    for evaluation in result.evaluations:
        scores = evaluation.scores
        low, high = scores.accuracy_interval
        table.add_row(
            evaluation.split,
            "+ mirrored" if evaluation.mirrored else "single",
            f"{scores.faces:,}",
            f"{100 * scores.accuracy:.2f} %",
            f"{100 * low:.1f}–{100 * high:.1f}",
            f"{scores.macro.f1:.3f}",
            f"{scores.log_loss:.3f}",
            f"{100 * scores.calibration_error:.1f} %",
        )
    return table
