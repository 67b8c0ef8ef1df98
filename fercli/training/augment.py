"""Augmentation of a whole batch at once on its device, with separate draws for each face.

torchvision's transforms draw one set of parameters for a batch; one affine matrix a face and one
`grid_sample` give every face its own at a fraction of the time of image by image.
"""

import math

import torch
from torch import Generator, Tensor
from torch.nn import functional as F

from fercli.core.recipe import Augmentation


class Draws:
    """Random numbers for the faces of a batch from one generator, which must live on their device.

    `own` are the faces of a batch of `whole` that draw: each draws what it would draw in the whole batch.
    """

    def __init__(self, generator: Generator, whole: int, own: slice = slice(None)) -> None:
        self._generator, self._whole, self._own = generator, whole, own

    def uniform(self, low: float, high: float) -> Tensor:
        """A draw from [low, high) for each face."""
        drawn = torch.rand(self._whole, generator=self._generator, device=self._generator.device)
        return (drawn * (high - low) + low)[self._own]

    def normal(self, shape: torch.Size) -> Tensor:
        """Draws of this shape from a standard normal distribution for each face."""
        drawn = torch.randn((self._whole, *shape), generator=self._generator, device=self._generator.device)
        return drawn[self._own]


def augment(faces: Tensor, amounts: Augmentation, draws: Draws) -> Tensor:
    """Faces [N, 1, H, W] uint8 of 0 to 255, each changed its own way, as float32 of 0 to 255.

    `draws` is the only source of chance.
    """
    pixels = faces.float()
    if amounts.moves:
        grid = F.affine_grid(_affine_matrices(amounts, draws), list(faces.shape), align_corners=False)
        pixels = F.grid_sample(pixels, grid, padding_mode="border", align_corners=False)
    if amounts.brightness or amounts.contrast:
        pixels = _jitter(pixels, amounts, draws)
    if amounts.erase:
        pixels = _erase(pixels, amounts.erase, draws)
    if amounts.blur:
        pixels = _blur(pixels, amounts.blur, draws)
    if amounts.noise:
        pixels = _add_noise(pixels, amounts.noise, draws)
    return pixels


def _affine_matrices(amounts: Augmentation, draws: Draws) -> Tensor:
    """One affine matrix [2, 3] a face, from output to input coordinates of -1 to 1: mirror, rotation,
    zoom and shift."""
    angle = draws.uniform(-amounts.rotate, amounts.rotate) * (math.pi / 180)
    # zoom by a factor and by its inverse are equally likely
    zoom = draws.uniform(-math.log1p(amounts.zoom), math.log1p(amounts.zoom))
    mirror = torch.where(draws.uniform(0, 1) < 0.5, -1.0, 1.0) if amounts.flip else torch.ones_like(angle)
    # coordinates span 2, so a shift by a fraction of the side is twice that fraction
    across = draws.uniform(-2 * amounts.shift, 2 * amounts.shift)
    down = draws.uniform(-2 * amounts.shift, 2 * amounts.shift)
    if amounts.move_probability < 1:
        rotates, zooms, shifts = (draws.uniform(0, 1) < amounts.move_probability for _ in range(3))
        angle, zoom, across, down = angle * rotates, zoom * zooms, across * shifts, down * shifts
    scale = torch.exp(zoom)
    cos, sin = torch.cos(angle) * scale, torch.sin(angle) * scale
    rows = torch.stack((cos * mirror, -sin, across, sin * mirror, cos, down), dim=1)
    return rows.view(-1, 2, 3)


def _jitter(pixels: Tensor, amounts: Augmentation, draws: Draws) -> Tensor:
    """Each face's contrast stretched about its mean and its brightness moved, kept within 0 to 255."""
    factor = 1 + draws.uniform(-amounts.contrast, amounts.contrast).view(-1, 1, 1, 1)
    offset = 255 * draws.uniform(-amounts.brightness, amounts.brightness).view(-1, 1, 1, 1)
    mean = pixels.mean(dim=(1, 2, 3), keepdim=True)
    return ((pixels - mean) * factor + mean + offset).clamp(0, 255)


def _erase(pixels: Tensor, probability: float, draws: Draws) -> Tensor:
    """With this probability a face loses one rectangle, of a sixth to a half of the side each way, to its
    mean grey. Source: random erasing, arXiv 1708.04896."""
    count = len(pixels)
    inside = (draws.uniform(0, 1) < probability).view(-1, 1, 1, 1)
    for axis in (2, 3):
        side = pixels.shape[axis]
        extent = draws.uniform(side / 6, side / 2)
        start = draws.uniform(0, 1) * (side - extent)
        position = torch.arange(side, device=pixels.device)
        within = (position >= start[:, None]) & (position < (start + extent)[:, None])
        inside = inside & within.view([count, 1, side, 1] if axis == 2 else [count, 1, 1, side])
    return torch.where(inside, pixels.mean(dim=(1, 2, 3), keepdim=True), pixels)


def _blur(pixels: Tensor, most: float, draws: Draws) -> Tensor:
    """Each face behind a Gaussian of its own width, edges going on as they end."""
    count, _, height, width = pixels.shape
    deviation = _draw_mostly_small(most, draws).clamp(min=1e-3)  # of zero, nothing but the pixel itself is left
    reach = math.ceil(3 * most)
    steps = torch.arange(-reach, reach + 1, device=pixels.device)
    kernel = torch.softmax(-(steps**2) / (2 * deviation[:, None] ** 2), dim=1)
    # faces as channels of one picture: each has its own kernel, down and then across
    padded = F.pad(pixels, (reach,) * 4, mode="replicate").view(1, count, height + 2 * reach, width + 2 * reach)
    down = F.conv2d(padded, kernel[:, None, :, None], groups=count)
    return F.conv2d(down, kernel[:, None, None, :], groups=count).view_as(pixels)


def _add_noise(pixels: Tensor, most: float, draws: Draws) -> Tensor:
    """Gaussian noise on each pixel, as strong as is drawn for its face, kept within 0 to 255."""
    deviation = 255 * _draw_mostly_small(most, draws).view(-1, 1, 1, 1)
    noise = draws.normal(pixels.shape[1:])
    return (pixels + noise * deviation).clamp(0, 255)


def _draw_mostly_small(most: float, draws: Draws) -> Tensor:
    """A draw from 0 to `most` for each face, half of them in the first quarter."""
    return most * draws.uniform(0, 1) ** 2
