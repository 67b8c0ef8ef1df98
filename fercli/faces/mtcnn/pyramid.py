"""The image pyramid: the sizes at which MTCNN searches a picture, and their tiles, packed onto canvases for PNet."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from fercli.faces.mtcnn.integral_image import IntegralImage

#: The factor from one level of the pyramid to the next, as MTCNN was published.
SCALE_STEP = 0.709
#: A cell is what MTCNN's first network, PNet, judges by itself: a square of so many pixels. Neighbouring cells overlap,
#: STRIDE pixels apart.
CELL_SIDE, STRIDE = 12, 2
#: A row of cells covers this many strides more than it has cells.
MARGIN = CELL_SIDE // STRIDE - 1
#: Width and height of a canvas in pixels. PNet's intermediate results for one canvas fit into a CPU's cache.
CANVAS_SIDE = 256
#: How many cells a canvas has in a row.
CANVAS_CELLS = CANVAS_SIDE // STRIDE - MARGIN


@dataclass(frozen=True)
class Level:
    """A picture at one size: its scale, and its height and width in pixels."""

    scale: float
    height: int
    width: int

    @property
    def grid(self) -> tuple[int, int]:
        """The number of rows and columns of cells. Where a side is odd, the last cell is one pixel smaller."""
        return (self.height - 1) // STRIDE - MARGIN + 1, (self.width - 1) // STRIDE - MARGIN + 1


@dataclass(frozen=True)
class Tile:
    """A rectangle of a level's cells: row and column of its first cell, and how many rows and columns it has."""

    level: Level
    top: int
    left: int
    rows: int
    columns: int

    @property
    def pixel_ranges(self) -> tuple[range, range]:
        """The rows and the columns of the level's pixels that the tile's cells cover."""
        row_end, column_end = self.top + self.rows + MARGIN, self.left + self.columns + MARGIN
        return (
            range(STRIDE * self.top, min(STRIDE * row_end, self.level.height)),
            range(STRIDE * self.left, min(STRIDE * column_end, self.level.width)),
        )


def build_levels(height: int, width: int, min_face: float) -> Iterator[Level]:
    """The levels for a picture in which faces of at least `min_face` pixels are searched, the largest first."""
    scale = CELL_SIDE / min_face
    shorter = min(height, width) * scale
    while shorter >= CELL_SIDE:
        yield Level(scale, int(height * scale + 1), int(width * scale + 1))
        scale *= SCALE_STEP
        shorter *= SCALE_STEP


def split_level(level: Level, max_cells: int) -> Iterator[Tile]:
    """Split a level into tiles of at most `max_cells` × `max_cells` cells. Each cell is in exactly one tile."""
    rows, columns = level.grid
    for top in range(0, rows, max_cells):
        for left in range(0, columns, max_cells):
            yield Tile(level, top, left, min(max_cells, rows - top), min(max_cells, columns - left))


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
