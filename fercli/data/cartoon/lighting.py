"""Light on a drawn face, and the camera that takes it."""

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray


@dataclass(frozen=True)
class Light:
    """How a sitting is lit."""

    #: where the light comes from, in radians: 0 is the right, π/2 below
    direction: float
    #: how much stronger the light is there than in the middle, as a fraction
    side: float
    #: what middle gray becomes, 0 to 255
    gray: float
    #: factor on the distance from middle gray
    contrast: float
    #: fraction of the full light
    exposure: float


def random_light(draws: Generator) -> Light:
    """A light at random; one in seven is rather dark."""
    return Light(
        direction=draws.uniform(0, 2 * np.pi),
        side=draws.uniform(0, 0.45),
        gray=draws.uniform(105, 155),
        contrast=draws.uniform(0.8, 1.2),
        exposure=draws.uniform(0.45, 0.65) if draws.random() < 1 / 7 else 1.0,
    )


def take_picture(pixels: NDArray[np.float64], light: Light, draws: Generator) -> NDArray[np.uint8]:
    """The picture [S, S] that a cheap, grainy camera takes of `pixels` [S, S], 0 to 255, in this light. One picture in
    four has the edge of a shadow across it."""
    gain = 1 + light.side * _across(len(pixels), light.direction + draws.normal(0, 0.3)) / np.sqrt(2)
    if draws.random() < 0.25:
        edge = _across(len(pixels), draws.uniform(0, 2 * np.pi)) - draws.uniform(-0.5, 0.5)
        gain *= 1 - draws.uniform(0.2, 0.5) / (1 + np.exp(-edge * draws.uniform(6, 25)))
    taken = (light.gray + (pixels - 128) * light.contrast) * gain * light.exposure * draws.uniform(0.9, 1.1)
    taken += draws.normal(0, draws.uniform(1, 5), pixels.shape)
    picture: NDArray[np.uint8] = np.clip(np.rint(taken), 0, 255).astype(np.uint8)
    return picture


def _across(side: int, direction: float) -> NDArray[np.float64]:
    """How far each pixel [S, S] lies in a direction, -1.4 to 1.4 from corner to corner."""
    down, across = np.mgrid[-1 : 1 : side * 1j, -1 : 1 : side * 1j]
    way: NDArray[np.float64] = np.cos(direction) * across + np.sin(direction) * down
    return way
