"""Pictures that are faces already: found without a search."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from fercli.core.errors import PictureError
from fercli.faces.detect import Detection


class WholePictures:
    """Takes every picture for one face, in place of a Detector."""

    def find_all(self, pictures: Sequence[NDArray[np.uint8]]) -> list[list[Detection] | PictureError]:
        """Each RGB picture [H, W, 3] as one face: its box is the whole picture; no landmarks, no score."""
        return [
            [Detection((0.0, 0.0, float(width), float(height)), (), None)]
            for height, width, _ in (picture.shape for picture in pictures)
        ]
