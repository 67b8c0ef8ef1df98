"""Arithmetic on boxes [N, 4] (left, top, right, bottom), in the order and precision of facenet-pytorch."""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

#: The overlap of boxes [N, 4] with others [M, 4]: [N, M].
_Overlap = Callable[[NDArray[np.float32], NDArray[np.float32]], NDArray[np.float32]]
#: How many boxes are compared at once.
_BLOCK = 256


class Candidates(NamedTuple):
    """Boxes that may contain a face. Those with the same image ID are next to each other.

    `image_ids` [N] int64 say which boxes belong together; while the levels of pyramids are searched one by one, they
    are level indices. All others are float32. `scores` [N] are from 0 to 1. `offsets` [N, 4] are corrections as
    fractions of a box's width and height. `landmarks` [N, 5, 2] are points in pixels; [N, 0, 2] for the first two
    networks, which give none.
    """

    image_ids: NDArray[np.int64]
    boxes: NDArray[np.float32]
    scores: NDArray[np.float32]
    offsets: NDArray[np.float32]
    landmarks: NDArray[np.float32]

    def select(self, index: NDArray[np.int64] | NDArray[np.bool_]) -> "Candidates":
        """The candidates at these indices, or where a mask is true."""
        return Candidates(
            self.image_ids[index], self.boxes[index], self.scores[index], self.offsets[index], self.landmarks[index]
        )

    def nms(self, threshold: float) -> "Candidates":
        """Non-maximum suppression for each image: drops boxes whose IoU with a better one is above `threshold`.

        Within an image, the remaining boxes are sorted by score, the highest first.
        """
        return self._suppress(partial(_nms, threshold=threshold))

    def nms_min(self, threshold: float) -> "Candidates":
        """The same with intersection over the smaller box in place of IoU, and sides counted in whole pixels."""
        return self._suppress(partial(_nms_min, threshold=threshold))

    def _suppress(
        self, choose: Callable[[NDArray[np.float32], NDArray[np.float32]], NDArray[np.int64]]
    ) -> "Candidates":
        groups = group_by_image(self.image_ids)
        kept = [group[choose(self.boxes[group], self.scores[group])] for group in groups]
        return self.select(np.concatenate(kept)) if kept else self

    def apply_offsets(self, extra: int) -> NDArray[np.float32]:
        """The corrected boxes [N, 4]. `extra` pixels are added to the width and height that the offsets refer to."""
        sides = self.boxes[:, 2:] - self.boxes[:, :2] + np.float32(extra)
        return self.boxes + self.offsets * np.tile(sides, 2)


def group_by_image(image_ids: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    """The indices of each image's candidates."""
    if not len(image_ids):
        return []
    return np.split(np.arange(len(image_ids)), np.flatnonzero(np.diff(image_ids)) + 1)


def make_square(boxes: NDArray[np.float32]) -> NDArray[np.float32]:
    """Extend the shorter side of each box to the longer one, around the same centre."""
    half = np.float32(0.5)
    sides = boxes[:, 2:] - boxes[:, :2]
    longer = sides.max(axis=1, keepdims=True)
    corner = boxes[:, :2] + sides * half - longer * half
    return np.concatenate([corner, corner + longer], axis=1)


def clip_to_images(boxes: NDArray[np.float32], sizes: NDArray[np.int64]) -> NDArray[np.int64]:
    """The whole pixels that boxes cover in images of sizes [N, 2] (width, height): boxes [N, 4] int64.

    A box outside its image gets no width or height, or a negative one.
    """
    whole = np.trunc(boxes).astype(np.int64)
    return np.concatenate([whole[:, :2].clip(min=1) - 1, np.minimum(whole[:, 2:], sizes)], axis=1)


def _nms(boxes: NDArray[np.float32], scores: NDArray[np.float32], threshold: float) -> NDArray[np.int64]:
    # stable, as torchvision's: of equal scores the first is kept
    return _keep_best(boxes, (-scores).argsort(kind="stable"), _iou, threshold)


def _nms_min(boxes: NDArray[np.float32], scores: NDArray[np.float32], threshold: float) -> NDArray[np.int64]:
    # many scores are exactly 1; NumPy's sort decides between these, as in facenet-pytorch
    return _keep_best(boxes, scores.argsort()[::-1], _overlap_of_smaller, threshold)


def _keep_best(
    boxes: NDArray[np.float32], order: NDArray[np.int64], overlap: _Overlap, threshold: float
) -> NDArray[np.int64]:
    """The indices of the boxes that remain when each, in this order, drops those that overlap with it too much.

    Boxes are compared in blocks, each with itself and then what remains of it with all that follow: few calls of NumPy.
    """
    kept = []
    while len(order):
        block, order = order[:_BLOCK], order[_BLOCK:]
        drops = overlap(boxes[block], boxes[block]) > threshold
        remains = np.ones(len(block), bool)
        for index in range(len(block)):
            if remains[index]:
                remains[index + 1 :] &= ~drops[index, index + 1 :]
        kept.append(block[remains])
        if len(order):
            order = order[~(overlap(boxes[kept[-1]], boxes[order]) > threshold).any(axis=0)]
    return np.concatenate(kept)


def _iou(boxes: NDArray[np.float32], others: NDArray[np.float32]) -> NDArray[np.float32]:
    intersections, areas, other_areas = _measure(boxes, others, 0)
    with np.errstate(divide="ignore", invalid="ignore"):  # of boxes without an area, which drop none
        fractions: NDArray[np.float32] = np.divide(intersections, areas + other_areas - intersections)
    return fractions


def _overlap_of_smaller(boxes: NDArray[np.float32], others: NDArray[np.float32]) -> NDArray[np.float32]:
    intersections, areas, other_areas = _measure(boxes, others, 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        fractions: NDArray[np.float32] = np.divide(intersections, np.minimum(areas, other_areas))
    return fractions


def _measure(
    boxes: NDArray[np.float32], others: NDArray[np.float32], extra: int
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
    """The areas of all intersections [N, M], of the boxes [N, 1] and of the others [M], with `extra` pixels added to
    each width and height."""
    pixels = np.float32(extra)
    ends = np.minimum(boxes[:, None, 2:], others[:, 2:])
    sides = np.maximum(ends - np.maximum(boxes[:, None, :2], others[:, :2]) + pixels, np.float32(0))
    areas, other_areas = ((group[:, 2:] - group[:, :2] + pixels).prod(axis=1) for group in (boxes, others))
    return sides[..., 0] * sides[..., 1], areas[:, None], other_areas
