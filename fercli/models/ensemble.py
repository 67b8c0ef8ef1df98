"""Several networks as one: the mean of their calibrated logits."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from fercli.core.errors import ModelError
from fercli.models.weights import ENSEMBLE, Header


class Ensemble(nn.Module):
    """Networks of the same classes, each with its temperature: the mean of their logits, each divided by it.

    It is the rule for the views of a face too (fercli.models.classifier), so views and networks are averaged in any
    order. docs/experiments.md has it beside the mean of probabilities.
    """

    def __init__(self, networks: Sequence[nn.Module], temperatures: Sequence[float]) -> None:
        super().__init__()
        self.networks = nn.ModuleList(networks)
        self.temperatures = tuple(temperatures)

    def forward(self, faces: Tensor) -> Tensor:
        """Faces [N, 1, 48, 48], uint8 or float of 0 to 255, to logits [N, classes]."""
        members = zip(self.networks, self.temperatures, strict=True)
        return torch.stack([network(faces).float() / temperature for network, temperature in members]).mean(dim=0)


def ensemble_header(headers: Sequence[Header]) -> Header:
    """The header of an ensemble of two or more. Raises ModelError where their classes differ.

    Its own temperature is 1 until one is fitted: an ensemble's confidence does not follow from its members'.
    """
    first = headers[0]
    for other in headers[1:]:
        if other.classes != first.classes:
            raise ModelError(
                f"{first.model} knows {', '.join(first.classes)}; {other.model} knows {', '.join(other.classes)}: "
                "only networks of the same classes, in the same order, can be averaged"
            )
    members = [training for header in headers for training in header.trainings]
    return Header(
        model="+".join(header.model for header in headers),
        architecture=ENSEMBLE,
        arguments={},
        input={},
        classes=first.classes,
        training={"members": members},
    )
