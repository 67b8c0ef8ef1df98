"""Arithmetic on boxes [N, 4] (left, top, right, bottom), in the order and precision of facenet-pytorch."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor
from torchvision import ops


class Candidates(NamedTuple):
    """Boxes that may contain a face, on the CPU. Those with the same image ID are next to each other.

    `image_ids` [N] say which boxes belong together; while the levels of pyramids are searched one by one, they are
    level indices. `scores` [N] are from 0 to 1. `offsets` [N, 4] are corrections as fractions of a box's width and
    height. `landmarks` [N, 5, 2] are points in pixels; [N, 0, 2] for the first two networks, which give none.
    """

    image_ids: Tensor
    boxes: Tensor
    scores: Tensor
    offsets: Tensor
    landmarks: Tensor

    def select(self, index: Tensor) -> "Candidates":
        """The candidates at these indices, or where a mask is true."""
        return Candidates(*(values[index] for values in self))

    def nms(self, threshold: float) -> "Candidates":
        """Non-maximum suppression for each image: drops boxes whose IoU with a better one is above `threshold`.

        Within an image, the remaining boxes are sorted by score, the highest first.
        """
        return self._suppress(partial(ops.nms, iou_threshold=threshold))

    def nms_min(self, threshold: float) -> "Candidates":
        """The same with intersection over the smaller box in place of IoU, and sides counted in whole pixels."""
        return self._suppress(partial(_nms_min, threshold=threshold))

    def _suppress(self, choose: Callable[[Tensor, Tensor], Tensor]) -> "Candidates":
        kept = [group[choose(self.boxes[group], self.scores[group])] for group in self._group_by_image()]
        return self.select(torch.cat(kept)) if kept else self

    def _group_by_image(self) -> Iterator[Tensor]:
        """The indices of each image's candidates."""
        counts = self.image_ids.unique_consecutive(return_counts=True)[1]
        yield from torch.arange(len(self.image_ids)).split(counts.tolist())

    def apply_offsets(self, extra: int) -> Tensor:
        """The corrected boxes [N, 4]. `extra` pixels are added to the width and height that the offsets refer to."""
        sides = self.boxes[:, 2:] - self.boxes[:, :2] + extra
        return self.boxes + self.offsets * sides.repeat(1, 2)


def make_square(boxes: Tensor) -> Tensor:
    """Extend the shorter side of each box to the longer one, around the same centre."""
    sides = boxes[:, 2:] - boxes[:, :2]
    longer = sides.amax(1, keepdim=True)
    corner = boxes[:, :2] + sides * 0.5 - longer * 0.5
    return torch.cat([corner, corner + longer], 1)


def clip_to_images(boxes: Tensor, sizes: Tensor) -> Tensor:
    """The whole pixels that boxes cover in images of sizes [N, 2] (width, height): boxes [N, 4] int64.

    A box outside its image gets no width or height, or a negative one.
    """
    whole = boxes.trunc().long()
    return torch.cat([whole[:, :2].clamp(min=1) - 1, torch.minimum(whole[:, 2:], sizes)], 1)


def _nms_min(boxes: Tensor, scores: Tensor, threshold: float) -> Tensor:
    areas = (boxes[:, 2:] - boxes[:, :2] + 1).prod(1)
    # many scores are exactly 1; NumPy's sort decides between these, as in facenet-pytorch
    remaining, kept = torch.from_numpy(scores.numpy().argsort()[::-1].copy()), []
    while len(remaining):
        best, remaining = remaining[0], remaining[1:]
        kept.append(best)
        top_left = torch.maximum(boxes[best, :2], boxes[remaining, :2])
        bottom_right = torch.minimum(boxes[best, 2:], boxes[remaining, 2:])
        intersection = (bottom_right - top_left + 1).clamp(min=0).prod(1)
        remaining = remaining[intersection / torch.minimum(areas[best], areas[remaining]) <= threshold]
    return torch.stack(kept)
