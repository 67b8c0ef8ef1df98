"""Integral images: the mean over any window of a picture from four sums. A fast way to resize as MTCNN needs it."""

from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from fercli.faces.opencv import load_opencv


class Windows(NamedTuple):
    """Where windows along one axis start and end, in whole pixels: two tensors of the same shape."""

    starts: Tensor
    ends: Tensor

    @property
    def lengths(self) -> Tensor:
        """The number of pixels in each window, as floating point."""
        return (self.ends - self.starts).float()


def split_into_windows(length: Tensor | int, count: int, indices: Tensor) -> Windows:
    """Split `length` pixels into `count` equal windows and return those with the given indices.

    A window has every pixel that it touches, even in part. Means over such windows are PyTorch's area interpolation,
    or adaptive average pooling.
    """
    return Windows(indices * length // count, ((indices + 1) * length + count - 1) // count)


class IntegralImage:
    """The integral image of an RGB picture [H, W, 3]: `table` [H + 1, W + 1, 3] int32 on a device.

    Each entry is the sum of all pixels to its left and above. In large pictures the sums overflow 2³¹, but differences
    are right again for every window whose own sum does not.
    """

    def __init__(self, picture: NDArray[np.uint8], device: torch.device) -> None:
        self.height, self.width = picture.shape[:2]
        self.table = _integrate_with_opencv(picture) if device.type == "cpu" else _integrate_with_torch(picture, device)

    def resize_region(self, size: tuple[int, int], rows: range, columns: range) -> Tensor:
        """Resize the picture to `size` (height, width) and return these rows and columns: [rows, columns, 3], scaled
        for MTCNN."""
        row_windows, column_windows = (
            split_into_windows(length, count, torch.arange(span.start, span.stop, device=self.table.device))
            for length, count, span in ((self.height, size[0], rows), (self.width, size[1], columns))
        )
        # only the columns that are needed are copied
        left = columns.start * self.width // size[1]
        table = self.table[:, left : (columns.stop * self.width - 1) // size[1] + 2]
        bands = table.index_select(0, row_windows.ends) - table.index_select(0, row_windows.starts)
        sums = bands.index_select(1, column_windows.ends - left) - bands.index_select(1, column_windows.starts - left)
        return _scale_means(sums, row_windows.lengths[:, None] * column_windows.lengths)

    def crop_and_resize(self, boxes: Tensor, side: int) -> Tensor:
        """Crop boxes [N, 4] int64 (left, top, right, bottom), which must be inside the picture, and resize each:
        [N, side, side, 3], scaled for MTCNN."""
        left, top, right, bottom = boxes.to(self.table.device)[:, :, None].unbind(1)
        indices = torch.arange(side, device=self.table.device)
        row_windows = split_into_windows(bottom - top, side, indices)
        column_windows = split_into_windows(right - left, side, indices)
        flat = self.table.view(-1, 3)

        def look_up(rows: Tensor, columns: Tensor) -> Tensor:
            positions = ((top + rows) * (self.width + 1))[:, :, None] + (left + columns)[:, None, :]
            return flat.index_select(0, positions.flatten()).view(*positions.shape, 3)

        sums = look_up(row_windows.ends, column_windows.ends).sub_(look_up(row_windows.starts, column_windows.ends))
        sums.sub_(look_up(row_windows.ends, column_windows.starts))
        sums.add_(look_up(row_windows.starts, column_windows.starts))
        return _scale_means(sums, row_windows.lengths[:, :, None] * column_windows.lengths[:, None, :])


def _integrate_with_opencv(picture: NDArray[np.uint8]) -> Tensor:
    cv2 = load_opencv()
    return torch.from_numpy(cv2.integral(picture, sdepth=cv2.CV_32S))


def _integrate_with_torch(picture: NDArray[np.uint8], device: torch.device) -> Tensor:
    pixels = torch.from_numpy(np.require(picture, requirements=["C", "W"])).to(device)
    return F.pad(pixels.cumsum(0, dtype=torch.int32).cumsum(1, dtype=torch.int32), (0, 0, 1, 0, 1, 0))


def _scale_means(sums: Tensor, counts: Tensor) -> Tensor:
    """From sums [..., 3] of `counts` pixels of 0 to 255 to means in the range of MTCNN's networks, about -1 to 1."""
    return torch.addcmul(
        sums.new_tensor(-127.5 / 128, dtype=torch.float), sums.float(), (1 / (128 * counts))[..., None]
    )
