"""Boxes [N, 4] (left, top, right, bottom): MTCNN's arithmetic in the order and the precision of facenet-pytorch."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor
from torchvision.ops import nms


class Candidates(NamedTuple):
    """Boxes that may hold a face, on the CPU; those of one owner stand together.

    `owners` [N] are numbers, `scores` [N] of 0 to 1, `shifts` [N, 4] corrections as shares of a box's sides,
    `landmarks` [N, 5, 2] points in pixels, none for the first two networks.
    """

    owners: Tensor
    boxes: Tensor
    scores: Tensor
    shifts: Tensor
    landmarks: Tensor

    def at(self, places: Tensor) -> "Candidates":
        """Those at these places, or where a mask is true."""
        return Candidates(*(values[places] for values in self))

    def best(self, limit: float) -> "Candidates":
        """Owner by owner the surest first: none shares more than `limit` of both boxes' union with a surer one."""
        return self._kept(partial(nms, iou_threshold=limit))

    def best_of_smaller(self, limit: float) -> "Candidates":
        """The same, but `limit` is a share of the smaller box, sides counted in whole pixels."""
        return self._kept(partial(_best_of_smaller, limit=limit))

    def _kept(self, choose: Callable[[Tensor, Tensor], Tensor]) -> "Candidates":
        kept = [group[choose(self.boxes[group], self.scores[group])] for group in self._groups()]
        return self.at(torch.cat(kept)) if kept else self

    def _groups(self) -> Iterator[Tensor]:
        counts = self.owners.unique_consecutive(return_counts=True)[1]
        yield from torch.arange(len(self.owners)).split(counts.tolist())

    def moved(self, pixel: int) -> Tensor:
        """The boxes as corrected: sides moved by shares of their width and height, to which `pixel` is added."""
        sides = self.boxes[:, 2:] - self.boxes[:, :2] + pixel
        return self.boxes + self.shifts * sides.repeat(1, 2)


def squares(boxes: Tensor) -> Tensor:
    """Boxes made square around their middles, at their longer side."""
    sides = boxes[:, 2:] - boxes[:, :2]
    longer = sides.amax(1, keepdim=True)
    corner = boxes[:, :2] + sides * 0.5 - longer * 0.5
    return torch.cat([corner, corner + longer], 1)


def inside(boxes: Tensor, sizes: Tensor) -> Tensor:
    """The whole pixels that boxes cover in pictures of these sizes [N, 2] (width, height): boxes [N, 4] int64, without
    width or height where they lie beside the picture."""
    whole = boxes.trunc().long()
    return torch.cat([whole[:, :2].clamp(min=1) - 1, torch.minimum(whole[:, 2:], sizes)], 1)


def _best_of_smaller(boxes: Tensor, scores: Tensor, limit: float) -> Tensor:
    areas = (boxes[:, 2:] - boxes[:, :2] + 1).prod(1)
    # many scores are 1: which of those counts is left to NumPy's order, as facenet-pytorch does
    left, kept = torch.from_numpy(scores.numpy().argsort()[::-1].copy()), []
    while len(left):
        first, left = left[0], left[1:]
        kept.append(first)
        corner = torch.maximum(boxes[first, :2], boxes[left, :2])
        opposite = torch.minimum(boxes[first, 2:], boxes[left, 2:])
        shared = (opposite - corner + 1).clamp(min=0).prod(1)
        left = left[shared / torch.minimum(areas[first], areas[left]) <= limit]
    return torch.stack(kept)
