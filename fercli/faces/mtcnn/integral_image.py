"""Integral images: the mean over any window of a picture from four sums. A fast way to resize as MTCNN needs it."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fercli.faces.opencv import load_opencv


class Windows(NamedTuple):
    """Where windows along one axis start and end, in whole pixels: two int64 arrays of the same shape."""

    starts: NDArray[np.int64]
    ends: NDArray[np.int64]

    @property
    def lengths(self) -> NDArray[np.float32]:
        """The number of pixels in each window."""
        return (self.ends - self.starts).astype(np.float32)


def split_into_windows(length: NDArray[np.int64] | int, count: int, indices: NDArray[np.int64]) -> Windows:
    """Split `length` pixels into `count` equal windows and return those with the given indices.

    A window has every pixel that it touches, even in part. Means over such windows are PyTorch's area interpolation,
    or adaptive average pooling.
    """
    return Windows(indices * length // count, ((indices + 1) * length + count - 1) // count)


class IntegralImage:
    """The integral image of an RGB picture [H, W, 3]: `table` [H + 1, W + 1, 3] int32.

    Each entry is the sum of all pixels to its left and above. In large pictures the sums overflow 2³¹, but differences
    are right again for every window whose own sum does not.
    """

    def __init__(self, picture: NDArray[np.uint8]) -> None:
        cv2 = load_opencv()
        self.height, self.width = picture.shape[:2]
        self.table: NDArray[np.int32] = cv2.integral(picture, sdepth=cv2.CV_32S)

    def resize_region(self, size: tuple[int, int], rows: range, columns: range) -> NDArray[np.float32]:
        """Resize the picture to `size` (height, width) and return these rows and columns: [rows, columns, 3], scaled
        for MTCNN."""
        row_windows, column_windows = (
            split_into_windows(length, count, np.arange(span.start, span.stop))
            for length, count, span in ((self.height, size[0], rows), (self.width, size[1], columns))
        )
        # only the columns that are needed are copied: by indices, since `take` would first copy the whole slice
        left = columns.start * self.width // size[1]
        table = self.table[:, left : (columns.stop * self.width - 1) // size[1] + 2]
        bands = table[row_windows.ends]
        bands -= table[row_windows.starts]
        sums = bands.take(column_windows.ends - left, axis=1)
        sums -= bands.take(column_windows.starts - left, axis=1)
        return _scale_means(sums, row_windows.lengths[:, None] * column_windows.lengths)

    def crop_and_resize(self, boxes: NDArray[np.int64], side: int) -> NDArray[np.float32]:
        """Crop boxes [N, 4] int64 (left, top, right, bottom), which must be inside the picture, and resize each:
        [N, side, side, 3], scaled for MTCNN."""
        left, top, right, bottom = boxes.T[:, :, None]
        indices = np.arange(side)
        row_windows = split_into_windows(bottom - top, side, indices)
        column_windows = split_into_windows(right - left, side, indices)
        flat = self.table.reshape(-1, 3)

        def look_up(rows: NDArray[np.int64], columns: NDArray[np.int64]) -> NDArray[np.int32]:
            positions = ((top + rows) * (self.width + 1))[:, :, None] + (left + columns)[:, None, :]
            found: NDArray[np.int32] = flat.take(positions, axis=0)
            return found

        sums = look_up(row_windows.ends, column_windows.ends)
        sums -= look_up(row_windows.starts, column_windows.ends)
        sums -= look_up(row_windows.ends, column_windows.starts)
        sums += look_up(row_windows.starts, column_windows.starts)
        return _scale_means(sums, row_windows.lengths[:, :, None] * column_windows.lengths[:, None, :])


def _scale_means(sums: NDArray[np.int32], counts: NDArray[np.float32]) -> NDArray[np.float32]:
    """From sums [..., 3] of `counts` pixels of 0 to 255 to means in the range of MTCNN's networks, about -1 to 1."""
    scaled = sums.astype(np.float32)
    scaled *= (1 / (128 * counts))[..., None]
    scaled += np.float32(-127.5 / 128)
    return scaled
