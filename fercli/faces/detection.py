"""A detected face, and a stand-in for the detector when every picture is already a face."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fercli.core.errors import PictureError

#: A box in pixels of the original picture: left, top, right, bottom. It may extend beyond the picture's edges.
Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class Detection:
    """A detected face: its box, five landmarks (x, y), and the detector's score from 0 to 1.

    The landmarks are left eye, right eye, tip of the nose, left and right corner of the mouth, where left and right
    are those of the picture. A picture that is taken as a face without a search has no landmarks and no score (see
    WholePictureDetector).
    """

    box: Box
    landmarks: tuple[tuple[float, float], ...]
    score: float | None


class WholePictureDetector:
    """Takes every picture as one face. Used in place of mtcnn.detector.Detector when pictures are face crops."""

    def find_all(self, pictures: Sequence[NDArray[np.uint8]]) -> list[list[Detection] | PictureError]:
        """One detection for each RGB picture [H, W, 3]: its box is the whole picture, without landmarks and score."""
        return [
            [Detection((0.0, 0.0, float(width), float(height)), (), None)]
            for height, width, _ in (picture.shape for picture in pictures)
        ]
