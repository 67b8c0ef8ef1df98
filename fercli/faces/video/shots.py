"""Where one shot of a video ends and the next begins."""

import numpy as np
from numpy.typing import NDArray

from fercli.faces.opencv import opencv

#: A cut changes the colours by this share of the pixels, and the picture's layout to this correlation. Both, because a
#: moving camera keeps the colours, a change of light the layout. Pans and zooms over group photographs reach 0.13
#: at most; of 299 cuts between gray portraits with the face in the same place, a hard case, 78 % are found.
_COLOURS, _LAYOUT = 0.2, 0.6
#: Pixels of a frame's shorter side that are looked at, and levels of each colour.
_SIDE, _LEVELS = 64, 8


class Shots:
    """Compares each frame of a video with the one before."""

    def __init__(self) -> None:
        self._colours: NDArray[np.float64] | None = None
        self._layout: NDArray[np.float64] | None = None

    def begins(self, picture: NDArray[np.uint8]) -> bool:
        """Whether a frame, RGB [H, W, 3], begins a new shot. The first one does not: there is nothing to leave."""
        step = max(1, min(picture.shape[:2]) // _SIDE)
        small = np.ascontiguousarray(picture[::step, ::step])
        colours, layout = _colours(small), _layout(small)
        before = self._colours, self._layout
        self._colours, self._layout = colours, layout
        if before[0] is None or before[1] is None:
            return False
        changed = float(np.abs(colours - before[0]).sum()) / 2
        return changed > _COLOURS and float((layout * before[1]).sum()) < _LAYOUT


def _colours(small: NDArray[np.uint8]) -> NDArray[np.float64]:
    """The share of the pixels that has each colour, coarsely."""
    red, green, blue = np.moveaxis(small.astype(np.int64) * _LEVELS // 256, -1, 0)
    counts = np.bincount(((red * _LEVELS + green) * _LEVELS + blue).ravel(), minlength=_LEVELS**3)
    shares: NDArray[np.float64] = counts / counts.sum()
    return shares


def _layout(small: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Light and dark in 16 × 16 fields, with mean 0 and length 1, so that a product with another is a correlation."""
    cv2 = opencv()
    fields: NDArray[np.float64] = cv2.resize(small, (16, 16), interpolation=cv2.INTER_AREA).mean(axis=2)
    fields -= fields.mean()
    fields /= max(float(np.linalg.norm(fields)), 1e-6)
    return fields
