"""From a detection to the face that networks see: 48×48, gray, framed as FER2013 frames its faces."""

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from fercli.faces.detection import Box, Detection
from fercli.faces.opencv import opencv

#: The side of a face in pixels.
SIDE = 48
#: Share of the box's longer side that is added on each of the four sides. Of 345 FER2013 training faces that
#: MTCNN finds (of 400, enlarged and padded), the frame is at the median 0.94 times as high as the box, which is
#: -0.03, and its middle lies within 0.01 of the box's. On labelled photographs `python -m benchmarks.crop_margin`
#: finds the shipped network's mean recall over classes highest at -0.10: 48.3 % of 1,446 faces, against 44.2 % at
#: -0.05, 43.8 % at 0 and 27.1 % at 0.2; a second sample agrees (48.2 % at -0.10, 44.5 % at -0.04).
MARGIN = -0.10


def crop_face(picture: NDArray[np.uint8], detection: Detection, margin: float = MARGIN) -> NDArray[np.uint8]:
    """The face as [48, 48] uint8: a square around the box's middle, gray by ITU-R 601.

    `picture` is RGB [H, W, 3]. The square's side is the box's longer side times (1 + 2 · margin), at least one
    pixel; beyond the picture's edges its outermost pixels are repeated. Shrinks by averaging areas, enlarges
    linearly. A detection without a score, of a picture that is a face as it is, gives the whole picture squeezed.
    """
    if detection.score is None:
        return squeezed(picture)
    cv2 = opencv()
    x1, y1, x2, y2 = detection.box
    side = max(1, round(max(x2 - x1, y2 - y1) * (1 + 2 * margin)))
    left, top = round((x1 + x2 - side) / 2), round((y1 + y2 - side) / 2)
    rows = np.arange(top, top + side).clip(0, picture.shape[0] - 1)
    columns = np.arange(left, left + side).clip(0, picture.shape[1] - 1)
    gray = cv2.cvtColor(np.ascontiguousarray(picture[rows][:, columns]), cv2.COLOR_RGB2GRAY)
    kernel = cv2.INTER_AREA if side > SIDE else cv2.INTER_LINEAR
    face: NDArray[np.uint8] = cv2.resize(gray, (SIDE, SIDE), interpolation=kernel)
    return face


def squeezed(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A whole RGB picture [H, W, 3] as a face [48, 48] uint8: gray and, unless it is 48×48, squeezed to it (shrunk
    by averaging areas, enlarged linearly)."""
    gray = Image.fromarray(picture).convert("L")
    if gray.size != (SIDE, SIDE):
        kernel = Image.Resampling.BOX if min(gray.size) > SIDE else Image.Resampling.BILINEAR
        gray = gray.resize((SIDE, SIDE), kernel)
    return np.asarray(gray)


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
