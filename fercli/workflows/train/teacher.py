"""The trained model, or ensemble, that a training learns from beside its labels."""

from collections.abc import Sequence
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray

from fercli.core.errors import ModelError, UsageError
from fercli.core.files import file_digest
from fercli.data.faceset import FaceSet
from fercli.data.splits import split_digest
from fercli.models.catalogue import load_catalogue
from fercli.models.load import Model, load_model
from fercli.models.locate import member_names, weights_path
from fercli.models.weights import ONNX_SUFFIX
from fercli.training.device import resolve_precision
from fercli.training.distillation import Teacher


def load_teacher(
    name: str, classes: Sequence[str], device: torch.device, precision: Literal["auto", "fp32", "bf16"] = "auto"
) -> tuple[Teacher, Model]:
    """The teacher of that name (as `load_model` takes it) for a network with these classes, and the model that it is.
    A precision of 'auto' is what is fastest for the teacher, whatever it is for who learns.

    Raises ModelError where there is none or its classes are others, UsageError for one that PyTorch does not run.
    """
    if any(member.lower().endswith(ONNX_SUFFIX) for member in member_names(name)):
        raise UsageError(f"--teacher {name}: a teacher runs in PyTorch: name the weights it was exported from")
    model = load_model(name, device)
    if model.classes != tuple(classes):
        raise ModelError(
            f"--teacher {name} knows {', '.join(model.classes)}; what is trained here {', '.join(classes)}: they must "
            "have the same classes in the same order"
        )
    known = load_catalogue().models
    entries = [known.get(training["model"]) for training in model.header.trainings]
    gains = all(entry is not None and entry.bf16_on_cpu for entry in entries)
    return Teacher(model.network, model.temperature, resolve_precision(precision, device, gains)), model


def teacher_record(name: str) -> str:
    """The teacher's name and its files' digests, for a run's records."""
    digests = (file_digest(weights_path(member)) for member in member_names(name))
    return f"{name}, sha256 {' + '.join(digests)}"


def teacher_note(model: Model, faces: FaceSet, splits: NDArray[np.str_]) -> str:
    """What must be said where a teacher may have seen the faces that validate or test; empty where it has not."""
    digest = split_digest(faces, splits)
    if all(training.get("split") == digest for training in model.header.trainings):
        return ""
    return (
        f"the teacher {model.path} was not trained on this very split: it may know the val and test faces, which would "
        "make the figures too high"
    )
