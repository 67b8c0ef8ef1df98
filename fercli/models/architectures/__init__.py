"""One file a family of networks. Every file here is imported, so that adding a family takes no other edit."""

import importlib
import pkgutil
from collections.abc import Callable

from torch import nn

from fercli.core.registry import Registry

#: Functions that build a network body: arguments from models.yaml in, a module from scaled faces
#: [N, 1, 48, 48] float to logits [N, classes] out.
ARCHITECTURES: Registry[Callable[..., nn.Module]] = Registry("architecture")


def load_architectures() -> Registry[Callable[..., nn.Module]]:
    """The registry, with every family of this folder in it."""
    for module in pkgutil.iter_modules(__path__):
        importlib.import_module(f"{__name__}.{module.name}")
    return ARCHITECTURES
