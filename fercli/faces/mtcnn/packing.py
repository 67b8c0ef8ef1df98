"""Rectangles side by side on canvases of one size."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Place:
    """Where a rectangle lies: the canvas, and the row and column of its first corner."""

    canvas: int
    top: int
    left: int


@dataclass
class _Shelf:
    canvas: int
    top: int
    height: int
    taken: int = 0


def packed(sizes: Sequence[tuple[int, int]], side: int) -> list[Place]:
    """A place for each rectangle (height, width) on square canvases, none over another.

    Shelves, the highest rectangle first, each on the first shelf that has room (Coffman et al. 1980). No
    rectangle may be larger than a canvas.
    """
    places: list[Place | None] = [None] * len(sizes)
    narrowest = min((width for _, width in sizes), default=0)
    open_shelves: list[_Shelf] = []
    free = [0]  # where the next shelf of each canvas would begin
    for number in sorted(range(len(sizes)), key=lambda n: sizes[n], reverse=True):
        height, width = sizes[number]
        shelf = next((s for s in open_shelves if s.height >= height and s.taken + width <= side), None)
        if shelf is None:
            canvas = next((c for c, top in enumerate(free) if top + height <= side), len(free))
            if canvas == len(free):
                free.append(0)
            shelf = _Shelf(canvas, free[canvas], height)
            free[canvas] += height
            open_shelves.append(shelf)
        places[number] = Place(shelf.canvas, shelf.top, shelf.taken)
        shelf.taken += width
        if shelf.taken + narrowest > side:
            open_shelves.remove(shelf)
    return [place for place in places if place is not None]
