"""Small colour pictures of faces, for pages that show many."""

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from fercli.faces.detect import Box

#: The side of a thumbnail in pixels.
THUMBNAIL_SIDE = 96
#: Share of the box's longer side that is shown around it on each side.
_AROUND = 0.15


def thumbnail(picture: NDArray[np.uint8], box: Box) -> bytes:
    """A face of an RGB picture [H, W, 3] as a JPEG file of 96×96 pixels, some 3 KB.

    Shows a square around the box, moved into the picture, and smaller where the picture is.
    """
    height, width = picture.shape[:2]
    x1, y1, x2, y2 = box
    side = min(height, width, max(1, round(max(x2 - x1, y2 - y1) * (1 + 2 * _AROUND))))
    left = min(max(0, round((x1 + x2 - side) / 2)), width - side)
    top = min(max(0, round((y1 + y2 - side) / 2)), height - side)
    face = Image.fromarray(np.ascontiguousarray(picture[top : top + side, left : left + side]))
    shown = face.resize((THUMBNAIL_SIDE, THUMBNAIL_SIDE), Image.Resampling.LANCZOS, reducing_gap=2)
    buffer = io.BytesIO()
    shown.save(buffer, "JPEG", quality=80)
    return buffer.getvalue()
