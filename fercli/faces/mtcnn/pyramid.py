"""The sizes at which MTCNN searches a picture, and their cells: what its first network judges one by one."""

from collections.abc import Iterator
from dataclasses import dataclass

#: By how much each size of a picture is smaller than the one before, as MTCNN was published.
PYRAMID = 0.709
#: The side of a cell in pixels, and from one cell to the next.
CELL, STRIDE = 12, 2
#: A row of cells takes so many strides more than it has cells.
MARGIN = CELL // STRIDE - 1


@dataclass(frozen=True)
class Level:
    """A picture at one size: the scale, and height and width in pixels."""

    scale: float
    height: int
    width: int

    @property
    def cells(self) -> tuple[int, int]:
        """Rows and columns of cells. At an odd side the last cell has one pixel less than the others."""
        return (self.height - 1) // STRIDE - MARGIN + 1, (self.width - 1) // STRIDE - MARGIN + 1


@dataclass(frozen=True)
class Piece:
    """A rectangle of a level's cells: where it begins, and how many it has."""

    level: Level
    top: int
    left: int
    rows: int
    columns: int

    @property
    def pixels(self) -> tuple[range, range]:
        """The rows and columns of the level that its cells see."""
        last_row, last_column = self.top + self.rows + MARGIN, self.left + self.columns + MARGIN
        return (
            range(STRIDE * self.top, min(STRIDE * last_row, self.level.height)),
            range(STRIDE * self.left, min(STRIDE * last_column, self.level.width)),
        )


def levels(height: int, width: int, min_face: float) -> Iterator[Level]:
    """The sizes at which faces of `min_face` pixels and more are searched for, the largest first."""
    scale = CELL / min_face
    shorter = min(height, width) * scale
    while shorter >= CELL:
        yield Level(scale, int(height * scale + 1), int(width * scale + 1))
        scale *= PYRAMID
        shorter *= PYRAMID


def pieces(level: Level, most: int) -> Iterator[Piece]:
    """A level cut into pieces of at most `most` × `most` cells; each cell is in one."""
    rows, columns = level.cells
    for top in range(0, rows, most):
        for left in range(0, columns, most):
            yield Piece(level, top, left, min(most, rows - top), min(most, columns - left))
