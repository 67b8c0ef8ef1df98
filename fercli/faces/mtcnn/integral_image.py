"""Means over any windows of a picture, each from four sums: how MTCNN resamples, made fast."""

from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from fercli.faces.opencv import opencv


class Windows(NamedTuple):
    """Where windows along one side begin and end, in whole pixels: tensors of one shape."""

    starts: Tensor
    ends: Tensor

    @property
    def lengths(self) -> Tensor:
        """Pixels in each window, as floating point."""
        return (self.ends - self.starts).float()


def shares(length: Tensor | int, count: int, numbers: Tensor) -> Windows:
    """The shares with these numbers of `length` pixels cut into `count` equal ones: all pixels that each touches.

    That is what PyTorch calls area interpolation or adaptive average pooling.
    """
    return Windows(numbers * length // count, ((numbers + 1) * length + count - 1) // count)


class Sums:
    """A picture as its summed-area table [H + 1, W + 1, 3] int32 on a device: sums over all that lies left and above.

    Sums run over beyond 2³¹ in large pictures, and come right again in the difference of any window that has less.
    """

    def __init__(self, picture: NDArray[np.uint8], device: torch.device) -> None:
        self.height, self.width = picture.shape[:2]
        self.table = _by_opencv(picture) if device.type == "cpu" else _by_torch(picture, device)

    def part(self, size: tuple[int, int], rows: range, columns: range) -> Tensor:
        """These rows and columns of the picture resized to `size` (height, width), scaled: [rows, columns, 3]."""
        down, across = (
            shares(length, count, torch.arange(some.start, some.stop, device=self.table.device))
            for length, count, some in ((self.height, size[0], rows), (self.width, size[1], columns))
        )
        # what lies beside it is not copied
        left = columns.start * self.width // size[1]
        near = self.table[:, left : (columns.stop * self.width - 1) // size[1] + 2]
        bands = near.index_select(0, down.ends) - near.index_select(0, down.starts)
        sums = bands.index_select(1, across.ends - left) - bands.index_select(1, across.starts - left)
        return _scaled_means(sums, down.lengths[:, None] * across.lengths)

    def crops(self, boxes: Tensor, side: int) -> Tensor:
        """What lies in boxes [N, 4] int64 (left, top, right, bottom) inside the picture, resized and scaled:
        [N, side, side, 3]."""
        left, top, right, bottom = boxes.to(self.table.device)[:, :, None].unbind(1)
        numbers = torch.arange(side, device=self.table.device)
        down, across = shares(bottom - top, side, numbers), shares(right - left, side, numbers)
        flat = self.table.view(-1, 3)

        def sums(rows: Tensor, columns: Tensor) -> Tensor:
            places = ((top + rows) * (self.width + 1))[:, :, None] + (left + columns)[:, None, :]
            return flat.index_select(0, places.flatten()).view(*places.shape, 3)

        total = sums(down.ends, across.ends).sub_(sums(down.starts, across.ends))
        total.sub_(sums(down.ends, across.starts)).add_(sums(down.starts, across.starts))
        return _scaled_means(total, down.lengths[:, :, None] * across.lengths[:, None, :])


def _by_opencv(picture: NDArray[np.uint8]) -> Tensor:
    cv2 = opencv()
    return torch.from_numpy(cv2.integral(picture, sdepth=cv2.CV_32S))


def _by_torch(picture: NDArray[np.uint8], device: torch.device) -> Tensor:
    pixels = torch.from_numpy(np.require(picture, requirements=["C", "W"])).to(device)
    return F.pad(pixels.cumsum(0, dtype=torch.int32).cumsum(1, dtype=torch.int32), (0, 0, 1, 0, 1, 0))


def _scaled_means(sums: Tensor, counts: Tensor) -> Tensor:
    """Of sums [..., 3] over so many pixels of 0 to 255, the means as MTCNN's networks want them: about -1 to 1."""
    return torch.addcmul(
        sums.new_tensor(-127.5 / 128, dtype=torch.float), sums.float(), (1 / (128 * counts))[..., None]
    )
