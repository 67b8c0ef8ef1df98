"""Pieces that several families share: Keras' conventions, in which three of the five papers were written."""

import math

import torch
from torch import Tensor, nn

#: Keras' default. PyTorch's is 1e-5.
_EPSILON = 1e-3

#: The standard deviation of a normal distribution cut off at two standard deviations.
_TRUNCATED_STD = 0.87962566103423978


def batch_norm(channels: int) -> nn.BatchNorm2d:
    """Batch norm with Keras' epsilon, 1e-3.

    Its momentum is PyTorch's 0.1 where Keras' default would be 0.01, and decides nothing: training computes the
    statistics anew before each validation (fercli.training.loop.update_batchnorm).
    """
    return nn.BatchNorm2d(channels, eps=_EPSILON)


def batch_norm_1d(features: int) -> nn.BatchNorm1d:
    """The same for vectors."""
    return nn.BatchNorm1d(features, eps=_EPSILON)


def parse_positions(text: str, count: int) -> tuple[int, ...]:
    """'2 4 6' as (2, 4, 6), 'none' as no position: the blocks of a network, from 1 to `count`, that have something.

    Raises ValueError for another form.
    """
    words = [] if text.strip() == "none" else text.split()
    positions = tuple(int(word) for word in words if word.isdecimal() and 1 <= int(word) <= count)
    if len(positions) < len(words) or len(set(positions)) < len(positions) or not text.strip():
        raise ValueError(f"'{text}' is neither 'none' nor different numbers from 1 to {count}, as '1 {count}'")
    return positions


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


@torch.library.custom_op("fercli::kept", mutates_args=(), tags=(torch.Tag.nondeterministic_seeded,))
def _kept(like: Tensor, fraction: float) -> Tensor:
    """Which numbers of a tensor on the CPU stay, about this fraction of them: bool, laid out like the tensor.

    Of torch's generator 16 bits are taken for each, so the fraction holds to 1/65536.
    """
    kept = torch.empty_like(like, dtype=torch.bool)
    bits = torch.empty(like.numel() // 4 + 1, dtype=torch.int64).random_(-(2**63), None).view(torch.int16)
    chosen = bits[: like.numel()] < round(fraction * 2**16) - 2**15
    return kept.copy_(chosen.as_strided(kept.shape, kept.stride()))  # drawn in the order of memory


@_kept.register_fake
def _(like: Tensor, fraction: float) -> Tensor:
    return torch.empty_like(like, dtype=torch.bool)


class Dropout(nn.Dropout):
    """Dropout. Compiled for training on a CPU it draws its mask by itself: the compiler's own way takes a quarter of a
    large network's step."""

    def forward(self, values: Tensor) -> Tensor:
        if not (self.training and self.p and values.device.type == "cpu" and torch.compiler.is_compiling()):
            return super().forward(values)
        dropped: Tensor = values * _kept(values, 1 - self.p) * (1 / (1 - self.p))
        return dropped
