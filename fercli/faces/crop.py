"""Cutting out a detected face: 48×48 gray as networks take it, or a small colour thumbnail to look at."""

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from fercli.faces.detection import Box, Detection
from fercli.faces.opencv import load_opencv

#: Width and height of a face in pixels.
SIDE = 48
#: What is added to the box on each of its four sides, as a fraction of its longer side. Negative values cut into the
#: box. In 345 FER2013 training faces that MTCNN finds (of 400, enlarged and padded), the picture is at the median
#: 0.94 times as high as the box, which is a margin of -0.03, and its middle is within 0.01 of the box's. On labelled
#: photographs, `python -m benchmarks.crop_margin` finds the shipped network's mean recall over classes highest at
#: -0.10: 48.3 % of 1,446 faces, against 44.2 % at -0.05, 43.8 % at 0 and 27.1 % at 0.2. A second sample agrees
#: (48.2 % at -0.10, 44.5 % at -0.04).
MARGIN = -0.10

#: Width and height of a thumbnail in pixels.
THUMBNAIL_SIDE = 96
#: What a thumbnail shows around the box on each side, as a fraction of the box's longer side.
_THUMBNAIL_MARGIN = 0.15
#: Pixels that are turned gray at a time.
_STRIP_PIXELS = 1_000_000


def crop_face(picture: NDArray[np.uint8], detection: Detection, margin: float = MARGIN) -> NDArray[np.uint8]:
    """The face as [48, 48] uint8: a square around the middle of its box, in gray by ITU-R 601.

    `picture` is RGB [H, W, 3]. The square's side is the box's longer side times (1 + 2 · margin), at least one
    pixel. Outside the picture, its outermost pixels are repeated. Shrinking averages areas, enlarging is linear. For a
    detection without a score the whole picture is the face (see `squeeze_to_face`).
    """
    if detection.score is None:
        return squeeze_to_face(picture)
    cv2 = load_opencv()
    x1, y1, x2, y2 = detection.box
    side = max(1, round(max(x2 - x1, y2 - y1) * (1 + 2 * margin)))
    left, top = round((x1 + x2 - side) / 2), round((y1 + y2 - side) / 2)
    rows = np.arange(top, top + side).clip(0, picture.shape[0] - 1)
    columns = np.arange(left, left + side).clip(0, picture.shape[1] - 1)
    gray = cv2.cvtColor(np.ascontiguousarray(picture[rows][:, columns]), cv2.COLOR_RGB2GRAY)
    kernel = cv2.INTER_AREA if side > SIDE else cv2.INTER_LINEAR
    face: NDArray[np.uint8] = cv2.resize(gray, (SIDE, SIDE), interpolation=kernel)
    return face


def squeeze_to_face(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A whole RGB picture [H, W, 3] as a face [48, 48] uint8: turned gray and resized, whatever its proportions.

    Shrinking averages areas, enlarging is linear. A picture of 48×48 pixels is only turned gray.
    """
    gray = _to_gray(picture)
    if gray.size != (SIDE, SIDE):
        kernel = Image.Resampling.BOX if min(gray.size) > SIDE else Image.Resampling.BILINEAR
        gray = gray.resize((SIDE, SIDE), kernel)
    return np.asarray(gray)


def _to_gray(picture: NDArray[np.uint8]) -> Image.Image:
    """Gray by ITU-R 601, strip by strip: Pillow's copy of a whole RGB picture takes 4 bytes a pixel."""
    height, width = picture.shape[:2]
    rows = max(1, _STRIP_PIXELS // width)
    if rows >= height:
        return Image.fromarray(picture).convert("L")
    gray = Image.new("L", (width, height))
    for top in range(0, height, rows):
        gray.paste(Image.fromarray(picture[top : top + rows]).convert("L"), (0, top))
    return gray


def make_thumbnail(picture: NDArray[np.uint8], box: Box) -> bytes:
    """A face in an RGB picture [H, W, 3] as a JPEG file of 96×96 pixels, about 3 KB.

    It shows a square around the box. The square is moved to lie inside the picture, and made smaller where it is
    larger than the picture.
    """
    height, width = picture.shape[:2]
    x1, y1, x2, y2 = box
    side = min(height, width, max(1, round(max(x2 - x1, y2 - y1) * (1 + 2 * _THUMBNAIL_MARGIN))))
    left = min(max(0, round((x1 + x2 - side) / 2)), width - side)
    top = min(max(0, round((y1 + y2 - side) / 2)), height - side)
    square = Image.fromarray(np.ascontiguousarray(picture[top : top + side, left : left + side]))
    thumbnail = square.resize((THUMBNAIL_SIDE, THUMBNAIL_SIDE), Image.Resampling.LANCZOS, reducing_gap=2)
    buffer = io.BytesIO()
    thumbnail.save(buffer, "JPEG", quality=80)
    return buffer.getvalue()
