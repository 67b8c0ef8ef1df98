"""Several networks as one: the average of their calibrated probabilities."""

import math
import statistics
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from fercli.core.errors import ModelError
from fercli.models.weights import Header

#: What the header of an average names as its architecture.
AVERAGE = "average"


class Average(nn.Module):
    """Networks of the same classes, each with its temperature. Its logits are the logarithms of the mean of the
    members' calibrated probabilities, so that a softmax gives that mean and everything else treats it as any network.
    """

    def __init__(self, networks: Sequence[nn.Module], temperatures: Sequence[float]) -> None:
        super().__init__()
        self.networks = nn.ModuleList(networks)
        self.temperatures = tuple(temperatures)

    def forward(self, faces: Tensor) -> Tensor:
        """Faces [N, 1, 48, 48], uint8 or float of 0 to 255, to logits [N, classes]."""
        members = zip(self.networks, self.temperatures, strict=True)
        shares = torch.stack([F.log_softmax(network(faces) / temperature, dim=1) for network, temperature in members])
        return torch.logsumexp(shares, dim=0) - math.log(len(self.temperatures))


def average_header(headers: Sequence[Header]) -> Header:
    """The header of an average of two or more. Raises ModelError where their classes differ.

    Its temperature for mirrored views is what the members' rises or falls by, on the geometric mean: a network
    averaged with itself is that network.
    """
    first = headers[0]
    for other in headers[1:]:
        if other.classes != first.classes:
            raise ModelError(
                f"{first.model} knows {', '.join(first.classes)}; {other.model} knows {', '.join(other.classes)}: "
                "only networks of the same classes, in the same order, can be averaged"
            )
    ratios = [header.temperature["mirrored"] / header.temperature["single"] for header in headers]
    return Header(
        model="+".join(header.model for header in headers),
        architecture=AVERAGE,
        arguments={},
        input={},
        classes=first.classes,
        temperature={"single": 1.0, "mirrored": statistics.geometric_mean(ratios)},
        training={"members": [training for header in headers for training in trainings(header)]},
    )


def trainings(header: Header) -> list[dict[str, Any]]:
    """What is recorded of each training behind a network: one, or one for each member of an average."""
    recorded = header.training.get("members") if header.architecture == AVERAGE else None
    return list(recorded) if recorded else [{"model": header.model, **header.training}]
