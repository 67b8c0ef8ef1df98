"""The networks of Bah & Xue 2022: a plain VGG-like stack, and the same with three residual blocks."""

from typing import Annotated, Literal

from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional as F

from fercli.models.architectures import ARCHITECTURES
from fercli.models.layers import Dropout, batch_norm, he_normal_, parse_positions

#: max-pool, and whether the second dropout is taken: the paper's stages, row by row.
STAGES = ((False, False), (True, False), (True, False), (True, False), (True, True), (True, True))


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
def bah(
    classes: int,
    residual: bool,
    width: Annotated[int, Field(ge=4, le=256)] = 16,
    growth: Annotated[float, Field(ge=1, le=3)] = 2.0,
    depth: Annotated[int, Field(ge=1, le=8)] = 2,
    kernel: Literal[1, 3, 5, 7, 9, 11] = 5,
    residual_after: str = "2 4 6",
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.3,
    late_dropout: Annotated[float, Field(ge=0, lt=1)] = 0.4,
) -> nn.Module:
    """The paper's network with (`bah-resnet`) or without (`bah-basic`) its three residual blocks.

    The other arguments vary it; their defaults are the paper's values. The first stage has `width` channels, each
    later one `growth` times as many as the one before. A stage has `depth` convolutions, 3×3 but in the first, where
    `kernel` is their side. Residual blocks follow the stages `residual_after`, as '2 4 6', or 'none'. The last two
    stages drop `late_dropout`, the others `dropout`.

    Takes scaled faces [N, 1, 48, 48], gives logits [N, classes].
    Source: Bah & Xue 2022, doi 10.20517/ir.2021.16.
    """
    followed = parse_positions(residual_after, len(STAGES)) if residual else ()
    layers: list[nn.Module] = []
    inputs = 1
    for stage, (pooled, late) in enumerate(STAGES, 1):
        channels, side = round(width * growth ** (stage - 1)), kernel if stage == 1 else 3
        layers += [_plain(inputs if each == 0 else channels, channels, side) for each in range(depth)]
        layers += [nn.MaxPool2d(2)] if pooled else []
        layers += [Dropout(late_dropout if late else dropout)]
        layers += [Residual(channels)] if stage in followed else []
        inputs = channels
    layers += [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(inputs, classes)]
    network = nn.Sequential(*layers)
    he_normal_(network)
    return network
