"""MTCNN's first network, PNet, run on tiles of many pictures that are packed onto canvases."""

from collections.abc import Callable, Sequence
from math import log
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fercli.faces.mtcnn.pyramid import CANVAS_CELLS, CANVAS_SIDE, MARGIN, STRIDE, PlacedTile, Position, Tile


class Proposals(NamedTuple):
    """Cells that may contain a face.

    `level_ids` [N] int64 are the indices of their levels, `positions` [N, 2] int64 row and column in the level,
    `scores` [N] float32 from 0 to 1, `offsets` [N, 4] float32 corrections of the box as fractions of its width and
    height.
    """

    level_ids: NDArray[np.int64]
    positions: NDArray[np.int64]
    scores: NDArray[np.float32]
    offsets: NDArray[np.float32]


def find_proposals(
    pnet: Callable[[NDArray[np.float32]], NDArray[np.float32]], tiles: Sequence[PlacedTile], threshold: float
) -> Proposals:
    """The cells in which the network sees a face with at least this probability. `pnet` is an engine's (see
    fercli.faces.mtcnn.engine)."""
    canvases, tile_ids = draw_canvases(tiles)
    out = pnet(canvases)
    confident = (out[:, 1] - out[:, 0] >= log(threshold / (1 - threshold))) & (tile_ids >= 0)
    canvas_ids, rows, columns = np.nonzero(confident)
    values = out[canvas_ids, :, rows, columns]
    ids = tile_ids[canvas_ids, rows, columns]
    level_ids = np.array([tile.level for tile in tiles])
    origins = np.array([(t.tile.top - t.position.top, t.tile.left - t.position.left) for t in tiles])
    positions = np.stack([rows, columns], axis=1) + origins[ids]
    # the softmax of two logits; it cannot overflow, since the threshold bounds their difference
    scores = 1 / (1 + np.exp(values[:, 0] - values[:, 1]))
    return Proposals(level_ids[ids], positions, scores, values[:, 2:])


def draw_canvases(tiles: Sequence[PlacedTile]) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """The tiles' scaled pixels on their canvases [N, 4, CANVAS_SIDE, CANVAS_SIDE], and the index of the tile that each
    cell belongs to [N, CANVAS_CELLS, CANVAS_CELLS], -1 for none.

    The fourth channel marks what PNet's max pooling must leave out (see `_mark_odd_edges`).
    """
    canvas_count = 1 + max(tile.position.canvas for tile in tiles)
    canvases = np.zeros((canvas_count, 4, CANVAS_SIDE, CANVAS_SIDE), np.float32)
    tile_ids = np.full((canvas_count, CANVAS_CELLS, CANVAS_CELLS), -1)
    for index, (_, image, tile, position) in enumerate(tiles):
        rows, columns = tile.pixel_ranges
        top, left = STRIDE * position.top, STRIDE * position.left
        region = image.resize_region((tile.level.height, tile.level.width), rows, columns)
        canvas = canvases[position.canvas]
        canvas[:3, top : top + len(rows), left : left + len(columns)] = region.transpose(2, 0, 1)
        _mark_odd_edges(canvas[3], position, tile)
        tile_rows = slice(position.top, position.top + tile.rows)
        tile_columns = slice(position.left, position.left + tile.columns)
        tile_ids[position.canvas, tile_rows, tile_columns] = index
    return canvases, tile_ids


def _mark_odd_edges(marks: NDArray[np.float32], position: Position, tile: Tile) -> None:
    """Where a level's height or width is odd, its last pooling window has one row or column instead of two: mark the
    other with 1, at the position of the convolution's output."""
    rows, columns = tile.pixel_ranges
    bottom = STRIDE * (position.top + tile.rows + MARGIN - 1)
    right = STRIDE * (position.left + tile.columns + MARGIN - 1)
    if len(rows) % 2:
        marks[bottom - 1, STRIDE * position.left : right] = 1
    if len(columns) % 2:
        marks[STRIDE * position.top : bottom, right - 1] = 1
