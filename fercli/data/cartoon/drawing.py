"""Drawing with outlines in a face's own coordinates, on a page four times as fine as the picture."""

import math
from dataclasses import dataclass

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


@dataclass(frozen=True)
class Pose:
    """How a head is held: `tilt`, `turn` and `nod` in degrees (in the plane, to the right, downwards), `scale` and
    `shift` (in units)."""

    tilt: float
    turn: float
    nod: float
    scale: float
    shift: tuple[float, float]


class Pen:
    """Fills and lines on a gray page; the page's half side is 1.18 units at scale 1.

    What is drawn is tilted, sized and moved as the pose says. With `on_face` it also turns with the head, whose
    front is taken to be an ellipsoid of half-axes `width` and 1.
    """

    def __init__(self, background: float, pose: Pose, width: float) -> None:
        self._page = Image.new("L", (_PAGE, _PAGE), round(background))
        self._draw = ImageDraw.Draw(self._page)
        self._unit = pose.scale * _PAGE / 2 / 1.18
        tilt = math.radians(pose.tilt)
        self._tilt = np.array([[math.cos(tilt), math.sin(tilt)], [-math.sin(tilt), math.cos(tilt)]])
        self._turn = np.radians((pose.turn, pose.nod))
        # a little more than the head, so that nothing on it is ever at the very edge
        self._axes = 1.1 * np.array((width, 1.0))
        self._shift = np.array(pose.shift)

    def fill(self, outline: Outline, shade: float, on_face: bool = False) -> None:
        """Fill what the outline [N, 2] encloses."""
        self._draw.polygon(self._placed(outline, on_face), fill=round(shade))

    def line(self, outline: Outline, shade: float, width: float, on_face: bool = False, closed: bool = False) -> None:
        """A line of this width through the points [N, 2]."""
        points = self._placed(np.concatenate((outline, outline[:1])) if closed else outline, on_face)
        self._draw.line(points, fill=round(shade), width=max(1, round(width * self._unit)), joint="curve")

    def pixels(self, side: int) -> NDArray[np.float64]:
        """The page shrunk to a square picture, 0 to 255."""
        return np.asarray(self._page.reduce(_PAGE // side), dtype=np.float64)

    def _placed(self, outline: Outline, on_face: bool) -> list[float]:
        """Points as Pillow takes them: x, y, x, y, …"""
        if on_face:
            outline = self._axes * np.sin(np.arcsin(np.clip(outline / self._axes, -1, 1)) + self._turn)
        coordinates: list[float] = ((outline @ self._tilt + self._shift) * self._unit + _PAGE / 2).ravel().tolist()
        return coordinates
