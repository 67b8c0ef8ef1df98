"""The residual separable network of Xu et al. 2021: MobileNetV3's blocks on 48×48 faces, 55,000 parameters.

What the paper leaves open or prints twice differently is decided in models.yaml's note.
"""

from typing import Annotated, Literal

from pydantic import Field
from torch import Tensor, nn

from fercli.models.architectures import ARCHITECTURES
from fercli.models.layers import Conv2d, batch_norm, he_normal_, parse_positions

#: expanded, out, stride, and whether the larger kernel is taken: the paper's table, row by row.
BLOCKS = (
    (16, 16, 1, False),
    (32, 24, 2, False),
    (64, 24, 1, False),
    (64, 40, 2, True),
    (72, 40, 1, True),
    (88, 40, 1, True),
)


def round_channels(channels: float) -> int:
    """Rounded to a multiple of 8, as MobileNetV3 does, and 8 at least."""
    return max(8, int(channels + 4) // 8 * 8)


def squeeze_width(channels: int, multiple: int) -> int:
    """A quarter of the channels, rounded to a multiple as MobileNetV3 does: never by more than a tenth downwards."""
    quarter = channels / 4
    width = max(multiple, int(quarter + multiple / 2) // multiple * multiple)
    return width + multiple if width < 0.9 * quarter else width


class SqueezeExcitation(nn.Module):
    """Channel gates from the pooled map: pool → dense (`width`) → ReLU → dense → hard-sigmoid."""

    def __init__(self, channels: int, width: int, bias: bool) -> None:
        super().__init__()
        self.gate = nn.Sequential(
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            nn.Linear(channels, width, bias),
            nn.ReLU(),
            nn.Linear(width, channels, bias),
            nn.Hardsigmoid(),
        )

    def forward(self, maps: Tensor) -> Tensor:
        out: Tensor = maps * self.gate(maps)[:, :, None, None]
        return out


class InvertedResidual(nn.Module):
    """1×1 expand → k×k depthwise → `gate` → 1×1 project, each with norm; plus the input where shape allows."""

    def __init__(self, inputs: int, expanded: int, outputs: int, kernel: int, stride: int, gate: nn.Module) -> None:
        super().__init__()
        depthwise = Conv2d(expanded, expanded, kernel, stride, padding=kernel // 2, groups=expanded)
        self.layers = nn.Sequential(
            Conv2d(inputs, expanded, 1),
            batch_norm(expanded),
            nn.ReLU(),
            depthwise,
            batch_norm(expanded),
            nn.ReLU(),
            gate,
            Conv2d(expanded, outputs, 1),
            batch_norm(outputs),
        )
        self.keeps_shape = stride == 1 and inputs == outputs

    def forward(self, maps: Tensor) -> Tensor:
        out: Tensor = self.layers(maps)
        return maps + out if self.keeps_shape else out


@ARCHITECTURES.register("xu-rescnn")
def xu_rescnn(
    classes: int,
    squeeze_multiple: Annotated[int, Field(ge=1, le=64)] = 1,
    squeeze_bias: bool = True,
    last_norm: bool = True,
    width: Annotated[float, Field(gt=0, le=8)] = 1.0,
    expansion: Annotated[float, Field(gt=0, le=8)] = 1.0,
    kernel: Literal[1, 3, 5, 7, 9, 11] = 5,
    gated: str = "4 5 6",
    head: Annotated[int, Field(ge=8, le=4096)] = 256,
) -> nn.Module:
    """The network of the paper's table, with what the table leaves open as arguments.

    `squeeze_multiple` is what the width of a gate is rounded to, `squeeze_bias` whether its dense layers have biases,
    `last_norm` whether a norm follows the 1×1 convolution to 256 channels.

    The other arguments vary the network; their defaults are the paper's values. `width` multiplies the channels of all
    blocks, `expansion` those inside them, both rounded to multiples of 8. `kernel` is the side of the last three
    depthwise convolutions, `gated` the blocks with squeeze-and-excitation, as '4 5 6', or 'none', `head` the channels
    before the last layer.

    Takes scaled faces [N, 1, 48, 48], gives logits [N, classes].
    Source: Xu et al. 2021, 'residual separable network'; gates as in MobileNetV3 (arXiv 1905.02244).
    """
    with_gate = parse_positions(gated, len(BLOCKS))
    inputs = stem = round_channels(16 * width)
    blocks = []
    for number, (inner, outer, stride, larger) in enumerate(BLOCKS, 1):
        expanded, outputs = round_channels(inner * width * expansion), round_channels(outer * width)
        squeezed = squeeze_width(expanded, squeeze_multiple)
        gate = SqueezeExcitation(expanded, squeezed, squeeze_bias) if number in with_gate else nn.Identity()
        blocks.append(InvertedResidual(inputs, expanded, outputs, kernel if larger else 3, stride, gate))
        inputs = outputs
    network = nn.Sequential(
        Conv2d(1, stem, 3, stride=2, padding=1),
        batch_norm(stem),
        nn.Hardswish(),
        *blocks,
        Conv2d(inputs, head, 1),
        batch_norm(head) if last_norm else nn.Identity(),
        nn.Hardswish(),
        nn.AdaptiveAvgPool2d(1),
        nn.Conv2d(head, classes, 1),
        nn.Flatten(),
    )
    he_normal_(network)
    return network
