"""Resizing with NumPy alone, as OpenCV and PyTorch do it."""

import numpy as np


def window_means(pixels: np.ndarray, starts: np.ndarray, ends: np.ndarray, axis: int) -> np.ndarray:
    """The mean of each window along an axis; windows may begin and end within a pixel. float64."""
    pixels = np.moveaxis(pixels, axis, 0)
    sums = np.concatenate([np.zeros((1, *pixels.shape[1:])), np.cumsum(pixels, axis=0, dtype=np.float64)])

    def up_to(positions: np.ndarray) -> np.ndarray:
        whole = np.minimum(positions.astype(int), len(pixels) - 1)
        fraction = (positions - whole).reshape(-1, *[1] * (pixels.ndim - 1))
        return sums[whole] + fraction * (sums[whole + 1] - sums[whole])

    lengths = (ends - starts).reshape(-1, *[1] * (pixels.ndim - 1))
    return np.moveaxis((up_to(ends) - up_to(starts)) / lengths, 0, axis)


def resized_by_area(pixels: np.ndarray, height: int, width: int) -> np.ndarray:
    """Shrunk by averaging areas, as OpenCV's INTER_AREA: uint8 [height, width, …]."""
    shrunk = pixels
    for axis, count in enumerate((height, width)):
        edges = np.arange(count + 1) * pixels.shape[axis] / count
        shrunk = window_means(shrunk, edges[:-1], edges[1:], axis)
    return np.rint(shrunk).astype(np.uint8)


def resized_linearly(pixels: np.ndarray, height: int, width: int) -> np.ndarray:
    """Enlarged linearly, as OpenCV's INTER_LINEAR: uint8 [height, width] of uint8 [H, W]."""
    enlarged = pixels.astype(np.float64)
    for axis, count in enumerate((height, width)):
        old = pixels.shape[axis]
        positions = ((np.arange(count) + 0.5) * old / count - 0.5).clip(0, old - 1)
        low = positions.astype(int)
        fraction = (positions - low).reshape((-1, 1) if axis == 0 else (1, -1))
        low_values, high_values = (enlarged.take(at, axis) for at in (low, np.minimum(low + 1, old - 1)))
        enlarged = low_values + fraction * (high_values - low_values)
    return np.rint(enlarged).astype(np.uint8)
