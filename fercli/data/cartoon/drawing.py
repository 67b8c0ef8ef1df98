"""Drawing with outlines in a face's own coordinates, on a page four times as fine as the picture."""

import math

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

_PAGE = 192

Outline = NDArray[np.float64]


def oval(x: float, y: float, width: float, height: float, squareness: float = 2) -> Outline:
    """Points [48, 2] around a superellipse of these half-axes: an ellipse at squareness 2, squarer above."""
    angles = np.linspace(0, 2 * np.pi, 48, endpoint=False)
    cos, sin = np.cos(angles), np.sin(angles)
    across = np.sign(cos) * np.abs(cos) ** (2 / squareness)
    down = np.sign(sin) * np.abs(sin) ** (2 / squareness)
    return np.stack((x + width * across, y + height * down), axis=1)


class Pen:
    """Fills and lines on a gray page; the page's half side is 1.18 units at scale 1.

    `angle` in degrees turns, `scale` and `shift` (in units) size and move everything that is drawn.
    """

    def __init__(self, background: float, angle: float, scale: float, shift: tuple[float, float]) -> None:
        self._page = Image.new("L", (_PAGE, _PAGE), round(background))
        self._draw = ImageDraw.Draw(self._page)
        self._unit = scale * _PAGE / 2 / 1.18
        turn = math.radians(angle)
        self._turn = np.array([[math.cos(turn), math.sin(turn)], [-math.sin(turn), math.cos(turn)]])
        self._shift = np.array(shift)

    def fill(self, outline: Outline, shade: float) -> None:
        """Fill what the outline [N, 2] encloses."""
        self._draw.polygon(self._placed(outline), fill=round(shade))

    def line(self, outline: Outline, shade: float, width: float, closed: bool = False) -> None:
        """A line of this width through the points [N, 2]."""
        points = self._placed(np.concatenate((outline, outline[:1])) if closed else outline)
        self._draw.line(points, fill=round(shade), width=max(1, round(width * self._unit)), joint="curve")

    def pixels(self, side: int) -> NDArray[np.float64]:
        """The page shrunk to a square picture, 0 to 255."""
        return np.asarray(self._page.reduce(_PAGE // side), dtype=np.float64)

    def _placed(self, outline: Outline) -> list[float]:
        """Points as Pillow takes them: x, y, x, y, …"""
        places: list[float] = ((outline @ self._turn + self._shift) * self._unit + _PAGE / 2).ravel().tolist()
        return places
