"""Drawing boxes and captions on a copy of a picture."""

from collections.abc import Callable, Sequence
from math import ceil
from statistics import median
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from fercli.core.palette import ink_on
from fercli.faces.detection import Box
from fercli.faces.drawing.placement import PlacedLabel, place_labels

_INK = "#000000"

#: Ever shorter forms of a caption such as '12 neutral 47 %': unchanged, '12 neu', '12'.
_SHORTENERS: tuple[Callable[[str], str], ...] = (
    str,
    lambda text: " ".join([*text.split()[:1], *(word[:3] for word in text.split()[1:2])]),
    lambda text: " ".join(text.split()[:1]),
)


class Caption(NamedTuple):
    """What is drawn at a face: its box, the text beside it, and the colour '#rrggbb' of both."""

    box: Box
    text: str
    colour: str


def annotate(picture: NDArray[np.uint8], captions: Sequence[Caption], *, legend: bool = False) -> NDArray[np.uint8]:
    """Return a copy of an RGB picture [H, W, 3] with each box drawn and its caption beside it.

    Text and lines are sized for the picture and its faces. Lines have an outline in black or white, which contrasts
    with their colour, so that they can be seen on any ground. A caption for which there is no room at its box is put
    nearby, with a line to the box. If captions would still hide faces or each other, all are shortened, to the first
    three letters of the label or to the number alone. With `legend`, the full captions are then listed below the
    picture, which makes the copy larger.
    """
    image = Image.fromarray(picture)
    if not captions:
        return np.array(image)
    draw = ImageDraw.Draw(image)
    boxes = [_clip_box(caption.box, image.size) for caption in captions]
    font = _CaptionFont(draw, _choose_font_size(boxes, image.size))
    texts, labels = _fit_captions([caption.text for caption in captions], boxes, font, image.size)
    for box, caption in zip(boxes, captions, strict=True):
        draw.rectangle(_grow_box(box, font.line), outline=ink_on(caption.colour), width=3 * font.line)
        draw.rectangle(box, outline=caption.colour, width=font.line)
    for label, caption in zip(labels, captions, strict=True):
        if label.leader:
            draw.line(label.leader, fill=ink_on(caption.colour), width=3 * font.line)
            draw.line(label.leader, fill=caption.colour, width=font.line)
    for text, label, caption in zip(texts, labels, captions, strict=True):
        ink = ink_on(caption.colour)
        draw.rectangle(label.box, fill=caption.colour, outline=ink, width=max(1, font.line // 2))
        font.write(draw, label.box[:2], text, ink)
    shortened = texts != [caption.text for caption in captions]
    return np.array(_add_legend(image, captions, font) if legend and shortened else image)


class _CaptionFont:
    """A font of one size: how much room captions need, margins included, and how they are written."""

    def __init__(self, draw: ImageDraw.ImageDraw, size: float) -> None:
        self._draw, self.margin = draw, size * 0.3
        self._font = ImageFont.load_default(size)
        self.line = max(1, round(size / 8))
        # all captions have the same height, whatever letters they have
        _, self._top, _, bottom = draw.textbbox((0, 0), "hg%", font=self._font, anchor="ls")
        self.height = bottom - self._top + self.margin

    def measure(self, text: str) -> tuple[float, float]:
        """Width and height of a caption in pixels."""
        left, _, right, _ = self._draw.textbbox((0, 0), text, font=self._font, anchor="ls")
        return right - left + 2 * self.margin, self.height

    def write(self, draw: ImageDraw.ImageDraw, corner: tuple[float, float], text: str, ink: str) -> None:
        """Write a caption whose top left corner, margin included, is at `corner`."""
        left, *_ = draw.textbbox((0, 0), text, font=self._font, anchor="ls")
        start = (corner[0] + self.margin - left, corner[1] - self._top + self.margin / 2)
        draw.text(start, text, ink, self._font, anchor="ls")


def _fit_captions(
    texts: Sequence[str], boxes: Sequence[Box], font: _CaptionFont, size: tuple[int, int]
) -> tuple[list[str], list[PlacedLabel]]:
    """The longest form in which every caption finds free space, else the shortest form; and where the labels go."""
    for shorten in _SHORTENERS:
        shown = [shorten(text) for text in texts]
        extents = [font.measure(text) for text in shown]
        labels = place_labels(boxes, extents, size, allow_overlap=shorten is _SHORTENERS[-1])
        if len(labels) == len(boxes):
            break
    return shown, labels


def _add_legend(image: Image.Image, captions: Sequence[Caption], font: _CaptionFont) -> Image.Image:
    """The picture on white, with all captions below it in columns, each behind a bar in its colour."""
    column_width = ceil(max(font.measure(caption.text)[0] for caption in captions) + font.height)
    width = max(image.width, column_width)
    rows = ceil(len(captions) / (width // column_width))
    sheet = Image.new("RGB", (width, image.height + round((rows + 0.5) * font.height)), "white")
    sheet.paste(image)
    draw = ImageDraw.Draw(sheet)
    for index, caption in enumerate(captions):
        column, row = divmod(index, rows)
        left, top = column * column_width, image.height + (row + 0.25) * font.height
        bar = (left, top + 1, left + 0.7 * font.margin, top + font.height - 2)
        draw.rectangle(bar, fill=caption.colour)
        font.write(draw, (left, top), caption.text, _INK)
    return sheet


def _clip_box(box: Box, size: tuple[int, int]) -> Box:
    """The part of a box that is inside the picture."""
    width, height = size
    x1, x2 = (min(max(x, 0.0), width - 1.0) for x in (box[0], box[2]))
    y1, y2 = (min(max(y, 0.0), height - 1.0) for y in (box[1], box[3]))
    return x1, y1, max(x1, x2), max(y1, y2)


def _grow_box(box: Box, by: float) -> Box:
    return box[0] - by, box[1] - by, box[2] + by, box[3] + by


def _choose_font_size(boxes: Sequence[Box], size: tuple[int, int]) -> float:
    """A quarter of the median height of the faces, within limits that keep text legible in a picture of that size."""
    longer = max(size)
    smallest, largest = max(10.0, longer / 100), max(12.0, longer / 28)
    return min(max(median(box[3] - box[1] for box in boxes) / 4, smallest), largest)
