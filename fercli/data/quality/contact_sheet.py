"""Contact sheets: many faces on one picture, under headings, each with its caption."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from fercli.core.files import written_whole
from fercli.data.faceset import SIDE

_ENLARGED = 2 * SIDE
#: Room around a face, the height of a line of caption and of a heading, the gap between groups, in pixels.
_GAP, _LINE, _HEADING, _BETWEEN = 8, 13, 34, 14
_MARGIN = 16
_PAPER, _INK, _FAINT = 255, 20, 95

#: Characters of a line that are looked at: no more fit, whatever they are.
_LONGEST = 400

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont


@dataclass(frozen=True)
class Tile:
    """One face [48, 48] uint8 and the lines below it, which are cut where they are too long."""

    image: NDArray[np.uint8]
    caption: tuple[str, ...] = ()


@dataclass(frozen=True)
class Section:
    """A heading and the faces below it, in groups that stay together: duplicates, or all of one class."""

    heading: str
    groups: tuple[tuple[Tile, ...], ...]


def draw_contact_sheet(sections: Sequence[Section], columns: int = 12) -> Image.Image:
    """A gray picture of all sections, faces twice their size, at most `columns` of them beside each other.

    A group that does not fit beside the one before begins a row of its own.
    """
    lines = max((len(tile.caption) for tile in _list_tiles(sections)), default=0)
    width, height = _ENLARGED + _GAP, _ENLARGED + lines * _LINE + _GAP
    right = _MARGIN + columns * (width + _BETWEEN)
    positions: list[tuple[int, int, Tile]] = []
    headings: list[tuple[int, str]] = []
    top = _MARGIN
    for section in sections:
        headings.append((top, section.heading))
        top += _HEADING
        left = _MARGIN
        for group in section.groups:
            if left > _MARGIN and left + len(group) * width > right:
                left, top = _MARGIN, top + height
            for tile in group:
                if left + width > right:
                    left, top = _MARGIN, top + height
                positions.append((left, top, tile))
                left += width
            left += _BETWEEN
        top += (height if section.groups else 0) + _GAP
    return _draw((right + _MARGIN, top + _MARGIN), headings, positions)


def write_contact_sheet(path: Path, sections: Sequence[Section], columns: int = 12) -> None:
    """Write a contact sheet whole, as PNG. Raises RunError where the file cannot be written."""
    sheet = draw_contact_sheet(sections, columns)
    with written_whole(path) as temporary:
        sheet.save(temporary, format="PNG", optimize=True)


def _list_tiles(sections: Sequence[Section]) -> list[Tile]:
    return [tile for section in sections for group in section.groups for tile in group]


def _draw(
    size: tuple[int, int], headings: Sequence[tuple[int, str]], positions: Sequence[tuple[int, int, Tile]]
) -> Image.Image:
    page = Image.new("L", size, _PAPER)
    draw = ImageDraw.Draw(page)
    large, small = ImageFont.load_default(17), ImageFont.load_default(11)
    for top, text in headings:
        draw.line((_MARGIN, top, size[0] - _MARGIN, top), fill=190)
        draw.text((_MARGIN, top + 7), _shorten(draw, text, large, size[0] - 2 * _MARGIN), fill=_INK, font=large)
    for left, top, tile in positions:
        page.paste(Image.fromarray(tile.image).resize((_ENLARGED, _ENLARGED), Image.Resampling.BICUBIC), (left, top))
        for number, text in enumerate(tile.caption):
            line = (left, top + _ENLARGED + 1 + number * _LINE)
            draw.text(line, _shorten(draw, text, small, _ENLARGED), fill=_FAINT if number else _INK, font=small)
    return page


def _shorten(draw: ImageDraw.ImageDraw, text: str, font: Font, room: int) -> str:
    """A line of text that fits into `room` pixels: the end of a name tells more than its middle."""
    text = " ".join(text.split())[-_LONGEST:]
    if draw.textlength(text, font) <= room:
        return text
    half = len(text) // 3
    for kept in range(len(text) - half, 0, -1):
        short = f"{text[: min(half, kept)]}…{text[-kept:]}"
        if draw.textlength(short, font) <= room:
            return short
    return "…"
