"""MTCNN's networks as files for ONNX Runtime, in the form in which it runs them fast: fercli/weights/mtcnn/*.onnx.

usage: python -m benchmarks.detector_files [FOLDER]

The weights are facenet-pytorch's. ONNX Runtime's PReLU with a slope a channel is slow, and takes features out of the
layout in which its convolutions work, so PReLU is written with other operations. PNet's is done by a 1 × 1 convolution
of relu(x) and relu(-x), which also takes in the marks of what max pooling must leave out (see fercli.faces.mtcnn.pnet).
A test holds the files to the networks of PyTorch.
"""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from fercli.faces.mtcnn.engine import FILES
from fercli.faces.mtcnn.pyramid import CANVAS_SIDE
from fercli.faces.mtcnn.torch_networks import load_facenet_networks, make_convolution, merge_heads
from fercli.models.export.graph import write_module

#: Channels are padded with zeros to a multiple of this, as ONNX Runtime's fast layout needs them on any processor.
_BLOCK = 16
#: What is taken from a marked feature: more than any feature has.
_MARK = 1e6
_ABOUT = {"source": "MTCNN (Zhang et al. 2016), weights of facenet-pytorch 2.5.3 (MIT licence)"}


class OnnxPReLU(nn.Module):
    """PReLU with a slope for each channel, without ONNX's operation of that name."""

    def __init__(self, prelu: nn.PReLU, dimensions: int = 3) -> None:
        super().__init__()
        self.slopes = prelu.weight.detach().view(-1, *[1] * (dimensions - 1))
        self.all_small = bool((self.slopes <= 1).all())

    def forward(self, features: Tensor) -> Tensor:
        """Features [N, channels, …] of any sign."""
        if self.all_small:  # one operation less
            return torch.maximum(features, features * self.slopes)
        return torch.relu(features) + torch.clamp(features, max=0) * self.slopes


class OnnxPNet(nn.Module):
    """PNet for canvases with marks [N, 4, side, side]: two logits and four offsets for each cell."""

    def __init__(self, pnet: Any) -> None:
        super().__init__()
        self.first, self.combine = _split_first_layer(pnet.conv1, pnet.prelu1)
        padding = (0, 0, 0, 0, 0, _BLOCK - pnet.conv2.in_channels)
        self.second = make_convolution(F.pad(pnet.conv2.weight, padding), pnet.conv2.bias)
        self.second_prelu = OnnxPReLU(pnet.prelu2)
        self.third, self.third_prelu = pnet.conv3, OnnxPReLU(pnet.prelu3)
        self.last = merge_heads(pnet)

    def forward(self, canvases: Tensor) -> Tensor:
        """See the class."""
        features = F.max_pool2d(self.combine(torch.relu(self.first(canvases))), 2)
        features = self.third_prelu(self.third(self.second_prelu(self.second(features))))
        out: Tensor = self.last(features)
        return out


def _split_first_layer(convolution: nn.Conv2d, prelu: nn.PReLU) -> tuple[nn.Conv2d, nn.Conv2d]:
    """Two convolutions that give, with ReLU between them, what this one gives with PReLU, less _MARK at the marks."""
    channels = convolution.out_channels
    weight, bias = torch.zeros(2 * _BLOCK, 4, 3, 3), torch.zeros(2 * _BLOCK)
    mixing = torch.zeros(_BLOCK, 2 * _BLOCK)
    for start, sign, slopes in ((0, 1, torch.ones(channels)), (_BLOCK, -1, -prelu.weight)):
        weight[start : start + channels, :3] = sign * convolution.weight
        bias[start : start + channels] = sign * convolution.bias
        mixing[:channels, start : start + channels] = torch.diag(slopes)
    weight[channels, 3, 0, 0] = 1.0
    mixing[:channels, channels] = -_MARK
    return make_convolution(weight, bias), make_convolution(mixing[:, :, None, None], torch.zeros(_BLOCK))


def rewrite_prelu(network: nn.Module, flat: str) -> nn.Module:
    """The same network with OnnxPReLU in place of every PReLU. `flat` is the one behind a linear layer."""
    for name, layer in network.named_children():
        if isinstance(layer, nn.PReLU):
            setattr(network, name, OnnxPReLU(layer, 1 if name == flat else 3))
    return network


def write_files(folder: Path) -> None:
    """Write pnet.onnx, rnet.onnx and onet.onnx."""
    folder.mkdir(parents=True, exist_ok=True)
    with torch.no_grad():
        pnet, rnet, onet = load_facenet_networks()
        _write(OnnxPNet(pnet), folder / "pnet.onnx", torch.zeros(2, 4, CANVAS_SIDE, CANVAS_SIDE), ["cells"])
        _write(
            rewrite_prelu(rnet, "prelu4"), folder / "rnet.onnx", torch.zeros(2, 3, 24, 24), ["offsets", "probabilities"]
        )
        outputs = ["offsets", "landmarks", "probabilities"]
        _write(rewrite_prelu(onet, "prelu5"), folder / "onet.onnx", torch.zeros(2, 3, 48, 48), outputs)


def _write(network: nn.Module, path: Path, example: Tensor, outputs: Sequence[str]) -> None:
    write_module(network.eval(), path, example, ["pixels"], outputs, {0: "N"}, _ABOUT)


if __name__ == "__main__":
    write_files(Path(sys.argv[1]) if len(sys.argv) > 1 else FILES)
