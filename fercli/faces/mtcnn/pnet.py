"""MTCNN's first network, PNet, run on tiles of many pictures that are packed onto canvases."""

from collections.abc import Sequence
from math import inf, log
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from fercli.faces.mtcnn.pyramid import CANVAS_CELLS, CANVAS_SIDE, MARGIN, STRIDE, PlacedTile, Position, Tile


class Proposals(NamedTuple):
    """Cells that may contain a face, on the CPU.

    `level_ids` [N] are the indices of their levels, `positions` [N, 2] row and column in the level, `scores` [N] from
    0 to 1, `offsets` [N, 4] corrections of the box as fractions of its width and height.
    """

    level_ids: Tensor
    positions: Tensor
    scores: Tensor
    offsets: Tensor


class FastPNet(nn.Module):
    """PNet with the same weights, but its first convolution and the max pooling after it are merged.

    The convolution's kernels are repeated four times, each shifted by a pixel, and applied with stride 2; the maximum
    of the four is what pooling gives. On a CPU this takes half the time.
    """

    def __init__(self, pnet: Any) -> None:
        super().__init__()
        first = pnet.conv1
        shifted = [F.pad(first.weight, (right, 1 - right, down, 1 - down)) for down in (0, 1) for right in (0, 1)]
        self.first = _make_convolution(torch.cat(shifted), torch.cat([first.bias] * 4), stride=2)
        self.slopes = nn.Parameter(pnet.prelu1.weight.detach().repeat(4))
        self.rest = nn.Sequential(pnet.conv2, pnet.prelu2, pnet.conv3, pnet.prelu3)
        heads = pnet.conv4_1, pnet.conv4_2
        self.last = _make_convolution(torch.cat([head.weight for head in heads]), torch.cat([h.bias for h in heads]))

    def forward(self, pixels: Tensor, tiles: Sequence[PlacedTile]) -> Tensor:
        """From scaled canvases [N, CANVAS_SIDE, CANVAS_SIDE, 3] to [N, CANVAS_CELLS, CANVAS_CELLS, 6]: for each cell
        two logits and four offsets."""
        features = F.prelu(self.first(pixels.permute(0, 3, 1, 2)), self.slopes)
        for tile in tiles:
            _mask_odd_edges(features[tile.position.canvas], tile.position, tile.tile)
        pooled_rows = torch.maximum(*features.chunk(2, 1))
        out: Tensor = self.last(self.rest(torch.maximum(*pooled_rows.chunk(2, 1))))
        return out.permute(0, 2, 3, 1)


def _make_convolution(weight: Tensor, bias: Tensor, stride: int = 1) -> nn.Conv2d:
    layer = nn.Conv2d(weight.shape[1], weight.shape[0], weight.shape[2], stride)
    layer.weight, layer.bias = nn.Parameter(weight.detach()), nn.Parameter(bias.detach())
    return layer


def _mask_odd_edges(features: Tensor, position: Position, tile: Tile) -> None:
    """Where a level's height or width is odd, its last pooling window has one row or column instead of two."""
    shifts = features.unflatten(0, (2, 2, -1))  # by the kernel's shift down and to the right
    bottom, right = position.top + tile.rows + MARGIN - 2, position.left + tile.columns + MARGIN - 2
    rows, columns = tile.pixel_ranges
    if len(rows) % 2:
        shifts[1, :, :, bottom, position.left : right + 1] = -inf
    if len(columns) % 2:
        shifts[:, 1, :, position.top : bottom + 1, right] = -inf


def find_proposals(network: FastPNet, tiles: Sequence[PlacedTile], threshold: float) -> Proposals:
    """The cells in which the network sees a face with at least this probability."""
    pixels, tile_ids = _draw_canvases(tiles, network.slopes.device)
    out = network(pixels, tiles)
    confident = out[..., 1] - out[..., 0] >= log(threshold / (1 - threshold))
    positions, values = confident.nonzero().cpu(), out[confident].cpu()
    ids = tile_ids[positions.unbind(1)]
    in_tile = ids >= 0
    positions, values, ids = positions[in_tile, 1:], values[in_tile], ids[in_tile]
    level_ids = torch.tensor([tile.level for tile in tiles])
    origins = torch.tensor([(t.tile.top - t.position.top, t.tile.left - t.position.left) for t in tiles])
    scores = values[:, :2].softmax(1)[:, 1]
    return Proposals(level_ids[ids], positions + origins[ids], scores, values[:, 2:])


def _draw_canvases(tiles: Sequence[PlacedTile], device: torch.device) -> tuple[Tensor, Tensor]:
    """The tiles' scaled pixels on their canvases [N, CANVAS_SIDE, CANVAS_SIDE, 3], and the index of the tile that each
    cell belongs to [N, CANVAS_CELLS, CANVAS_CELLS], -1 for none."""
    canvas_count = 1 + max(tile.position.canvas for tile in tiles)
    pixels = torch.zeros(canvas_count, CANVAS_SIDE, CANVAS_SIDE, 3, device=device)
    tile_ids = torch.full((canvas_count, CANVAS_CELLS, CANVAS_CELLS), -1)
    for index, (_, image, tile, position) in enumerate(tiles):
        rows, columns = tile.pixel_ranges
        top, left = STRIDE * position.top, STRIDE * position.left
        region = image.resize_region((tile.level.height, tile.level.width), rows, columns)
        pixels[position.canvas, top : top + len(rows), left : left + len(columns)] = region
        tile_rows = slice(position.top, position.top + tile.rows)
        tile_columns = slice(position.left, position.left + tile.columns)
        tile_ids[position.canvas, tile_rows, tile_columns] = index
    return pixels, tile_ids
