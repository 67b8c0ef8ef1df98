"""torchvision's ResNets with the heads of Li & Lima 2021, Li 2021 and Chen 2023.

Layers keep torchvision's names, so that ImageNet weights fit all of them but the head, `fc`.
"""

import torchvision
from torch import nn

from fercli.models.architectures import ARCHITECTURES
from fercli.models.layers import Dropout, batch_norm_1d, glorot_uniform_


@ARCHITECTURES.register("resnet")
def resnet(classes: int, backbone: str) -> nn.Module:
    """A ResNet of torchvision by its name there, e.g. 'resnet50', with one dense layer as its head.

    Takes scaled faces [N, 3, 48, 48], gives logits [N, classes].
    Source: Li & Lima 2021, doi 10.1016/j.ijcce.2021.02.002; Li 2021, EAI 8-4-2021.169180.
    """
    network: nn.Module = torchvision.models.get_model(backbone, weights=None, num_classes=classes)
    return network


def _mlp(inputs: int, width: int, classes: int) -> nn.Sequential:
    """norm → dense → [norm → ReLU → dropout → dense] ×2 → norm → ReLU → dropout → dense."""
    layers: list[nn.Module] = [batch_norm_1d(inputs), nn.Linear(inputs, width)]
    for outputs in (width, width, classes):
        layers += [batch_norm_1d(width), nn.ReLU(), Dropout(0.5), nn.Linear(width, outputs)]
    head = nn.Sequential(*layers)
    glorot_uniform_(head)
    return head


@ARCHITECTURES.register("resnet-mlp")
def resnet_mlp(classes: int, backbone: str) -> nn.Module:
    """A ResNet whose 2×2 maps go unpooled through dropout into a perceptron.

    Takes scaled faces [N, 3, 48, 48], gives logits [N, classes].
    Source: Chen 2023, doi 10.54254/2755-2721/22/20231168.
    """
    network = torchvision.models.get_model(backbone, weights=None)
    # torchvision flattens what `avgpool` leaves: 2×2 positions of each channel here
    network.avgpool = Dropout(0.5)
    network.fc = _mlp(network.fc.in_features * 4, 32, classes)
    out: nn.Module = network
    return out
