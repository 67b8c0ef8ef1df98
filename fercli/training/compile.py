"""torch.compile where it earns its warm-up and this machine can do it."""

import copy
import platform
import shutil
from typing import cast

import torch
from torch import Tensor, nn

from fercli.core.progress import Progress
from fercli.training.device import Precision, autocast

#: Faces times epochs from which compiling is worth its warm-up, by judgement: minutes of training against a
#: warm-up that benchmarks/training.py times apart.
WORTH_IT = 200_000


def should_compile(faces: int, epochs: int, device: torch.device) -> bool:
    """Whether a training of so many faces and epochs is long enough to compile for, decided from the settings
    alone so that a repeated or resumed run decides the same."""
    if faces * epochs < WORTH_IT or device.type == "mps" or platform.system() == "Windows":
        return False
    return any(shutil.which(compiler) for compiler in ("g++", "clang++"))


def compiled(network: nn.Module, faces: Tensor, precision: Precision, progress: Progress) -> nn.Module:
    """The network, in training mode, compiled for batches like `faces`, sharing its weights; itself where
    compiling fails.

    The warm-up is a forward and a backward pass in that precision; what it changes is put back.
    """
    before = copy.deepcopy(network.state_dict())
    progress.say("compiling the network, once …")
    faster = _compiled(network, faces, precision, progress)
    network.load_state_dict(before)
    network.zero_grad(set_to_none=True)
    return faster


def compiled_teacher(teacher: nn.Module, faces: Tensor, progress: Progress) -> nn.Module:
    """The same for a network that is only asked, in a precision of its own."""
    progress.say("compiling the teacher, once …")
    return _compiled(teacher, faces, "fp32", progress)


def _compiled(network: nn.Module, faces: Tensor, precision: Precision, progress: Progress) -> nn.Module:
    faster = cast(nn.Module, torch.compile(network))
    try:
        with autocast(faces.device, precision):
            out = faster(faces.float())
        if out.requires_grad:
            out.float().sum().backward()
    except Exception as error:  # whatever a missing compiler or header makes the backend raise
        progress.say(f"torch.compile does not work here ({type(error).__name__}): going on without, more slowly")
        return network
    return faster
