"""fer train: fit a network to a face set."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from fercli.cli import console, options


def train(
    model: Annotated[str | None, typer.Option("--model", "-m", help="Catalogue name. Default: xu-rescnn.")] = None,
    data: options.Data = None,
    root: options.Root = None,
    labels: options.Labels = None,
    keep_contempt: options.KeepContempt = None,
    subject_pattern: options.SubjectPattern = None,
    subjects: options.Subjects = None,
    detect: options.Detect = None,
    recipe: Annotated[
        str | None,
        typer.Option(help="paper: as published; best: as good as we know; quick: a look. Default: best."),
    ] = None,
    epochs: Annotated[int | None, typer.Option(help="Passes over the training faces.")] = None,
    batch_size: Annotated[int | None, typer.Option(help="Faces a step.")] = None,
    lr: Annotated[float | None, typer.Option(help="Learning rate.")] = None,
    val_fraction: Annotated[
        float | None, typer.Option(help="Take this share of the training part for validation.")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Everything random follows from it. Default: 0.")] = None,
    group: Annotated[
        Literal["auto", "subject", "image"] | None,
        typer.Option(help="What a drawn split keeps on one side. Default: the person where known; image for paper."),
    ] = None,
    drop_leaks: Annotated[
        bool, typer.Option("--drop-leaks", help="Leave out training faces whose picture stands in val or test too.")
    ] = False,
    device: Annotated[str | None, typer.Option(help="auto, cpu, cuda, cuda:N or mps. Default: auto.")] = None,
    precision: Annotated[
        Literal["auto", "fp32", "bf16"] | None, typer.Option(help="auto: bf16 where it is faster, else fp32.")
    ] = None,
    compile_: Annotated[
        Literal["auto", "on", "off"] | None, typer.Option("--compile", help="auto: where it saves time.")
    ] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Any recipe setting, e.g. augment.rotate=15."),
    ] = None,
    pretrained: Annotated[
        bool, typer.Option("--pretrained/--no-pretrained", help="--no-pretrained: start from scratch, nothing frozen.")
    ] = True,
    pretrained_file: Annotated[
        Path | None,
        typer.Option(help="Start from this state dict instead of torchvision's ImageNet weights.", show_default=False),
    ] = None,
    extra: Annotated[
        str | None, typer.Option(help="Train on the train part of this set too (a named set, or a path).")
    ] = None,
    teacher: Annotated[
        str | None,
        typer.Option(help="Learn from this model's probabilities too (as predict's --model; + joins several)."),
    ] = None,
    config: Annotated[Path | None, typer.Option(help="Repeat the run that this config.yaml describes.")] = None,
    out: Annotated[Path | None, typer.Option(help="The run's folder. Default: a new one in runs/.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Continue --out, or the newest unfinished run.")] = False,
    force: options.Force = False,
    as_json: options.Json = False,
    quiet: options.Quiet = False,
    debug: options.Debug = False,
) -> None:
    """Train a network on a face set.

    Everything goes into a run folder. Ctrl-C keeps what is finished; --resume continues to the same result.
    """
    from fercli.cli.training_progress import TrainingProgress, training_table
    from fercli.core.errors import UsageError
    from fercli.workflows.run_folder import unfinished_run
    from fercli.workflows.train import run as workflow
    from fercli.workflows.train.settings import parse_overrides, settings

    if resume and (config or force):
        raise UsageError("--resume goes with neither --config nor --force: the run has its own settings")
    if pretrained_file and not pretrained:
        raise UsageError("--no-pretrained starts from scratch: leave out either it or --pretrained-file")
    begun = unfinished_run(out) if resume else None
    typed = {"epochs": epochs, "batch_size": batch_size, "optimizer.lr": lr, "val_fraction": val_fraction}
    resolved = settings(
        model=model,
        data=data,
        recipe=recipe,
        config=begun.config if begun else config,
        reading=options.reading(labels, keep_contempt, subject_pattern, subjects, detect),
        pretrained=pretrained_file if pretrained else False,
        changes={
            "root": str(root) if root else None,
            "seed": seed,
            "group": group,
            "drop_leaks": drop_leaks or None,
            "device": device,
            "precision": precision,
            "compile": compile_,
            "extra": extra,
            "teacher": teacher,
        },
        overrides={
            **{key: value for key, value in typed.items() if value is not None},
            **parse_overrides(set_ or []),
        },
    )
    default = " (built-in drawn faces: name a real set with --data)" if resolved.data == "cartoon" else ""
    console.note(
        f"training {resolved.model} on {resolved.data}{default}, recipe {resolved.recipe_name}, "
        f"{resolved.recipe.epochs} epochs"
    )
    listener = TrainingProgress()
    try:
        with listener:
            result = (
                workflow.resume(begun, resolved, listener) if begun else workflow.train(resolved, out, force, listener)
            )
    except KeyboardInterrupt:
        listener.interrupted()
        raise typer.Exit(130) from None
    if as_json:
        console.print_json(result.to_dict())
    else:
        console.out().print(training_table(result))
        for text in result.evaluations[0].notes:
            console.out().print(text, style="dim", markup=False)
    console.note(f"next: fer eval --model {result.folder}   or   fer predict PHOTO --model {result.folder}")
