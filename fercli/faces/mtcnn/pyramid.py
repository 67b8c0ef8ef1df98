"""The image pyramid: the sizes at which MTCNN searches a picture, and the grid of cells at each size."""

from collections.abc import Iterator
from dataclasses import dataclass

#: The factor from one level of the pyramid to the next, as MTCNN was published.
SCALE_STEP = 0.709
#: A cell is what MTCNN's first network, PNet, judges by itself: a square of so many pixels. Neighbouring cells overlap,
#: STRIDE pixels apart.
CELL_SIDE, STRIDE = 12, 2
#: A row of cells covers this many strides more than it has cells.
MARGIN = CELL_SIDE // STRIDE - 1


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
