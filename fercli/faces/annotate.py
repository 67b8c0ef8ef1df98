"""Boxes and captions on a copy of a picture."""

from collections.abc import Iterator, Sequence
from statistics import median

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from fercli.faces.detect import Box

# black on yellow, lined with black: reads on light and on dark, in gray and in colour
_BRIGHT = (255, 214, 10)
_DARK = (0, 0, 0)


def annotated(picture: NDArray[np.uint8], captions: Sequence[tuple[Box, str]]) -> NDArray[np.uint8]:
    """A copy of an RGB picture [H, W, 3] with each box drawn and its caption beside it.

    Letters and lines grow with the picture and its faces. Captions stay inside the picture and off the faces
    and one another as far as there is room.
    """
    image = Image.fromarray(picture)
    if not captions:
        return np.array(image)
    draw = ImageDraw.Draw(image)
    boxes = [_inside(box, image.size) for box, _ in captions]
    size = _letter_size(boxes, image.size)
    font = ImageFont.load_default(size)
    line = max(1, round(size / 8))
    for box in boxes:
        draw.rectangle([v + d * line for v, d in zip(box, (-1, -1, 1, 1), strict=True)], outline=_DARK, width=3 * line)
        draw.rectangle(box, outline=_BRIGHT, width=line)
    # the same height for every caption, whatever letters it has
    _, top, _, bottom = draw.textbbox((0, 0), "hg%", font=font, anchor="ls")
    placed: list[Box] = []
    for box, (_, text) in zip(boxes, captions, strict=True):
        left, _, right, _ = draw.textbbox((0, 0), text, font=font, anchor="ls")
        extent = (right - left + size * 0.6, bottom - top + size * 0.3)
        label = _best_place(box, extent, image.size, boxes, placed)
        placed.append(label)
        draw.rectangle(label, fill=_BRIGHT, outline=_DARK, width=max(1, line // 2))
        draw.text((label[0] + size * 0.3 - left, label[1] - top + size * 0.15), text, _DARK, font, anchor="ls")
    return np.array(image)


def _inside(box: Box, size: tuple[int, int]) -> Box:
    """The part of a box that lies in the picture."""
    width, height = size
    x1, x2 = (min(max(x, 0.0), width - 1.0) for x in (box[0], box[2]))
    y1, y2 = (min(max(y, 0.0), height - 1.0) for y in (box[1], box[3]))
    return x1, y1, max(x1, x2), max(y1, y2)


def _letter_size(boxes: Sequence[Box], size: tuple[int, int]) -> float:
    """A quarter of the faces' usual height, within what can be read in a picture of that size."""
    longer = max(size)
    smallest, largest = max(10.0, longer / 100), max(12.0, longer / 28)
    return min(max(median(box[3] - box[1] for box in boxes) / 4, smallest), largest)


def _best_place(
    box: Box, extent: tuple[float, float], size: tuple[int, int], faces: Sequence[Box], labels: Sequence[Box]
) -> Box:
    """Of the places that touch the box, the one that hides least; among equals the first."""

    def hidden(label: Box) -> int:
        # a label over a label makes both unreadable, over the edge of a face it does little harm
        return round(sum(_overlap(label, f) for f in faces) + 2 * sum(_overlap(label, o) for o in labels))

    return min((_shifted(place, size) for place in _places(box, extent)), key=hidden)


def _places(box: Box, extent: tuple[float, float]) -> Iterator[Box]:
    """Above, below and beside a box, flush with its edges and in the middle."""
    x1, y1, x2, y2 = box
    width, height = extent
    across = (x1, (x1 + x2 - width) / 2, x2 - width)
    corners = [(x, y) for y in (y1 - height, y2) for x in across]
    corners += [(x, y) for x in (x2, x1 - width) for y in (y1, (y1 + y2 - height) / 2, y2 - height)]
    for x, y in corners:
        yield x, y, x + width, y + height


def _shifted(label: Box, size: tuple[int, int]) -> Box:
    """Moved into the picture by the shortest way; one that is too wide keeps its beginning in."""
    x1, y1, x2, y2 = label
    right = max(0.0, min(x1, size[0] - 1 - (x2 - x1)))
    down = max(0.0, min(y1, size[1] - 1 - (y2 - y1)))
    return right, down, right + x2 - x1, down + y2 - y1


def _overlap(one: Box, other: Box) -> float:
    """The area that two boxes share."""
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    return max(0.0, width) * max(0.0, height)
