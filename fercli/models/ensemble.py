"""Several networks as one: the mean of their calibrated logits."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn


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
