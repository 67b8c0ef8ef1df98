"""The networks of Arriaga, Valdenegro-Toro and Plöger (arXiv 1710.07557), which Xu et al. 2021 compare with.

Their `block` is a convolution with bias and a norm, nothing between one block and the next; an activation
stands only where a stage ends.
"""

from torch import Tensor, nn

from fercli.models.architectures import ARCHITECTURES
from fercli.models.layers import Dropout, batch_norm, glorot_uniform_


def _block(inputs: int, outputs: int, kernel: int, stride: int = 1) -> nn.Sequential:
    """conv → norm."""
    convolution = nn.Conv2d(inputs, outputs, kernel, stride, padding=kernel // 2)
    return nn.Sequential(convolution, batch_norm(outputs))


@ARCHITECTURES.register("simple-cnn")
def simple_cnn(classes: int) -> nn.Module:
    """Four stages of two blocks with average pooling and dropout 0.5, then one map a class, averaged.

    Takes scaled faces [N, 1, 48, 48], gives logits [N, classes].
    """
    layers: list[nn.Module] = []
    inputs = 1
    for channels, kernel in ((16, 7), (32, 5), (64, 3), (128, 3)):
        layers += [_block(inputs, channels, kernel), _block(channels, channels, kernel)]
        layers += [nn.ReLU(), nn.AvgPool2d(2), Dropout(0.5)]
        inputs = channels
    layers += [_block(inputs, 256, 3), nn.Conv2d(256, classes, 3, padding=1), nn.AdaptiveAvgPool2d(1), nn.Flatten()]
    network = nn.Sequential(*layers)
    glorot_uniform_(network)
    return network


@ARCHITECTURES.register("simpler-cnn")
def simpler_cnn(classes: int) -> nn.Module:
    """Strides instead of pooling, dropout 0.25, down to one position a class.

    Takes scaled faces [N, 1, 48, 48], gives logits [N, classes].
    """
    layers: list[nn.Module] = []
    inputs = 1
    for first, second, kernel in ((16, 16, 5), (32, 32, 5), (64, 64, 3)):
        layers += [_block(inputs, first, kernel), _block(first, second, kernel, 2), nn.ReLU(), Dropout(0.25)]
        inputs = second
    layers += [_block(64, 64, 1), _block(64, 128, 3, 2), nn.ReLU(), Dropout(0.25)]
    layers += [_block(128, 256, 1), nn.Conv2d(256, 128, 3, 2, padding=1)]
    layers += [_block(128, 256, 1), nn.Conv2d(256, classes, 3, 2, padding=1), nn.Flatten()]
    network = nn.Sequential(*layers)
    glorot_uniform_(network)
    return network


def _separable(inputs: int, outputs: int) -> nn.Sequential:
    """Depthwise 3×3, then 1×1, neither with a bias."""
    return nn.Sequential(
        nn.Conv2d(inputs, inputs, 3, padding=1, groups=inputs, bias=False),
        nn.Conv2d(inputs, outputs, 1, bias=False),
    )


class SeparableResidual(nn.Module):
    """Two separable convolutions and a max-pool of stride 2, plus a 1×1 shortcut of stride 2."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.shortcut = nn.Sequential(nn.Conv2d(inputs, outputs, 1, 2, bias=False), batch_norm(outputs))
        self.main = nn.Sequential(
            _separable(inputs, outputs),
            batch_norm(outputs),
            nn.ReLU(),
            _separable(outputs, outputs),
            batch_norm(outputs),
            nn.MaxPool2d(3, 2, padding=1),
        )

    def forward(self, maps: Tensor) -> Tensor:
        out: Tensor = self.main(maps) + self.shortcut(maps)
        return out


@ARCHITECTURES.register("mini-xception")
def mini_xception(classes: int) -> nn.Module:
    """Two plain convolutions, four residual separable stages, one map a class, averaged.

    Takes scaled faces [N, 1, 48, 48], gives logits [N, classes].
    """
    layers: list[nn.Module] = []
    for inputs in (1, 8):
        layers += [nn.Conv2d(inputs, 8, 3, bias=False), batch_norm(8), nn.ReLU()]
    layers += [SeparableResidual(inputs, outputs) for inputs, outputs in ((8, 16), (16, 32), (32, 64), (64, 128))]
    layers += [nn.Conv2d(128, classes, 3, padding=1), nn.AdaptiveAvgPool2d(1), nn.Flatten()]
    network = nn.Sequential(*layers)
    glorot_uniform_(network)
    return network
