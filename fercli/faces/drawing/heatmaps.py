"""A face beside itself under a heat map: what was looked at, to be looked at."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont

#: The side of each of the two panels, in pixels.
PANEL = 384
_GAP, _TITLE, _LINE = 16, 24, 17
#: From little to much; what does not count stays as it is.
_LITTLE, _MUCH = np.array([255.0, 221.0, 0.0]), np.array([200.0, 0.0, 40.0])
#: How much of the face the highest heat covers.
_COVERED = 0.72
_PAPER, _INK, _FAINT = (255, 255, 255), (20, 20, 20), (95, 95, 95)


def explained(
    face: NDArray[np.uint8], heat: NDArray[np.float32], title: str, source: str, speaks: str, remark: str
) -> NDArray[np.uint8]:
    """A gray face [48, 48] and the same under its heat [48, 48] of 0 to 1, side by side: RGB [H, W, 3].

    `title` and `source` stand above, `speaks` below the heat, `remark` at the foot.
    """
    size = (2 * PANEL + 3 * _GAP, PANEL + 2 * _TITLE + 3 * _LINE + 2 * _GAP)
    sheet = Image.new("RGB", size, _PAPER)
    draw = ImageDraw.Draw(sheet)
    large, small = ImageFont.load_default(_TITLE * 0.9), ImageFont.load_default(_LINE * 0.85)
    room = size[0] - 2 * _GAP
    draw.text((_GAP, _GAP * 0.6), _cut(draw, title, large, room), _INK, large)
    draw.text((_GAP, _GAP * 0.6 + _TITLE * 1.2), _cut(draw, source, small, room), _FAINT, small)
    top, right = round(_GAP + 2 * _TITLE), PANEL + 2 * _GAP
    plain = _enlarged(face)
    sheet.paste(plain, (_GAP, top))
    sheet.paste(_under(plain, _enlarged(np.rint(255 * heat).astype(np.uint8))), (right, top))
    below = top + PANEL + _GAP // 3
    draw.text((_GAP, below), "the face as the network gets it", _INK, small)
    draw.text((right, below), _cut(draw, speaks, small, PANEL - 150), _INK, small)
    _scale(sheet, draw, small, (right + PANEL - 140, below))
    draw.text((_GAP, below + 1.5 * _LINE), _cut(draw, remark, small, room), _FAINT, small)
    return np.array(sheet)


def _enlarged(gray: NDArray[np.uint8]) -> Image.Image:
    return Image.fromarray(gray).resize((PANEL, PANEL), Image.Resampling.BICUBIC)


def _under(face: Image.Image, heat: Image.Image) -> Image.Image:
    """The face where the heat is 0, more and more of the colour as it rises."""
    share = np.asarray(heat)[..., None] / 255
    covered = _COVERED * share**0.8
    gray = np.asarray(face.convert("RGB"))
    mixed = gray * (1 - covered) + _colour(share) * covered
    return Image.fromarray(np.rint(mixed).astype(np.uint8))


def _colour(share: NDArray[np.float64]) -> NDArray[np.float64]:
    mixed: NDArray[np.float64] = _LITTLE * (1 - share) + _MUCH * share
    return mixed


def _scale(sheet: Image.Image, draw: ImageDraw.ImageDraw, font: Font, corner: tuple[int, int]) -> None:
    """'little', a bar of the colours, 'much'."""
    left, top = corner
    draw.text((left, top), "little", _FAINT, font)
    draw.text((left + 106, top), "much", _FAINT, font)
    bar = np.tile(_colour(np.linspace(0, 1, 60)[:, None]), (_LINE - 7, 1, 1))
    sheet.paste(Image.fromarray(np.rint(bar).astype(np.uint8)), (left + 40, top + 3))


def _cut(draw: ImageDraw.ImageDraw, text: str, font: Font, room: float) -> str:
    """The text, or its end behind '…' where it is wider than the room: of a path the end says most."""
    text = " ".join(text.split())
    if draw.textlength(text, font) <= room:
        return text
    while text and draw.textlength("…" + text, font) > room:
        text = text[1:]
    return "…" + text
