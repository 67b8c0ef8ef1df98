"""Flags that several commands share, each written once, and the options object that a command's flags make."""

import os
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar

import typer

from fercli.cli import console

if TYPE_CHECKING:
    from fercli.core.config import LoadOptions

Options = TypeVar("Options")

Model = Annotated[
    str | None,
    typer.Option(
        "--model",
        "-m",
        help="A catalogue name, run folder, weights or .onnx file, or 'last' (the newest run). A+B averages models.",
    ),
]

# the face set
Data = Annotated[
    str | None,
    typer.Option("--data", "-d", help="A named set (see fer data list) or a path. Default: cartoon, drawn faces."),
]
Root = Annotated[
    Path | None,
    typer.Option(help="The folder with the named sets. Default: FER_DATA, else ./data.", show_default=False),
]
# how it is read: `load_options` below gathers these five
Labels = Annotated[
    Literal["own", "ferplus", "ferplus-plurality", "ferplus-soft", "ferplus-mixed"] | None,
    typer.Option(
        help="For fer2013, the labels of FER+ from its ten votes per face: their majority, their plurality, their "
        "distribution as targets, or targets that are half the original label and half the votes."
    ),
]
KeepContempt = Annotated[
    bool | None,
    typer.Option("--keep-contempt", help="With FER+ labels: keep contempt, the eighth class.", show_default=False),
]
SubjectPattern = Annotated[
    str | None,
    typer.Option(
        metavar="REGEX", help="Find the subject ID in each file name: the first group, or the one named subject."
    ),
]
Subjects = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="A csv file with the column file and, optionally, subject and label."),
]
Detect = Annotated[
    bool | None,
    typer.Option(
        "--detect", help="The images are photographs, not face crops: detect the face in each.", show_default=False
    ),
]

# a training
Recipe = Annotated[
    str | None,
    typer.Option(
        help="paper: as published. best: the best settings we know. quick: a few epochs, to try things out. "
        "Default: best."
    ),
]
Epochs = Annotated[int | None, typer.Option(help="Passes over the training faces. Default: the recipe's.")]
BatchSize = Annotated[int | None, typer.Option(help="Faces per step. Default: the recipe's.")]
LearningRate = Annotated[float | None, typer.Option(help="Learning rate. Default: the recipe's.")]
Group = Annotated[
    Literal["auto", "subject", "image"] | None,
    typer.Option(
        help="What a new split keeps together: all faces of a subject, or only each image. auto: subjects where "
        "they are known. Default: auto; image for a paper recipe."
    ),
]
Extra = Annotated[
    str | None, typer.Option(metavar="SET", help="Also train on the training split of this set (a name or a path).")
]
Teacher = Annotated[
    str | None,
    typer.Option(
        metavar="MODEL", help="Also learn from this model's probabilities (distillation). A+B averages models."
    ),
]
RecipeSettings = Annotated[
    list[str] | None,
    typer.Option(
        "--set", metavar="KEY=VALUE", help="Any other setting of the recipe, e.g. augment.rotate=15; may be repeated."
    ),
]
Pretrained = Annotated[
    bool,
    typer.Option(
        "--pretrained/--no-pretrained",
        help="Start from ImageNet weights if the recipe does. --no-pretrained starts from scratch and freezes no "
        "layer.",
    ),
]
PretrainedFile = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE", help="Start from this state dict instead of torchvision's ImageNet weights.", show_default=False
    ),
]
TrainingDevice = Annotated[str | None, typer.Option(help="auto, cpu, cuda, cuda:N (or just N) or mps. Default: auto.")]
Precision = Annotated[
    Literal["auto", "fp32", "bf16"] | None,
    typer.Option(help="auto uses bf16 where it is faster, else fp32. Default: auto."),
]
Compile = Annotated[
    Literal["auto", "on", "off"] | None,
    typer.Option(help="torch.compile; auto uses it where it saves time. Default: auto."),
]


def _set_threads(count: int | None) -> int | None:
    """Tell the libraries that compute, before any of them is imported."""
    if count is not None:
        os.environ["OMP_NUM_THREADS"] = os.environ["OPENCV_FOR_THREADS_NUM"] = str(count)
    return count


# every command that computes
Threads = Annotated[
    int | None,
    typer.Option(
        min=1,
        max=1024,
        callback=_set_threads,
        help="Processor threads to use; results depend on it in their last digits. Default: OMP_NUM_THREADS, else "
        "all cores.",
        show_default=False,
    ),
]
# every command
Device = Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:N (or just N) or mps.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document instead of tables.")]
Force = Annotated[bool, typer.Option("--force", help="Replace files that exist.")]
Quiet = Annotated[
    bool, typer.Option("--quiet", "-q", callback=console.set_quiet, help="Print results and errors only.")
]
Debug = Annotated[bool, typer.Option("--debug", callback=console.set_debug, help="Show the traceback of an error.")]


def collect(kind: type[Options], flags: Mapping[str, Any]) -> Options:
    """The options object that a command's flags make: each field has the value of the flag of its name, and
    `load_options` that of the five flags that say how a face set is read."""
    names = [field.name for field in fields(kind)]  # type: ignore[arg-type]
    values = {**flags, "load_options": load_options(flags)} if "load_options" in names else flags
    return kind(**{name: values[name] for name in names})


def load_options(flags: Mapping[str, Any]) -> "LoadOptions | None":
    """How a face set is to be read, by the flags that were given; None where none of them was."""
    given = {name: flags[name] for name in ("labels", "keep_contempt", "subject_pattern", "subjects", "detect")}
    # a flag that is not set leaves what a run has in its config.yaml
    given = {name: str(value) if name == "subjects" else value for name, value in given.items() if value}
    if not given:
        return None
    from fercli.core.config import LoadOptions

    return LoadOptions(**given)
