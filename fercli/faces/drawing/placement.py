"""Where labels go: near the boxes they name, inside the picture, off the boxes and one another."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fercli.faces.detection import Box

#: How far a label may stand from its box, in heights of the label.
_REACH = 9
#: Places whose lines are looked at, and points of each line.
_CANDIDATES, _POINTS = 256, 12

#: The share of its own box that a label may cover where it finds no other place.
_TOLERATED = 1 / 16

Extent = tuple[float, float]


@dataclass(frozen=True)
class Placed:
    """A label's place. `leader` joins the nearest points of box and label where they stand apart.

    `free` says that it covers no other box, no label and no line, that its own line crosses none, and that of its own
    box it covers a sixteenth at most: where a face fills the picture there is no other place.
    """

    label: Box
    leader: tuple[float, float, float, float] | None
    free: bool


def place_labels(
    boxes: Sequence[Box], extents: Sequence[Extent], size: tuple[int, int], patient: bool = True
) -> list[Placed]:
    """A place for each box's label of that width and height in a picture of `size` (width, height).

    At the box if there is a free place, else near it with a leader line; where nothing is free, the place that
    hides least, or, unless `patient`, no more places at all. Labels that fit into the picture lie inside it.
    """
    placed: list[Placed] = []
    for number, (box, extent) in enumerate(zip(boxes, extents, strict=True)):
        others = [other for i, other in enumerate(boxes) if i != number]
        one = _best(box, extent, size, others, placed)
        if not (one.free or patient):
            break
        placed.append(one)
    return placed


def _best(box: Box, extent: Extent, size: tuple[int, int], others: Sequence[Box], placed: Sequence[Placed]) -> Placed:
    """The first free place, at the box or else near it; or else the one that hides least."""
    found: list[tuple[float, Placed]] = []
    area = (box[2] - box[0]) * (box[3] - box[1])
    for places in (_touching, _near):
        labels = _moved_inside(places(box, extent), size)
        # at the edge of its own box a label does little harm; over a label it makes both unreadable
        foreign = _overlap(labels, others) + 2 * _overlap(labels, [one.label for one in placed])
        hidden = _overlap(labels, [box]) + foreign / _TOLERATED
        best = np.rint(hidden).argsort(kind="stable")[:_CANDIDATES]
        labels, leaders = labels[best], _leaders(box, labels[best])
        hidden = np.rint(hidden[best]) + (1 + area) * _crossings(labels, leaders, others, placed)
        first = int(hidden.argmin())
        apart = np.any(np.abs(leaders[first, :2] - leaders[first, 2:]) > 1)
        line = tuple(leaders[first].tolist()) if apart else None
        free = bool(hidden[first] <= _TOLERATED * area)
        found.append((hidden[first], Placed(tuple(labels[first].tolist()), line, free)))
        if not hidden[first]:
            break
    return min(found, key=lambda one: one[0])[1]


def _touching(box: Box, extent: Extent) -> NDArray[np.float64]:
    """Above, below and beside the box, flush with its edges and in the middle: [12, 4], the best first."""
    x1, y1, x2, y2 = box
    width, height = extent
    across = (x1, (x1 + x2 - width) / 2, x2 - width)
    down = (y1, (y1 + y2 - height) / 2, y2 - height)
    corners = [(x, y) for y in (y1 - height, y2) for x in across]
    corners += [(x, y) for x in (x2, x1 - width) for y in down]
    return np.array([(x, y, x + width, y + height) for x, y in corners])


def _near(box: Box, extent: Extent) -> NDArray[np.float64]:
    """Places around the box, the nearest first: [P, 4]."""
    x1, y1, x2, y2 = box
    width, height = extent
    step = np.arange(-_REACH, _REACH + 0.5, 0.5) * height
    x = np.concatenate([x1 - width + step[step < 0], (x1 + x2 - width) / 2 + step, x2 + step[step > 0]])
    y = np.concatenate([y1 - height + step[step < 0], y2 + step[step > 0]])
    corners = np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)
    places = np.concatenate([corners, corners + np.array(extent)], axis=1)
    leaders = _leaders(box, places)
    distance = np.hypot(leaders[:, 2] - leaders[:, 0], leaders[:, 3] - leaders[:, 1])
    return places[distance.argsort(kind="stable")]


def _moved_inside(labels: NDArray[np.float64], size: tuple[int, int]) -> NDArray[np.float64]:
    """Moved into the picture by the shortest way; one that is too large keeps its beginning in."""
    extent = labels[:, 2:] - labels[:, :2]
    start = np.maximum(0.0, np.minimum(labels[:, :2], np.asarray(size) - 1.0 - extent))
    return np.concatenate([start, start + extent], axis=1)


def _crossings(
    labels: NDArray[np.float64], leaders: NDArray[np.float64], others: Sequence[Box], placed: Sequence[Placed]
) -> NDArray[np.int64]:
    """Points of lines that lie on boxes or labels, for each place [P, 4] with its line [P, 4]: [P]."""
    taken = np.array([*others, *(one.label for one in placed)]).reshape(-1, 1, 1, 4)
    crossed = _within(_points(leaders), taken).sum(axis=(0, 2))
    drawn = np.array([one.leader for one in placed if one.leader]).reshape(-1, 4)
    covered = _within(_points(drawn).reshape(-1, 2), labels[:, None]).sum(axis=1)
    total: NDArray[np.int64] = crossed + covered
    return total


def _points(leaders: NDArray[np.float64]) -> NDArray[np.float64]:
    """Points [L, 12, 2] along lines [L, 4]."""
    along = np.linspace(0, 1, _POINTS)[:, None]
    points: NDArray[np.float64] = leaders[:, None, :2] * (1 - along) + leaders[:, None, 2:] * along
    return points


def _within(points: NDArray[np.float64], boxes: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Whether points [..., 2] lie inside boxes [..., 4]."""
    inside: NDArray[np.bool_] = np.all((points > boxes[..., :2]) & (points < boxes[..., 2:]), axis=-1)
    return inside


def _overlap(labels: NDArray[np.float64], boxes: Sequence[Box]) -> NDArray[np.float64]:
    """The area that each label [P, 4] shares with boxes, [P]."""
    other, mine = np.array(boxes).reshape(1, -1, 4), labels[:, None]
    sides = np.minimum(mine[..., 2:], other[..., 2:]) - np.maximum(mine[..., :2], other[..., :2])
    area: NDArray[np.float64] = sides.clip(0).prod(axis=-1).sum(axis=1)
    return area


def _leaders(box: Box, labels: NDArray[np.float64]) -> NDArray[np.float64]:
    """From the box to each label [P, 4], the shortest way: x and y on the box, x and y on the label, [P, 4]."""
    start, end = np.array(box[:2]), np.array(box[2:])
    # where box and label share a stretch along an axis, the line stands in the middle of it
    middle = (np.maximum(labels[:, :2], start) + np.minimum(labels[:, 2:], end)) / 2
    return np.concatenate([middle.clip(start, end), middle.clip(labels[:, :2], labels[:, 2:])], axis=1)
