"""Packing the levels of many pyramids onto canvases of one size, so that PNet runs on batches."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from fercli.faces.mtcnn.integral_image import IntegralImage
from fercli.faces.mtcnn.pyramid import MARGIN, STRIDE, Level, Tile, split_level

#: Width and height of a canvas in pixels. PNet's intermediate results for one canvas fit into a CPU's cache.
CANVAS_SIDE = 256
#: How many cells a canvas has in a row.
CANVAS_CELLS = CANVAS_SIDE // STRIDE - MARGIN


@dataclass(frozen=True)
class Position:
    """Where a rectangle is: the index of its canvas, and the row and column of its top left corner."""

    canvas: int
    top: int
    left: int


class PlacedTile(NamedTuple):
    """A tile on a canvas: the index of its level, the picture it is from, and its position in units of STRIDE."""

    level: int
    image: IntegralImage
    tile: Tile
    position: Position


@dataclass
class _Shelf:
    canvas: int
    top: int
    height: int
    used_width: int = 0


def pack_rectangles(sizes: Sequence[tuple[int, int]], side: int) -> list[Position]:
    """Positions for rectangles (height, width) on square canvases, without overlap.

    The tallest rectangle comes first, and each goes on the first shelf with room for it (Coffman et al. 1980). No
    rectangle may be larger than a canvas.
    """
    positions: list[Position | None] = [None] * len(sizes)
    narrowest = min((width for _, width in sizes), default=0)
    open_shelves: list[_Shelf] = []
    next_tops = [0]  # where the next shelf of each canvas starts
    for index in sorted(range(len(sizes)), key=lambda i: sizes[i], reverse=True):
        height, width = sizes[index]
        shelf = next((s for s in open_shelves if s.height >= height and s.used_width + width <= side), None)
        if shelf is None:
            canvas = next((c for c, top in enumerate(next_tops) if top + height <= side), len(next_tops))
            if canvas == len(next_tops):
                next_tops.append(0)
            shelf = _Shelf(canvas, next_tops[canvas], height)
            next_tops[canvas] += height
            open_shelves.append(shelf)
        positions[index] = Position(shelf.canvas, shelf.top, shelf.used_width)
        shelf.used_width += width
        if shelf.used_width + narrowest > side:
            open_shelves.remove(shelf)
    return [position for position in positions if position is not None]


def pack_levels(
    levels: Sequence[tuple[int, Level]], images: Sequence[IntegralImage], canvases_per_batch: int
) -> list[list[PlacedTile]]:
    """Split levels into tiles and pack these onto canvases: a list of tiles for each batch of canvases.

    `levels` has the index of a picture in `images`, and a level of it. There must be at least one.
    """
    tiles = [(index, tile) for index, (_, level) in enumerate(levels) for tile in split_level(level, CANVAS_CELLS)]
    sizes = [(tile.rows + MARGIN, tile.columns + MARGIN) for _, tile in tiles]
    positions = pack_rectangles(sizes, CANVAS_SIDE // STRIDE)
    batch_count = 1 + max(position.canvas for position in positions) // canvases_per_batch
    batches: list[list[PlacedTile]] = [[] for _ in range(batch_count)]
    for (index, tile), position in zip(tiles, positions, strict=True):
        batch, canvas = divmod(position.canvas, canvases_per_batch)
        image = images[levels[index][0]]
        batches[batch].append(PlacedTile(index, image, tile, Position(canvas, position.top, position.left)))
    return batches
