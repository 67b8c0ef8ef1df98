"""Layers that a recipe keeps as they are."""

from collections.abc import Sequence

from torch import nn

from fercli.core.errors import UsageError


def freeze(body: nn.Module, names: Sequence[str]) -> None:
    """Take the weights of these layers, and of all below them, out of training. Raises UsageError for a name
    that the network does not have."""
    for name in names:
        _layer(body, name).requires_grad_(False)


def train_mode(body: nn.Module, names: Sequence[str]) -> None:
    """Training mode for all but these layers: their norms keep their statistics, their dropout is off."""
    body.train()
    for name in names:
        _layer(body, name).eval()


def _layer(body: nn.Module, name: str) -> nn.Module:
    try:
        return body.get_submodule(name)
    except AttributeError as error:
        first = ", ".join(child for child, _ in body.named_children())
        raise UsageError(f"recipe.frozen: the network has no layer '{name}'; it begins with {first}") from error
