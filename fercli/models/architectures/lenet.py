"""LeNet-5's plan on 48×48 faces, as Xu et al. 2021 compare with; what they built is not specified."""

from torch import nn

from fercli.models.architectures import ARCHITECTURES
from fercli.models.layers import glorot_uniform_


@ARCHITECTURES.register("lenet")
def lenet(classes: int) -> nn.Module:
    """Two convolutions with tanh and average pooling, three dense layers.

    Takes scaled faces [N, 1, 48, 48], gives logits [N, classes].
    Source: LeCun et al. 1998, doi 10.1109/5.726791, without its sparse connections and radial output.
    """
    network = nn.Sequential(
        nn.Conv2d(1, 6, 5),
        nn.Tanh(),
        nn.AvgPool2d(2),
        nn.Conv2d(6, 16, 5),
        nn.Tanh(),
        nn.AvgPool2d(2),
        nn.Flatten(),
        nn.Linear(16 * 9 * 9, 120),
        nn.Tanh(),
        nn.Linear(120, 84),
        nn.Tanh(),
        nn.Linear(84, classes),
    )
    glorot_uniform_(network)
    return network
