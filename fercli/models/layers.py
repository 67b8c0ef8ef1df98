"""Pieces that several families share: Keras' conventions, in which three of the five papers were written."""

import math

import torch
from torch import Tensor, nn

#: Keras counts what is kept of the old statistics (0.99), PyTorch what is taken of the new.
KERAS_NORM = {"momentum": 0.01, "eps": 1e-3}

#: The standard deviation of a normal distribution cut off at two standard deviations.
_TRUNCATED_STD = 0.87962566103423978


def batch_norm(channels: int) -> nn.BatchNorm2d:
    """Batch norm with Keras' defaults: momentum 0.99 (PyTorch's 0.01), epsilon 1e-3."""
    return nn.BatchNorm2d(channels, momentum=KERAS_NORM["momentum"], eps=KERAS_NORM["eps"])


def batch_norm_1d(features: int) -> nn.BatchNorm1d:
    """The same for vectors."""
    return nn.BatchNorm1d(features, momentum=KERAS_NORM["momentum"], eps=KERAS_NORM["eps"])


def he_normal_(module: nn.Module) -> None:
    """Keras' `he_normal` in place, for every convolution and dense layer below: a normal distribution
    truncated at two standard deviations whose standard deviation is sqrt(2 / fan-in), and zero biases."""
    for layer in module.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            fan_in = layer.weight[0].numel()
            std = math.sqrt(2 / fan_in) / _TRUNCATED_STD
            nn.init.trunc_normal_(layer.weight, std=std, a=-2 * std, b=2 * std)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)


def glorot_uniform_(module: nn.Module) -> None:
    """Keras' default start in place, for every convolution and dense layer below: uniform within
    ±sqrt(6 / (fan-in + fan-out)), zero biases."""
    for layer in module.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            nn.init.xavier_uniform_(layer.weight)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)


class Conv2d(nn.Conv2d):
    """A convolution with a bias that a norm follows.

    Compiled for training it adds the bias apart: the compiler then merges the addition, and the summing up of the
    bias' gradient, with the norm's own passes over the map, instead of paying for passes of their own.
    """

    def forward(self, maps: Tensor) -> Tensor:
        if self.bias is None or not (self.training and torch.compiler.is_compiling()):
            return super().forward(maps)
        convolved: Tensor = self._conv_forward(maps, self.weight, None)
        return convolved + self.bias.to(convolved.dtype).view(-1, 1, 1)
