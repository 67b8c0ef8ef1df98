"""Drawing a face next to the same face under a heat map, with explanatory text."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont

#: Width and height of each of the two panels in pixels.
PANEL = 384
_GAP, _TITLE_HEIGHT, _LINE_HEIGHT = 16, 24, 17
#: The colours of low and of high heat. Where the heat is 0, the face stays as it is.
_LOW, _HIGH = np.array([255.0, 221.0, 0.0]), np.array([200.0, 0.0, 40.0])
#: The opacity of the highest heat.
_OPACITY = 0.72
_PAPER, _INK, _FAINT = (255, 255, 255), (20, 20, 20), (95, 95, 95)


def draw_heatmap(
    face: NDArray[np.uint8], heat: NDArray[np.float32], title: str, source: str, caption: str, remark: str
) -> NDArray[np.uint8]:
    """Draw a gray face [48, 48] and the same face under its heat [48, 48] of 0 to 1, side by side: RGB [H, W, 3].

    `title` and `source` are written above, `caption` below the heat map, `remark` at the bottom.
    """
    size = (2 * PANEL + 3 * _GAP, PANEL + 2 * _TITLE_HEIGHT + 3 * _LINE_HEIGHT + 2 * _GAP)
    sheet = Image.new("RGB", size, _PAPER)
    draw = ImageDraw.Draw(sheet)
    large, small = ImageFont.load_default(_TITLE_HEIGHT * 0.9), ImageFont.load_default(_LINE_HEIGHT * 0.85)
    width = size[0] - 2 * _GAP
    draw.text((_GAP, _GAP * 0.6), _shorten(draw, title, large, width), _INK, large)
    draw.text((_GAP, _GAP * 0.6 + _TITLE_HEIGHT * 1.2), _shorten(draw, source, small, width), _FAINT, small)
    top, right = round(_GAP + 2 * _TITLE_HEIGHT), PANEL + 2 * _GAP
    plain = _enlarge(face)
    sheet.paste(plain, (_GAP, top))
    sheet.paste(_blend(plain, _enlarge(np.rint(255 * heat).astype(np.uint8))), (right, top))
    below = top + PANEL + _GAP // 3
    draw.text((_GAP, below), "the face as the network gets it", _INK, small)
    draw.text((right, below), _shorten(draw, caption, small, PANEL - 150), _INK, small)
    _draw_colour_bar(sheet, draw, small, (right + PANEL - 140, below))
    draw.text((_GAP, below + 1.5 * _LINE_HEIGHT), _shorten(draw, remark, small, width), _FAINT, small)
    return np.array(sheet)


def _enlarge(gray: NDArray[np.uint8]) -> Image.Image:
    return Image.fromarray(gray).resize((PANEL, PANEL), Image.Resampling.BICUBIC)


def _blend(face: Image.Image, heat: Image.Image) -> Image.Image:
    """Colour the face by the heat: not at all at 0, and more opaque the higher it is."""
    level = np.asarray(heat)[..., None] / 255
    opacity = _OPACITY * level**0.8
    gray = np.asarray(face.convert("RGB"))
    mixed = gray * (1 - opacity) + _pick_colour(level) * opacity
    return Image.fromarray(np.rint(mixed).astype(np.uint8))


def _pick_colour(level: NDArray[np.float64]) -> NDArray[np.float64]:
    """The colour for heat of 0 to 1."""
    mixed: NDArray[np.float64] = _LOW * (1 - level) + _HIGH * level
    return mixed


def _draw_colour_bar(sheet: Image.Image, draw: ImageDraw.ImageDraw, font: Font, corner: tuple[int, int]) -> None:
    """Draw 'little', a bar of the colours, 'much'."""
    left, top = corner
    draw.text((left, top), "little", _FAINT, font)
    draw.text((left + 106, top), "much", _FAINT, font)
    bar = np.tile(_pick_colour(np.linspace(0, 1, 60)[:, None]), (_LINE_HEIGHT - 7, 1, 1))
    sheet.paste(Image.fromarray(np.rint(bar).astype(np.uint8)), (left + 40, top + 3))


def _shorten(draw: ImageDraw.ImageDraw, text: str, font: Font, width: float) -> str:
    """The text, or '…' and its end if it is too wide: of a path, the end says most."""
    text = " ".join(text.split())
    if draw.textlength(text, font) <= width:
        return text
    while text and draw.textlength("…" + text, font) > width:
        text = text[1:]
    return "…" + text
