"""What is done with a file that may be damaged: the public entry that reads it, in a worker process.

Each takes the path of the file, in a copy of its folder, and gives the messages that a user would read. They raise
FerError where the file is refused.
"""

import os
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from torch import nn

import fercli
from benchmarks.faults.inputs import FACES
from fercli.core.config import LoadOptions
from fercli.models.catalogue import load_catalogue
from fercli.models.pretrained import load_imagenet
from fercli.workflows.crossval.options import CrossvalOptions
from fercli.workflows.crossval.run import crossval
from fercli.workflows.crossval.settings import read_crossval
from fercli.workflows.evaluate.options import EvaluateOptions
from fercli.workflows.evaluate.run import evaluate
from fercli.workflows.run_folder import read_config
from fercli.workflows.train.options import TrainOptions
from fercli.workflows.train.run import train

_IMAGES = np.random.default_rng(0).integers(0, 256, (3, 1, 48, 48), np.uint8)


def inputs() -> Path:
    """The folder of the good files."""
    return Path(os.environ["FAULTS_INPUTS"])


def small_faces() -> str:
    """The path of the good face set."""
    return str(inputs() / FACES)


def small_network() -> nn.Module:
    """A network with a head as torchvision's have it."""
    return nn.Sequential(OrderedDict(conv1=nn.Conv2d(1, 2, 3), bn1=nn.BatchNorm2d(2), fc=nn.Linear(2, 3)))


def predict_file(path: Path) -> list[str]:
    """Pictures, archives and films: each picture in them one face. Raises AssertionError where none has a result."""
    results = list(fercli.predict(path, faces_are_cropped=True, device="cpu"))
    assert results, "it has no result"
    return [result.message for result in results if result.message]


def load_set(path: Path) -> list[str]:
    """A face set by its path. The notes in a face file are its own words, not ours."""
    notes = fercli.load_faces(str(path)).notes
    return [] if path.suffix == ".safetensors" else list(notes)


def load_votes(path: Path) -> list[str]:
    """FER2013 with FER+'s votes, one of the two damaged."""
    return list(fercli.load_faces("fer2013", path.parent, LoadOptions(labels="ferplus")).notes)


def load_subjects(path: Path) -> list[str]:
    """A good face set with a damaged table of its subjects."""
    return list(fercli.load_faces(small_faces(), options=LoadOptions(subjects=str(path))).notes)


def use_model(path: Path) -> list[str]:
    """A weights or ONNX file: probabilities, then the figures of `fer eval`."""
    model = fercli.load_model(str(path))
    model.probabilities(_IMAGES)
    return list(evaluate(EvaluateOptions(model=str(path), data=small_faces(), device="cpu")).notes)


def use_state(path: Path) -> list[str]:
    """A state dict for --pretrained-file."""
    load_imagenet(small_network(), "ResNet18_Weights.IMAGENET1K_V1", path)
    return []


def read_settings(path: Path) -> list[str]:
    """models.yaml, config.yaml or crossval.yaml."""
    readers: dict[str, Callable[[Path], Any]] = {
        "models.yaml": load_catalogue,
        "config.yaml": read_config,
        "crossval.yaml": read_crossval,
    }
    readers[path.name](path)
    return []


def resume_run(path: Path) -> list[str]:
    """A file of an interrupted run."""
    train(TrainOptions(out=path.parent, resume=True))
    return []


def evaluate_run(path: Path) -> list[str]:
    """A file of a finished run."""
    return list(evaluate(EvaluateOptions(model=str(path.parent), device="cpu")).notes)


def resume_crossval(path: Path) -> list[str]:
    """A file of a cross-validation whose folds are all done."""
    folder = next(place for place in path.parents if (place / "crossval.yaml").exists())
    return list(crossval(CrossvalOptions(out=folder, resume=True, jobs=1)).notes)


def read_rows(path: Path) -> list[str]:
    """Predictions of any form. Their messages are the file's, not ours."""
    for _ in fercli.read_predictions(path):
        pass
    return []


def resume_job(path: Path) -> list[str]:
    """A job whose file of rows, or the record beside it, is damaged."""
    output = path.with_suffix("") if path.suffix == ".job" else path
    fercli.predict_files(path.parent / "photos", output, resume=True, faces_are_cropped=True, device="cpu")
    return []


def read_list(path: Path) -> list[str]:
    """A list of paths for --from-file."""
    fercli.predict_files([], path.with_name("out.csv"), from_file=path, faces_are_cropped=True, device="cpu")
    return []


def run_python(path: Path) -> list[str]:
    """Whatever a test wants: it holds the campaign itself to its rules."""
    exec(path.read_text())
    return []


CALLS: dict[str, Callable[[Path], list[str]]] = {
    call.__name__: call
    for call in (
        predict_file, load_set, load_votes, load_subjects, use_model, use_state, read_settings, resume_run,
        evaluate_run, resume_crossval, read_rows, resume_job, read_list, run_python,
    )
}  # fmt: skip
