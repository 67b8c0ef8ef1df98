"""Temperatures fitted on validation faces, one for each way to look at a face."""

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from fercli.metrics.calibration import fit_temperature
from fercli.models.classifier import logits


def fit_temperatures(network: nn.Module, faces: Tensor, labels: NDArray[np.int64]) -> dict[str, float]:
    """The temperatures of a network by views, for faces [N, 1, 48, 48] uint8 on its device that validate it."""
    return {
        views: fit_temperature(logits(network, faces, mirrored).cpu().numpy(), labels)
        for views, mirrored in (("single", False), ("mirrored", True))
    }
