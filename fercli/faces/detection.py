"""What is known of a face that was found, and pictures that are faces already."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fercli.core.errors import PictureError

#: A box in pixels of the picture as it came: left, top, right, bottom. It may pass the picture's edges.
Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class Detection:
    """One face found: its box, the five landmarks (x, y) and how sure the detector is, 0 to 1.

    The landmarks are left eye, right eye, tip of the nose, left and right corner of the mouth, as they lie in
    the picture. A picture that is taken for a face as it is has no score and no landmarks (see
    fercli.faces.whole): nobody looked for them.
    """

    box: Box
    landmarks: tuple[tuple[float, float], ...]
    score: float | None


class WholePictures:
    """Takes every picture for one face, in place of a Detector."""

    def find_all(self, pictures: Sequence[NDArray[np.uint8]]) -> list[list[Detection] | PictureError]:
        """Each RGB picture [H, W, 3] as one face: its box is the whole picture; no landmarks, no score."""
        return [
            [Detection((0.0, 0.0, float(width), float(height)), (), None)]
            for height, width, _ in (picture.shape for picture in pictures)
        ]
