"""Plain stacks of convolutions after VGG, for 48×48 faces: many multiply-adds for few parameters.

None of the five papers has them. They are here for accuracy. What they have of Khaireddin & Chen 2021 (arXiv
2105.03588), who report a VGG-like network on FER2013, is the kind: stages of two or three 3×3 convolutions with batch
norm, max pooling after each, dense layers with dropout.
"""

from typing import Annotated

from pydantic import Field
from torch import nn

from fercli.models.architectures import ARCHITECTURES
from fercli.models.layers import Dropout

#: Channels of each stage as multiples of the first one's, and its convolutions. Each ends with half the side.
STAGES = ((1, 2), (2, 2), (4, 3), (8, 3), (12, 2))


@ARCHITECTURES.register("vgg")
def vgg(
    classes: int,
    width: Annotated[int, Field(ge=4, le=256)],
    hidden: Annotated[int, Field(ge=8, le=4096)] = 256,
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.2,
) -> nn.Module:
    """Five stages of convolutions 3×3, each with batch norm and ReLU, from `width` channels up; max pooling and dropout
    after each; a dense layer of `hidden` units with batch norm and dropout; dense.

    Takes scaled faces [N, 1, 48, 48], gives logits [N, classes].
    """
    layers: list[nn.Module] = []
    inputs = 1
    for multiple, convolutions in STAGES:
        outputs = width * multiple
        for _ in range(convolutions):
            layers += [nn.Conv2d(inputs, outputs, 3, padding=1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU()]
            inputs = outputs
        layers += [nn.MaxPool2d(2), Dropout(dropout)]
    layers += [nn.Flatten(), nn.Linear(inputs, hidden, bias=False), nn.BatchNorm1d(hidden), nn.ReLU(), Dropout(dropout)]
    layers += [nn.Linear(hidden, classes)]
    network = nn.Sequential(*layers)
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d):
            nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu")
    return network
