"""Residual networks with norm and activation before each convolution, small enough to train on a CPU.

None of the five papers has them. They are here for accuracy: as the teacher of a smaller network, and where a few
megabytes more do no harm.
"""

from typing import Annotated

from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional as F

from fercli.models.architectures import ARCHITECTURES

#: Stages after the stem, each with half the side and twice the channels of the one before.
STAGES = 4


class PreActivation(nn.Module):
    """norm → ReLU → conv 3×3 → norm → ReLU → conv 3×3, plus the input; where the shape changes, plus a 1×1
    convolution of what the first activation gives."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.norm1 = nn.BatchNorm2d(inputs)
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1, bias=False)
        keeps_shape = stride == 1 and inputs == outputs
        self.shortcut = None if keeps_shape else nn.Conv2d(inputs, outputs, 1, stride, bias=False)

    def forward(self, maps: Tensor) -> Tensor:
        activated = F.relu(self.norm1(maps))
        shortcut = maps if self.shortcut is None else self.shortcut(activated)
        out: Tensor = shortcut + self.conv2(F.relu(self.norm2(self.conv1(activated))))
        return out


@ARCHITECTURES.register("preact-resnet")
def preact_resnet(
    classes: int,
    width: Annotated[int, Field(ge=4, le=256)],
    blocks: Annotated[int, Field(ge=1, le=16)],
) -> nn.Module:
    """A 5×5 stem of stride 2 with `width` channels, four stages of `blocks` residual blocks, average pooling, dense.

    Its layers with weights number 2 + 8 · blocks, shortcuts apart. Takes scaled faces [N, 1, 48, 48], gives logits
    [N, classes]. Source: He et al. 2016, 'Identity mappings in deep residual networks', arXiv 1603.05027.
    """
    layers: list[nn.Module] = [nn.Conv2d(1, width, 5, 2, padding=2, bias=False)]
    inputs = width
    for stage in range(STAGES):
        outputs = width * 2**stage
        for block in range(blocks):
            layers += [PreActivation(inputs, outputs, 2 if stage and not block else 1)]
            inputs = outputs
    layers += [nn.BatchNorm2d(inputs), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(inputs, classes)]
    network = nn.Sequential(*layers)
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d):
            nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu")
    return network
