"""A network's start from one that is trained already: its weights, and of its head what it knows of the new classes."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from fercli.core.errors import ModelError
from fercli.models.load import Model


def take_weights(network: nn.Module, start: Model, classes: Sequence[str], sizes: Sequence[nn.Module]) -> int:
    """Give a network the weights of a trained one; how many of its `classes` the head takes over, by their names.

    What depends on the number of classes is the head: rows of classes that the trained network knows are copied, the
    others stay as they were drawn. `sizes` are two networks of the same architecture that differ in that number alone.
    Raises ModelError where the two are of different architectures.
    """
    head = _find_head(*sizes)
    ours, theirs = network.state_dict(), start.network.state_dict()
    if ours.keys() != theirs.keys() or any(ours[name].shape != theirs[name].shape for name in ours.keys() - head):
        raise ModelError(f"--start-from {start.path} is another kind of network ({start.name}): leave --model out")
    known = [(new, start.classes.index(name)) for new, name in enumerate(classes) if name in start.classes]
    with torch.no_grad():
        for name, value in ours.items():
            if name not in head:
                value.copy_(theirs[name])
            elif known:
                new, old = zip(*known, strict=True)
                value[list(new)] = theirs[name][list(old)].to(value)
    return len(known)


def _find_head(one: nn.Module, other: nn.Module) -> set[str]:
    """The tensors that differ in shape between two networks."""
    shapes: list[dict[str, Tensor]] = [dict(network.state_dict()) for network in (one, other)]
    return {name for name, value in shapes[0].items() if value.shape != shapes[1][name].shape}
