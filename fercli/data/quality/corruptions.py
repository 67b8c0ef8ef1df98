"""Faces made worse in named ways, each at three strengths: what a network meets outside its training set.

The idea of a fixed set of corruptions at fixed strengths: Hendrycks & Dietterich 2019, arXiv 1903.12261. These are
chosen for small gray faces that a detector has cut out; the amounts are this project's own.
"""

import io
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from PIL import Image

from fercli.core.errors import UsageError
from fercli.core.registry import suggest
from fercli.data.faceset import SIDE

STRENGTHS = ("mild", "medium", "strong")

#: Faces [N, 48, 48] of 0 to 255.
Planes = NDArray[np.float32]

#: Middle rows of the eyes and of the mouth in FER2013's mean face.
_EYES, _MOUTH = 17.5, 38.0
_GRAY = 128.0


@dataclass(frozen=True)
class Corruption:
    """One way of making faces worse: in words, how an amount is written, the amounts of the three strengths, and
    what does it."""

    about: str
    unit: str
    amounts: tuple[float, float, float]
    apply: Callable[[Planes, float, Generator], Planes]

    def amount(self, strength: str) -> str:
        """The amount of one strength with its unit: 'sd 1 px'."""
        return self.unit.format(self.amounts[STRENGTHS.index(strength)])


def corrupt(images: NDArray[np.uint8], name: str, strength: str, seed: int = 0) -> NDArray[np.uint8]:
    """Faces [N, 1, 48, 48] uint8 made worse in one way of CORRUPTIONS, in the same form.

    What is drawn by chance (directions, noise) follows from the seed alone and is the same at all strengths.
    """
    chosen = CORRUPTIONS[name]
    amount = chosen.amounts[STRENGTHS.index(strength)]
    out = chosen.apply(images[:, 0].astype(np.float32), amount, np.random.default_rng(seed))
    return np.rint(out).clip(0, 255).astype(np.uint8)[:, None]


def parse_corruptions(typed: str | None) -> tuple[str, ...]:
    """The corruptions that 'blur,rotation' names, in the table's order; all without a name.

    Raises UsageError for one that there is not.
    """
    names = [name.strip() for name in (typed or ",".join(CORRUPTIONS)).split(",")]
    for name in names:
        if name not in CORRUPTIONS:
            raise UsageError(f"--corrupt: no corruption '{name}': {suggest(name, CORRUPTIONS)}")
    return tuple(name for name in CORRUPTIONS if name in names)


def _frame(faces: Planes, percent: float, _: Generator) -> Planes:
    """The middle of each picture [N, S, S], this percentage of its side wide, enlarged or shrunk to 48×48 linearly;
    beyond the edges the outermost pixels are repeated."""
    from scipy.ndimage import affine_transform

    side = faces.shape[1]
    step = percent / 100 * side / SIDE
    start = (side - 1) / 2 - step * (SIDE - 1) / 2
    out: Planes = affine_transform(
        faces, (1, step, step), (0, start, start), (len(faces), SIDE, SIDE), order=1, mode="nearest"
    )
    return out


def _shift(faces: Planes, percent: float, draws: Generator) -> Planes:
    """Each face moved by this percentage of the side, in a direction of its own; the edges are repeated."""
    direction = draws.uniform(0, 2 * np.pi, len(faces))
    down, across = np.rint(percent / 100 * SIDE * np.stack((np.sin(direction), np.cos(direction)))).astype(int)
    rows, columns = ((np.arange(SIDE) - moved[:, None]).clip(0, SIDE - 1) for moved in (down, across))
    out: Planes = faces[np.arange(len(faces))[:, None, None], rows[:, :, None], columns[:, None, :]]
    return out


def _rotate(faces: Planes, degrees: float, draws: Generator) -> Planes:
    """Each face turned by this angle, one way or the other; the edges are repeated."""
    from scipy.ndimage import rotate

    out = np.empty_like(faces)
    left = draws.random(len(faces)) < 0.5
    for turned, angle in ((left, degrees), (~left, -degrees)):
        out[turned] = rotate(faces[turned], angle, axes=(2, 1), reshape=False, order=1, mode="nearest")
    return out


def _blur(faces: Planes, sigma: float, _: Generator) -> Planes:
    from scipy.ndimage import gaussian_filter

    out: Planes = gaussian_filter(faces, (0, sigma, sigma), mode="nearest")
    return out


def _pixelate(faces: Planes, side: float, draws: Generator) -> Planes:
    """Shrunk to so many pixels by averaging areas, and enlarged again, as a crop of a small face is."""
    cell = round(SIDE / side)
    small = faces.reshape(len(faces), SIDE // cell, cell, SIDE // cell, cell).mean(axis=(2, 4), dtype=np.float32)
    return _frame(small, 100, draws)


def _compress(faces: Planes, quality: float, _: Generator) -> Planes:
    def again(face: NDArray[np.uint8]) -> NDArray[np.uint8]:
        file = io.BytesIO()
        Image.fromarray(face).save(file, "JPEG", quality=round(quality))
        return np.asarray(Image.open(file))

    return np.array([again(face) for face in faces.astype(np.uint8)], np.float32).reshape(faces.shape)


def _add_noise(faces: Planes, sigma: float, draws: Generator) -> Planes:
    return faces + np.float32(sigma) * draws.standard_normal(faces.shape, np.float32)


def _darken(faces: Planes, percent: float, _: Generator) -> Planes:
    """This percentage of the light; what falls between two of the 256 grays is lost, as in a dark photograph."""
    return faces * np.float32(percent / 100)


def _flatten_contrast(faces: Planes, percent: float, _: Generator) -> Planes:
    """This percentage of the contrast around each face's own mean."""
    mean = faces.mean(axis=(1, 2), keepdims=True)
    out: Planes = mean + (faces - mean) * np.float32(percent / 100)
    return out


def _cover_row(middle: float) -> Callable[[Planes, float, Generator], Planes]:
    """A gray bar across the face around a row; its height is the amount, in percent of the side."""

    def cover(faces: Planes, percent: float, _: Generator) -> Planes:
        inside = np.abs(np.arange(SIDE) - middle) <= percent / 200 * SIDE
        return np.where(inside[:, None], np.float32(_GRAY), faces)

    return cover


def _cover_side(faces: Planes, percent: float, draws: Generator) -> Planes:
    """A gray bar down the left or the right side; its width is the amount, in percent of the side."""
    column = np.where(draws.random(len(faces))[:, None] < 0.5, np.arange(SIDE), np.arange(SIDE)[::-1])
    return np.where((column < percent / 100 * SIDE)[:, None, :], np.float32(_GRAY), faces)


CORRUPTIONS: dict[str, Corruption] = {
    "far": Corruption("frame too wide, face small in it", "{:g} % width", (115, 135, 160), _frame),
    "close": Corruption("cut too tight", "{:g} % width", (90, 80, 70), _frame),
    "shift": Corruption("face off the middle", "{:g} % of side", (5, 10, 15), _shift),
    "rotation": Corruption("turned in the plane, either way", "{:g}°", (10, 20, 30), _rotate),
    "blur": Corruption("Gaussian blur", "sd {:g} px", (1, 1.75, 2.5), _blur),
    "lowres": Corruption("fewer pixels, enlarged again", "{:g} px", (24, 16, 12), _pixelate),
    "jpeg": Corruption("JPEG compression", "quality {:g}", (40, 20, 10), _compress),
    "noise": Corruption("Gaussian noise", "sd {:g} of 255", (10, 20, 40), _add_noise),
    "dark": Corruption("less light", "{:g} % light", (50, 25, 10), _darken),
    "contrast": Corruption("low contrast", "{:g} % contrast", (50, 30, 15), _flatten_contrast),
    "eyes": Corruption("gray bar over the eyes", "{:g} % high", (15, 25, 35), _cover_row(_EYES)),
    "mouth": Corruption("gray bar over the mouth", "{:g} % high", (15, 25, 35), _cover_row(_MOUTH)),
    "side": Corruption("gray bar over one side", "{:g} % wide", (20, 35, 50), _cover_side),
}
