"""The exponential moving average of the weights (EMA) that is validated and kept in place of the network itself."""

from collections.abc import Callable
from typing import Any

import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel


def make_ema(network: nn.Module, decay: float) -> AveragedModel:
    """A copy of the network whose weights follow it: `update_parameters` moves them by 1 - `decay` of the way.

    The decay grows to its full value, so that the untrained start is forgotten in short trainings too.
    """
    return AveragedModel(network, multi_avg_fn=_make_update(decay))


def _make_update(decay: float) -> Callable[..., None]:
    @torch.no_grad()
    def update(averaged: Any, current: Any, updates: Any) -> None:
        done = int(updates)
        torch._foreach_lerp_(averaged, current, 1 - min(decay, (1 + done) / (10 + done)))

    return update
