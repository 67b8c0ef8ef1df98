"""Boxes and captions on a copy of a picture."""

from collections.abc import Callable, Sequence
from math import ceil
from statistics import median

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from fercli.faces.detection import Box
from fercli.faces.drawing.placement import Placed, place_labels

# black on yellow, lined with black: reads on light and on dark, in gray and in colour
_BRIGHT = (255, 214, 10)
_DARK = (0, 0, 0)

#: Shorter and shorter forms of a caption such as '12 neutral 47 %': as it is, '12 neu', '12'.
_FORMS: tuple[Callable[[str], str], ...] = (
    str,
    lambda text: " ".join([*text.split()[:1], *(word[:3] for word in text.split()[1:2])]),
    lambda text: " ".join(text.split()[:1]),
)


def annotated(
    picture: NDArray[np.uint8], captions: Sequence[tuple[Box, str]], *, legend: bool = False
) -> NDArray[np.uint8]:
    """A copy of an RGB picture [H, W, 3] with each box drawn and its caption beside it.

    Letters and lines grow with the picture and its faces. A caption that finds no place at its box stands near it
    with a line between. Where that would still hide faces or captions, all are shortened, to three letters of the
    label or to the number; with `legend` they then stand in full below the picture, and the copy is larger by that.
    """
    image = Image.fromarray(picture)
    if not captions:
        return np.array(image)
    draw = ImageDraw.Draw(image)
    boxes = [_inside(box, image.size) for box, _ in captions]
    size = _letter_size(boxes, image.size)
    letters = _Letters(draw, size)
    texts, places = _fitting([text for _, text in captions], boxes, letters, image.size)
    for box in boxes:
        draw.rectangle(_grown(box, letters.line), outline=_DARK, width=3 * letters.line)
        draw.rectangle(box, outline=_BRIGHT, width=letters.line)
    for place in places:
        if place.leader:
            draw.line(place.leader, fill=_DARK, width=3 * letters.line)
            draw.line(place.leader, fill=_BRIGHT, width=letters.line)
    for text, place in zip(texts, places, strict=True):
        draw.rectangle(place.label, fill=_BRIGHT, outline=_DARK, width=max(1, letters.line // 2))
        letters.write(draw, place.label[:2], text)
    full = [text for _, text in captions]
    return np.array(_with_legend(image, full, letters) if legend and texts != full else image)


class _Letters:
    """Type of one size: how much room texts take, with a margin, and how they are written there."""

    def __init__(self, draw: ImageDraw.ImageDraw, size: float) -> None:
        self._draw, self._margin = draw, size * 0.3
        self._font = ImageFont.load_default(size)
        self.line = max(1, round(size / 8))
        # the same height for every caption, whatever letters it has
        _, self._top, _, bottom = draw.textbbox((0, 0), "hg%", font=self._font, anchor="ls")
        self.height = bottom - self._top + self._margin

    def extent(self, text: str) -> tuple[float, float]:
        left, _, right, _ = self._draw.textbbox((0, 0), text, font=self._font, anchor="ls")
        return right - left + 2 * self._margin, self.height

    def write(self, draw: ImageDraw.ImageDraw, corner: tuple[float, float], text: str) -> None:
        left, *_ = draw.textbbox((0, 0), text, font=self._font, anchor="ls")
        start = (corner[0] + self._margin - left, corner[1] - self._top + self._margin / 2)
        draw.text(start, text, _DARK, self._font, anchor="ls")


def _fitting(
    texts: Sequence[str], boxes: Sequence[Box], letters: _Letters, size: tuple[int, int]
) -> tuple[list[str], list[Placed]]:
    """The longest form in which every caption has a free place, with these places; else the shortest."""
    for form in _FORMS:
        shown = [form(text) for text in texts]
        extents = [letters.extent(text) for text in shown]
        places = place_labels(boxes, extents, size, patient=form is _FORMS[-1])
        if len(places) == len(boxes):
            break
    return shown, places


def _with_legend(image: Image.Image, texts: Sequence[str], letters: _Letters) -> Image.Image:
    """The picture on white paper with all captions below, down the columns."""
    column = ceil(max(letters.extent(text)[0] for text in texts) + letters.height)
    width = max(image.width, column)
    rows = ceil(len(texts) / (width // column))
    sheet = Image.new("RGB", (width, image.height + round((rows + 0.5) * letters.height)), "white")
    sheet.paste(image)
    draw = ImageDraw.Draw(sheet)
    for number, text in enumerate(texts):
        across, down = divmod(number, rows)
        letters.write(draw, (across * column, image.height + (down + 0.25) * letters.height), text)
    return sheet


def _inside(box: Box, size: tuple[int, int]) -> Box:
    """The part of a box that lies in the picture."""
    width, height = size
    x1, x2 = (min(max(x, 0.0), width - 1.0) for x in (box[0], box[2]))
    y1, y2 = (min(max(y, 0.0), height - 1.0) for y in (box[1], box[3]))
    return x1, y1, max(x1, x2), max(y1, y2)


def _grown(box: Box, by: float) -> Box:
    return box[0] - by, box[1] - by, box[2] + by, box[3] + by


def _letter_size(boxes: Sequence[Box], size: tuple[int, int]) -> float:
    """A quarter of the faces' usual height, within what can be read in a picture of that size."""
    longer = max(size)
    smallest, largest = max(10.0, longer / 100), max(12.0, longer / 28)
    return min(max(median(box[3] - box[1] for box in boxes) / 4, smallest), largest)
