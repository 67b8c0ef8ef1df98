"""The files of the engine 'onnx': MTCNN's networks, and the graphs of the classifiers that ship.

usage: python -m benchmarks.onnx_files [FOLDER]     (default: fercli/weights)

NAME.graph.onnx is a classifier without its tensors, which are put in from NAME.safetensors when it is loaded: the
weights stand once. Run this again when a network that ships has another architecture or other arguments.

mtcnn/*.onnx have MTCNN's three networks, in the form in which ONNX Runtime runs them fast. The weights are
facenet-pytorch's. ONNX Runtime's PReLU with a slope for each channel is slow, and takes features out of the layout in
which its convolutions work, so PReLU is written with other operations. PNet's first is done by a 1 × 1 convolution of
relu(x) and relu(-x), which also takes in the marks of what max pooling must leave out (see fercli.faces.mtcnn.pnet).
Tests hold the files to the networks of PyTorch.
"""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import onnx
import onnx_ir as ir
import torch
from onnxscript.optimizer import fold_constants
from torch import Tensor, nn
from torch.nn import functional as F

import fercli
from fercli.faces.mtcnn.pyramid import CANVAS_SIDE
from fercli.faces.mtcnn.torch_networks import load_facenet_networks, make_convolution, merge_heads
from fercli.models.catalogue import load_catalogue
from fercli.models.export.graph import export_module, write_module
from fercli.models.load import load_model
from fercli.models.onnx_model import graph_path

#: Channels are padded with zeros to a multiple of this, as ONNX Runtime's fast layout needs them on any processor.
_BLOCK = 16
#: The most elements of a constant that is computed when a graph is written.
_SMALL = 4096
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


def write_detector(folder: Path) -> None:
    """Write pnet.onnx, rnet.onnx and onet.onnx."""
    folder.mkdir(parents=True, exist_ok=True)
    with torch.no_grad():
        pnet, rnet, onet = load_facenet_networks()
        _write(OnnxPNet(pnet), folder / "pnet.onnx", torch.zeros(2, 4, CANVAS_SIDE, CANVAS_SIDE), ["cells"])
        rnet, onet = rewrite_prelu(rnet, "prelu4"), rewrite_prelu(onet, "prelu5")
        _write(rnet, folder / "rnet.onnx", torch.zeros(2, 3, 24, 24), ["offsets", "probabilities"])
        _write(onet, folder / "onet.onnx", torch.zeros(2, 3, 48, 48), ["offsets", "landmarks", "probabilities"])


def _write(network: nn.Module, path: Path, example: Tensor, outputs: Sequence[str]) -> None:
    write_module(network.eval(), path, example, ["pixels"], outputs, {0: "N"}, _ABOUT)


def write_graph(name: str, folder: Path) -> None:
    """Write the graph of a model that ships, its tensors named as in the weights file but left out."""
    network = load_model(name).network
    example = torch.zeros(2, 1, 48, 48, dtype=torch.uint8)
    proto = export_module(network, example, ["faces"], ["logits"], {0: "N"}, optimize=False)
    # convolutions need their biases as constants, or ONNX Runtime leaves them out of its fast layout
    folded = ir.from_proto(proto)
    fold_constants(folded, onnx_shape_inference=True, input_size_limit=_SMALL, output_size_limit=_SMALL)
    proto = ir.to_proto(folded)
    names = network.state_dict().keys()
    for tensor in proto.graph.initializer:
        if tensor.name in names:
            tensor.ClearField("raw_data")
            tensor.data_location = onnx.TensorProto.EXTERNAL
            tensor.external_data.add(key="location", value="weights")
    (folder / graph_path(Path(f"{name}.safetensors"))).write_bytes(proto.SerializeToString(deterministic=True))


def main() -> None:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(fercli.__file__).parent / "weights"
    write_detector(folder / "mtcnn")
    for name, entry in load_catalogue().models.items():
        if entry.weights:
            write_graph(name, folder)


if __name__ == "__main__":
    main()
