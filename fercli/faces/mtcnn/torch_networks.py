"""MTCNN's networks in PyTorch: the engine for GPUs, and the source of the files for ONNX Runtime."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from math import inf
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from fercli.faces.mtcnn.engine import Pixels
from fercli.faces.mtcnn.pyramid import STRIDE
from fercli.faces.opencv import load_opencv

#: Batch sizes on a CPU and on a GPU: canvases for the first network, crops for the other two.
_CANVASES_PER_BATCH = {"cpu": 2, "cuda": 64}
_CROPS_PER_BATCH = {"cpu": 16, "cuda": 2048}


class TorchNetworks:
    """The networks on a PyTorch device, with facenet-pytorch's weights. See fercli.faces.mtcnn.engine.Networks."""

    def __init__(self, device: str) -> None:
        self._device = torch.device(device)
        pnet, rnet, onet = load_facenet_networks()
        networks = FastPNet(pnet), rnet, onet
        self._pnet, self._rnet, self._onet = (network.eval().to(self._device) for network in networks)
        # a GPU is parallel by itself
        self.threads = torch.get_num_threads() if self._device.type == "cpu" else 1
        self.canvases_per_batch = _CANVASES_PER_BATCH[self._device.type]
        self.crops_per_batch = _CROPS_PER_BATCH[self._device.type]

    def pnet(self, canvases: Pixels) -> Pixels:
        """See `Networks`."""
        return self._run(lambda pixels: (self._pnet(pixels),), canvases)[0]

    def rnet(self, crops: Pixels) -> tuple[Pixels, ...]:
        """See `Networks`."""
        return self._run(lambda pixels: self._rnet(_to_channels_last(pixels)), crops)

    def onet(self, crops: Pixels) -> tuple[Pixels, ...]:
        """See `Networks`."""
        return self._run(lambda pixels: self._onet(_to_channels_last(pixels)), crops)

    def _run(self, network: Callable[[Tensor], tuple[Tensor, ...]], pixels: Pixels) -> tuple[Pixels, ...]:
        with torch.inference_mode(), _single_threaded(self._device):
            return tuple(out.cpu().numpy() for out in network(torch.from_numpy(pixels).to(self._device)))


def _to_channels_last(pixels: Tensor) -> Tensor:
    """The layout in which oneDNN runs RNet and ONet fastest: a third of the time."""
    return pixels.to(memory_format=torch.channels_last)


@contextmanager
def _single_threaded(device: torch.device) -> Iterator[None]:
    """Turn off PyTorch's own threads on the CPU, which would compete with those that call. The setting is a thread's
    own."""
    before = torch.get_num_threads()
    if device.type == "cpu" and before > 1:
        torch.set_num_threads(1)
    try:
        yield
    finally:
        if device.type == "cpu" and before > 1:
            torch.set_num_threads(before)


def load_facenet_networks() -> tuple[nn.Module, nn.Module, nn.Module]:
    """facenet-pytorch's PNet, RNet and ONet with their weights, on the CPU, not training.

    Raises MachineError if OpenCV, which facenet-pytorch imports, cannot be loaded.
    """
    load_opencv()
    from facenet_pytorch.models.mtcnn import ONet, PNet, RNet

    return PNet().eval(), RNet().eval(), ONet().eval()


class FastPNet(nn.Module):
    """PNet with the same weights, but its first convolution and the max pooling after it are merged.

    The convolution's kernels are repeated four times, each shifted by a pixel, and applied with stride 2; the maximum
    of the four is what pooling gives. On a CPU this takes half the time.
    """

    def __init__(self, pnet: Any) -> None:
        super().__init__()
        first = pnet.conv1
        shifted = [F.pad(first.weight, (right, 1 - right, down, 1 - down)) for down in (0, 1) for right in (0, 1)]
        self.first = make_convolution(torch.cat(shifted), torch.cat([first.bias] * 4), stride=2)
        self.slopes = nn.Parameter(pnet.prelu1.weight.detach().repeat(4))
        self.rest = nn.Sequential(pnet.conv2, pnet.prelu2, pnet.conv3, pnet.prelu3)
        self.last = merge_heads(pnet)

    def forward(self, canvases: Tensor) -> Tensor:
        """From canvases with marks [N, 4, side, side] to two logits and four offsets for each cell."""
        features = F.prelu(self.first(canvases[:, :3]), self.slopes)
        side = STRIDE * features.shape[2]
        marks = F.pixel_unshuffle(canvases[:, 3:, :side, :side], STRIDE) > 0
        shifts = features.unflatten(1, (4, -1)).masked_fill_(marks[:, :, None], -inf)
        out: Tensor = self.last(self.rest(shifts.amax(1)))
        return out


def merge_heads(pnet: Any) -> nn.Conv2d:
    """PNet's two output layers as one: two logits, then four offsets."""
    heads = pnet.conv4_1, pnet.conv4_2
    return make_convolution(torch.cat([head.weight for head in heads]), torch.cat([head.bias for head in heads]))


def make_convolution(weight: Tensor, bias: Tensor, stride: int = 1) -> nn.Conv2d:
    """A convolution with these weights."""
    layer = nn.Conv2d(weight.shape[1], weight.shape[0], weight.shape[2], stride)
    layer.weight, layer.bias = nn.Parameter(weight.detach()), nn.Parameter(bias.detach())
    return layer
