"""Optimisers and learning-rate schedules by the names that recipes use."""

import math
from collections.abc import Iterable

from torch import nn, optim
from torch.optim.lr_scheduler import LambdaLR, LRScheduler, ReduceLROnPlateau

from fercli.core.recipe import Optimizer, Schedule


def make_optimizer(parameters: Iterable[nn.Parameter], settings: Optimizer) -> optim.Optimizer:
    """The optimiser over the parameters that are trained.

    Fused where PyTorch has it: a small network has many small tensors, and a loop over them shows.
    """
    trained = [parameter for parameter in parameters if parameter.requires_grad]
    rate, decay = settings.lr, settings.weight_decay
    match settings.name:
        case "sgd":
            return optim.SGD(
                trained, rate, settings.momentum, weight_decay=decay, nesterov=settings.nesterov, fused=True
            )
        case "rmsprop":
            return optim.RMSprop(trained, rate, eps=settings.eps, weight_decay=decay, momentum=settings.momentum)
        case "adam":
            return optim.Adam(trained, rate, settings.betas, settings.eps, decay, fused=True)
        case "adamw":
            return optim.AdamW(trained, rate, settings.betas, settings.eps, decay, fused=True)
        case "nadam":
            return optim.NAdam(trained, rate, settings.betas, settings.eps, decay)


def make_schedule(optimizer: optim.Optimizer, settings: Schedule, steps: int) -> LRScheduler | ReduceLROnPlateau:
    """The schedule for a training of `steps` steps.

    A plateau schedule is stepped once an epoch with the validation accuracy, any other once a step.
    """
    if settings.name == "plateau":
        # Keras lowers the rate in the epoch that fills the patience, PyTorch in the one after it
        patience = settings.patience - 1
        return ReduceLROnPlateau(
            optimizer, "max", factor=settings.factor, patience=patience, min_lr=settings.min_lr, threshold=0
        )
    return LambdaLR(optimizer, lambda step: _rate(settings, step, steps))


def _rate(settings: Schedule, step: int, steps: int) -> float:
    """The fraction of the full rate at a step.

    Cosine and one-cycle differ in how they rise (a straight line; a half cosine from 1/25, as in Smith's
    one-cycle policy, arXiv 1708.07120); both fall along a half cosine to zero.
    """
    if settings.name == "constant":
        return 1.0
    rise = settings.warmup * steps
    if step < rise:
        done = step / rise
        return min(1.0, done + 1 / rise) if settings.name == "cosine" else _between(1 / 25, 1.0, done)
    return _between(1.0, 0.0, min(1.0, (step - rise) / max(1.0, steps - rise)))


def _between(start: float, end: float, done: float) -> float:
    """From start to end along a half cosine."""
    return end + (start - end) * (1 + math.cos(math.pi * done)) / 2
