"""MTCNN's first network, PNet, over pieces of pictures that lie side by side on canvases."""

from collections.abc import Sequence
from math import inf, log
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from fercli.faces.mtcnn.integral_image import Sums
from fercli.faces.mtcnn.packing import Place
from fercli.faces.mtcnn.pyramid import MARGIN, STRIDE, Piece

#: The side of a canvas in pixels: what its layers make of it fits a processor's cache.
SIDE = 256
#: How many cells a canvas has along a side.
CELLS = SIDE // STRIDE - MARGIN


class Lying(NamedTuple):
    """A piece of one level of a picture, the level's number, and where on a canvas the piece lies, in strides."""

    level: int
    sums: Sums
    piece: Piece
    place: Place


class Cells(NamedTuple):
    """Cells [N] that may hold a face: the numbers of their levels, row and column in the level [N, 2], scores [N] of
    0 to 1, corrections [N, 4] as shares of a box's sides. On the CPU."""

    levels: Tensor
    places: Tensor
    scores: Tensor
    shifts: Tensor


class CellNetwork(nn.Module):
    """PNet with the same weights, its first layer and the pooling behind it in one: four copies of the layer, each
    shifted by a pixel, at stride 2, of which the largest counts. On a processor that takes half the time."""

    def __init__(self, pnet: Any) -> None:
        super().__init__()
        first = pnet.conv1
        shifted = [F.pad(first.weight, (right, 1 - right, down, 1 - down)) for down in (0, 1) for right in (0, 1)]
        self.first = _convolution(torch.cat(shifted), torch.cat([first.bias] * 4), stride=2)
        self.slopes = nn.Parameter(pnet.prelu1.weight.detach().repeat(4))
        self.rest = nn.Sequential(pnet.conv2, pnet.prelu2, pnet.conv3, pnet.prelu3)
        ends = pnet.conv4_1, pnet.conv4_2
        self.last = _convolution(torch.cat([end.weight for end in ends]), torch.cat([end.bias for end in ends]))

    def forward(self, pixels: Tensor, lying: Sequence[Lying]) -> Tensor:
        """Scaled pixels [N, SIDE, SIDE, 3] as [N, CELLS, CELLS, 6]: a cell's two logits and four corrections."""
        four = F.prelu(self.first(pixels.permute(0, 3, 1, 2)), self.slopes)
        for one in lying:
            _leave_out_beyond(four[one.place.canvas], one.place, one.piece)
        two = torch.maximum(*four.chunk(2, 1))
        out: Tensor = self.last(self.rest(torch.maximum(*two.chunk(2, 1))))
        return out.permute(0, 2, 3, 1)


def _convolution(weight: Tensor, bias: Tensor, stride: int = 1) -> nn.Conv2d:
    layer = nn.Conv2d(weight.shape[1], weight.shape[0], weight.shape[2], stride)
    layer.weight, layer.bias = nn.Parameter(weight.detach()), nn.Parameter(bias.detach())
    return layer


def _leave_out_beyond(four: Tensor, place: Place, piece: Piece) -> None:
    """At a level's odd edge the last pooling has one row or column instead of two."""
    copies = four.unflatten(0, (2, 2, -1))  # by the shift down and to the right
    bottom, right = place.top + piece.rows + MARGIN - 2, place.left + piece.columns + MARGIN - 2
    rows, columns = piece.pixels
    if len(rows) % 2:
        copies[1, :, :, bottom, place.left : right + 1] = -inf
    if len(columns) % 2:
        copies[:, 1, :, place.top : bottom + 1, right] = -inf


def find_cells(network: CellNetwork, lying: Sequence[Lying], threshold: float) -> Cells:
    """The cells that the network takes for faces with at least that probability."""
    device, canvases = network.slopes.device, 1 + max(one.place.canvas for one in lying)
    pixels = torch.zeros(canvases, SIDE, SIDE, 3, device=device)
    pieces = torch.full((canvases, CELLS, CELLS), -1)
    for number, (_, sums, piece, place) in enumerate(lying):
        rows, columns = piece.pixels
        top, left = STRIDE * place.top, STRIDE * place.left
        part = sums.part((piece.level.height, piece.level.width), rows, columns)
        pixels[place.canvas, top : top + len(rows), left : left + len(columns)] = part
        pieces[place.canvas, place.top : place.top + piece.rows, place.left : place.left + piece.columns] = number
    out = network(pixels, lying)
    sure = out[..., 1] - out[..., 0] >= log(threshold / (1 - threshold))
    places, values = sure.nonzero().cpu(), out[sure].cpu()
    owners = pieces[places.unbind(1)]
    within = owners >= 0
    places, values, owners = places[within, 1:], values[within], owners[within]
    levels = torch.tensor([one.level for one in lying])
    origins = torch.tensor([(one.piece.top - one.place.top, one.piece.left - one.place.left) for one in lying])
    return Cells(levels[owners], places + origins[owners], values[:, :2].softmax(1)[:, 1], values[:, 2:])
