"""The networks of Bah & Xue 2022: a plain VGG-like stack, and the same with three residual blocks."""

from torch import Tensor, nn
from torch.nn import functional as F

from fercli.models.architectures import ARCHITECTURES
from fercli.models.layers import Dropout, batch_norm, he_normal_

#: channels, kernel, max-pool, dropout, whether a residual block follows: the paper's stages, row by row.
STAGES = (
    (16, 5, False, 0.3, False),
    (32, 3, True, 0.3, True),
    (64, 3, True, 0.3, False),
    (128, 3, True, 0.3, True),
    (256, 3, True, 0.4, False),
    (512, 3, True, 0.4, True),
)


class Residual(nn.Module):
    """conv → norm → ReLU → conv → norm → add the input → ReLU; norm stands before the activation here."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(channels, channels, 3, padding=1),
            batch_norm(channels),
            nn.ReLU(),
            nn.Conv2d(channels, channels, 3, padding=1),
            batch_norm(channels),
        )

    def forward(self, maps: Tensor) -> Tensor:
        return F.relu(maps + self.layers(maps))


def _plain(inputs: int, outputs: int, kernel: int) -> nn.Sequential:
    """conv → ReLU → norm: in the plain part norm comes after the activation."""
    return nn.Sequential(nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2), nn.ReLU(), batch_norm(outputs))


@ARCHITECTURES.register("bah")
def bah(classes: int, residual: bool) -> nn.Module:
    """The paper's network with (`bah-resnet`) or without (`bah-basic`) its three residual blocks.

    Takes scaled faces [N, 1, 48, 48], gives logits [N, classes].
    Source: Bah & Xue 2022, doi 10.20517/ir.2021.16.
    """
    layers: list[nn.Module] = []
    inputs = 1
    for channels, kernel, pooled, dropout, followed in STAGES:
        layers += [_plain(inputs, channels, kernel), _plain(channels, channels, kernel)]
        layers += [nn.MaxPool2d(2)] if pooled else []
        layers += [Dropout(dropout)]
        layers += [Residual(channels)] if followed and residual else []
        inputs = channels
    layers += [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(inputs, classes)]
    network = nn.Sequential(*layers)
    he_normal_(network)
    return network
