"""What makes a face hard to read: how small it is, how blurred, how far it is turned aside."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from fercli.faces.detection import Box

#: How far the tip of the nose stands out before the line between the eyes, in distances between the eyes. Rough:
#: people differ, and so do detectors.
_NOSE_DEPTH = 0.6
#: The width in pixels of the mean that a face is blurred with once more.
_WINDOW = 9

#: A face is small below so many pixels, blurred from that blur on, and turned from so many degrees on: there
#: expressions are read less well (docs/results.md has the figures).
SMALL, BLURRED, TURNED = 40, 0.6, 30


def name_difficulties(size: float, blur: float | None, yaw: float | None) -> list[str]:
    """Which of 'small', 'blurred' and 'turned' a face is, by its size in pixels, its blur and its yaw in degrees."""
    found = {
        "small": size < SMALL,
        "blurred": blur is not None and blur >= BLURRED,
        "turned": yaw is not None and abs(yaw) >= TURNED,
    }
    return [name for name, applies in found.items() if applies]


def face_size(box: Box) -> float:
    """The longer side of a box in pixels."""
    x1, y1, x2, y2 = box
    return max(x2 - x1, y2 - y1)


def measure_blur(face: NDArray[np.uint8]) -> float:
    """How blurred a gray face [H, W] is, from 0 to 1: how little blurring it once more changes it.

    After Crete et al. 2007, 'The blur effect', of which this is the larger value of the two directions. A face of a
    single gray is 1.
    """
    pixels = face.astype(np.float32)
    return max(_blur_along(pixels), _blur_along(pixels.T))


def _blur_along(pixels: NDArray[np.float32]) -> float:
    """The same along the rows."""
    padded = np.pad(pixels, ((0, 0), (_WINDOW // 2 + 1, _WINDOW // 2)), mode="edge")
    sums = np.cumsum(padded, axis=1, dtype=np.float64)
    again = (sums[:, _WINDOW:] - sums[:, :-_WINDOW]) / _WINDOW
    before, after = np.abs(np.diff(pixels, axis=1)), np.abs(np.diff(again, axis=1))
    total = float(before.sum())
    lost = float(np.maximum(before - after, 0).sum())
    return 1 - lost / total if total else 1.0


def estimate_yaw(landmarks: Sequence[tuple[float, float]]) -> float | None:
    """How far a face is turned aside, in degrees, roughly: 0 is frontal, positive to the right of the picture.

    From the tip of the nose, which moves along the line between the eyes as the head turns. `landmarks` are those of a
    Detection; None without them, or where the eyes are in one place.
    """
    if not landmarks:
        return None
    (left_x, left_y), (right_x, right_y), (nose_x, nose_y) = landmarks[:3]
    across, down = right_x - left_x, right_y - left_y
    distance = math.hypot(across, down)
    if not distance:
        return None
    offset = ((nose_x - (left_x + right_x) / 2) * across + (nose_y - (left_y + right_y) / 2) * down) / distance
    return math.degrees(math.atan2(offset / _NOSE_DEPTH, distance))
