"""Placing labels near the boxes they belong to, inside the picture, without hiding boxes or other labels."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fercli.faces.detection import Box

#: How far a label may be from its box, in heights of the label.
_MAX_DISTANCE = 9
#: How many positions are checked for lines that cross something, and at how many points of each line.
_CANDIDATES, _POINTS = 256, 12

#: The fraction of its own box that a label may cover if there is no other room.
_TOLERATED = 1 / 16

#: Width and height of a label in pixels.
Extent = tuple[float, float]


@dataclass(frozen=True)
class PlacedLabel:
    """A label's box, and the line (x, y, x, y) between the nearest points of face box and label, if they are apart.

    `is_free` means that it covers no other box, label or line, that its own line crosses none, and that it covers at
    most a sixteenth of its own box, which is the only room where a face fills the picture.
    """

    box: Box
    leader: tuple[float, float, float, float] | None
    is_free: bool


def place_labels(
    boxes: Sequence[Box], extents: Sequence[Extent], size: tuple[int, int], allow_overlap: bool = True
) -> list[PlacedLabel]:
    """Place a label of the given extent for each box in a picture of `size` (width, height).

    A label goes next to its box if there is room, otherwise nearby with a line to the box. If there is no room at all,
    it goes where it hides least; without `allow_overlap`, the list ends before that label. Labels that fit into the
    picture are inside it.
    """
    placed: list[PlacedLabel] = []
    for index, (box, extent) in enumerate(zip(boxes, extents, strict=True)):
        others = [other for i, other in enumerate(boxes) if i != index]
        label = _place_label(box, extent, size, others, placed)
        if not (label.is_free or allow_overlap):
            break
        placed.append(label)
    return placed


def _place_label(
    box: Box, extent: Extent, size: tuple[int, int], others: Sequence[Box], placed: Sequence[PlacedLabel]
) -> PlacedLabel:
    """The first position that hides nothing, next to the box or nearby, or else the one that hides least."""
    best: list[tuple[float, PlacedLabel]] = []
    area = (box[2] - box[0]) * (box[3] - box[1])
    for list_positions in (_list_adjacent, _list_nearby):
        labels = _move_inside(list_positions(box, extent), size)
        # a label does little harm at the edge of its own box; over another label, both become illegible
        foreign = _overlap_areas(labels, others) + 2 * _overlap_areas(labels, [label.box for label in placed])
        hidden = _overlap_areas(labels, [box]) + foreign / _TOLERATED
        order = np.rint(hidden).argsort(kind="stable")[:_CANDIDATES]
        labels, leaders = labels[order], _leader_lines(box, labels[order])
        hidden = np.rint(hidden[order]) + (1 + area) * _count_crossings(labels, leaders, others, placed)
        first = int(hidden.argmin())
        is_apart = np.any(np.abs(leaders[first, :2] - leaders[first, 2:]) > 1)
        leader = tuple(leaders[first].tolist()) if is_apart else None
        is_free = bool(hidden[first] <= _TOLERATED * area)
        best.append((hidden[first], PlacedLabel(tuple(labels[first].tolist()), leader, is_free)))
        if not hidden[first]:
            break
    return min(best, key=lambda item: item[0])[1]


def _list_adjacent(box: Box, extent: Extent) -> NDArray[np.float64]:
    """Labels above, below and beside the box, aligned with its edges or its centre: [12, 4], the preferred first."""
    x1, y1, x2, y2 = box
    width, height = extent
    across = (x1, (x1 + x2 - width) / 2, x2 - width)
    down = (y1, (y1 + y2 - height) / 2, y2 - height)
    corners = [(x, y) for y in (y1 - height, y2) for x in across]
    corners += [(x, y) for x in (x2, x1 - width) for y in down]
    return np.array([(x, y, x + width, y + height) for x, y in corners])


def _list_nearby(box: Box, extent: Extent) -> NDArray[np.float64]:
    """Labels around the box, the nearest first: [P, 4]."""
    x1, y1, x2, y2 = box
    width, height = extent
    step = np.arange(-_MAX_DISTANCE, _MAX_DISTANCE + 0.5, 0.5) * height
    x = np.concatenate([x1 - width + step[step < 0], (x1 + x2 - width) / 2 + step, x2 + step[step > 0]])
    y = np.concatenate([y1 - height + step[step < 0], y2 + step[step > 0]])
    corners = np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)
    labels = np.concatenate([corners, corners + np.array(extent)], axis=1)
    leaders = _leader_lines(box, labels)
    distance = np.hypot(leaders[:, 2] - leaders[:, 0], leaders[:, 3] - leaders[:, 1])
    return labels[distance.argsort(kind="stable")]


def _move_inside(labels: NDArray[np.float64], size: tuple[int, int]) -> NDArray[np.float64]:
    """Move labels into the picture by the shortest way. One that is too large starts at the picture's edge."""
    extent = labels[:, 2:] - labels[:, :2]
    start = np.maximum(0.0, np.minimum(labels[:, :2], np.asarray(size) - 1.0 - extent))
    return np.concatenate([start, start + extent], axis=1)


def _count_crossings(
    labels: NDArray[np.float64], leaders: NDArray[np.float64], others: Sequence[Box], placed: Sequence[PlacedLabel]
) -> NDArray[np.int64]:
    """How many points of lines fall on boxes or labels, for each label [P, 4] with its line [P, 4]: [P]."""
    taken = np.array([*others, *(label.box for label in placed)]).reshape(-1, 1, 1, 4)
    crossed = _are_within(_points_along(leaders), taken).sum(axis=(0, 2))
    drawn = np.array([label.leader for label in placed if label.leader]).reshape(-1, 4)
    covered = _are_within(_points_along(drawn).reshape(-1, 2), labels[:, None]).sum(axis=1)
    total: NDArray[np.int64] = crossed + covered
    return total


def _points_along(leaders: NDArray[np.float64]) -> NDArray[np.float64]:
    """Points [L, 12, 2] along lines [L, 4]."""
    along = np.linspace(0, 1, _POINTS)[:, None]
    points: NDArray[np.float64] = leaders[:, None, :2] * (1 - along) + leaders[:, None, 2:] * along
    return points


def _are_within(points: NDArray[np.float64], boxes: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Whether points [..., 2] are inside boxes [..., 4]."""
    within: NDArray[np.bool_] = np.all((points > boxes[..., :2]) & (points < boxes[..., 2:]), axis=-1)
    return within


def _overlap_areas(labels: NDArray[np.float64], boxes: Sequence[Box]) -> NDArray[np.float64]:
    """The area that each label [P, 4] shares with the boxes together: [P]."""
    other, own = np.array(boxes).reshape(1, -1, 4), labels[:, None]
    sides = np.minimum(own[..., 2:], other[..., 2:]) - np.maximum(own[..., :2], other[..., :2])
    area: NDArray[np.float64] = sides.clip(0).prod(axis=-1).sum(axis=1)
    return area


def _leader_lines(box: Box, labels: NDArray[np.float64]) -> NDArray[np.float64]:
    """The shortest line from the box to each label [P, 4]: x and y on the box, x and y on the label, [P, 4]."""
    start, end = np.array(box[:2]), np.array(box[2:])
    # where box and label overlap along an axis, the line is in the middle of the overlap
    middle = (np.maximum(labels[:, :2], start) + np.minimum(labels[:, 2:], end)) / 2
    return np.concatenate([middle.clip(start, end), middle.clip(labels[:, :2], labels[:, 2:])], axis=1)
