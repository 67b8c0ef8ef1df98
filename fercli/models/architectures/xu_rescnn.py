"""The residual separable network of Xu et al. 2021: MobileNetV3's blocks on 48×48 faces, 55,000 parameters.

What the paper leaves open or prints twice differently is decided in models.yaml's note.
"""

from torch import Tensor, nn

from fercli.models.architectures import ARCHITECTURES
from fercli.models.layers import Conv2d, batch_norm, he_normal_

#: in, expanded, out, kernel, stride, squeeze-and-excitation: the paper's table, row by row.
BLOCKS = (
    (16, 16, 16, 3, 1, False),
    (16, 32, 24, 3, 2, False),
    (24, 64, 24, 3, 1, False),
    (24, 64, 40, 5, 2, True),
    (40, 72, 40, 5, 1, True),
    (40, 88, 40, 5, 1, True),
)


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
def xu_rescnn(classes: int, squeeze_multiple: int = 1, squeeze_bias: bool = True, last_norm: bool = True) -> nn.Module:
    """The network of the paper's table, with what the table leaves open as arguments.

    `squeeze_multiple` is what the width of a gate is rounded to, `squeeze_bias` whether its dense layers have biases,
    `last_norm` whether a norm follows the 1×1 convolution to 256 channels.

    Takes scaled faces [N, 1, 48, 48], gives logits [N, classes].
    Source: Xu et al. 2021, 'residual separable network'; gates as in MobileNetV3 (arXiv 1905.02244).
    """

    def block(inputs: int, expanded: int, outputs: int, kernel: int, stride: int, gated: bool) -> nn.Module:
        width = squeeze_width(expanded, squeeze_multiple)
        gate = SqueezeExcitation(expanded, width, squeeze_bias) if gated else nn.Identity()
        return InvertedResidual(inputs, expanded, outputs, kernel, stride, gate)

    network = nn.Sequential(
        Conv2d(1, 16, 3, stride=2, padding=1),
        batch_norm(16),
        nn.Hardswish(),
        *(block(*row) for row in BLOCKS),
        Conv2d(40, 256, 1),
        batch_norm(256) if last_norm else nn.Identity(),
        nn.Hardswish(),
        nn.AdaptiveAvgPool2d(1),
        nn.Conv2d(256, classes, 1),
        nn.Flatten(),
    )
    he_normal_(network)
    return network
