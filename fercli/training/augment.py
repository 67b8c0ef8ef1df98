"""Augmentation of a whole batch at once on its device, with separate draws for each face.

torchvision's transforms draw one set of parameters for a batch; one affine matrix a face and one
`grid_sample` give every face its own at a fraction of the time of image by image.
"""

import math

import torch
from torch import Generator, Tensor
from torch.nn import functional as F

from fercli.core.recipe import Augmentation


def augment(faces: Tensor, amounts: Augmentation, generator: Generator) -> Tensor:
    """Faces [N, 1, H, W] uint8 of 0 to 255, each changed its own way, as float32 of 0 to 255.

    `generator` is the only source of chance and must live on the faces' device.
    """
    pixels = faces.float()
    if amounts.moves:
        grid = F.affine_grid(_affine_matrices(len(faces), amounts, generator), list(faces.shape), align_corners=False)
        pixels = F.grid_sample(pixels, grid, padding_mode="border", align_corners=False)
    if amounts.brightness or amounts.contrast:
        pixels = _jitter(pixels, amounts, generator)
    if amounts.erase:
        pixels = _erase(pixels, amounts.erase, generator)
    if amounts.blur:
        pixels = _blur(pixels, amounts.blur, generator)
    if amounts.noise:
        pixels = _add_noise(pixels, amounts.noise, generator)
    return pixels


def _uniform(count: int, low: float, high: float, generator: Generator) -> Tensor:
    """`count` draws from [low, high), on the generator's device."""
    return torch.rand(count, generator=generator, device=generator.device) * (high - low) + low


def _affine_matrices(count: int, amounts: Augmentation, generator: Generator) -> Tensor:
    """One affine matrix [2, 3] a face, from output to input coordinates of -1 to 1: mirror, rotation,
    zoom and shift."""
    angle = _uniform(count, -amounts.rotate, amounts.rotate, generator) * (math.pi / 180)
    # zoom by a factor and by its inverse are equally likely
    zoom = _uniform(count, -math.log1p(amounts.zoom), math.log1p(amounts.zoom), generator)
    mirror = torch.where(_uniform(count, 0, 1, generator) < 0.5, -1.0, 1.0) if amounts.flip else torch.ones_like(angle)
    # coordinates span 2, so a shift by a fraction of the side is twice that fraction
    across = _uniform(count, -2 * amounts.shift, 2 * amounts.shift, generator)
    down = _uniform(count, -2 * amounts.shift, 2 * amounts.shift, generator)
    if amounts.move_probability < 1:
        rotates, zooms, shifts = (_uniform(count, 0, 1, generator) < amounts.move_probability for _ in range(3))
        angle, zoom, across, down = angle * rotates, zoom * zooms, across * shifts, down * shifts
    scale = torch.exp(zoom)
    cos, sin = torch.cos(angle) * scale, torch.sin(angle) * scale
    rows = torch.stack((cos * mirror, -sin, across, sin * mirror, cos, down), dim=1)
    return rows.view(count, 2, 3)


def _jitter(pixels: Tensor, amounts: Augmentation, generator: Generator) -> Tensor:
    """Each face's contrast stretched about its mean and its brightness moved, kept within 0 to 255."""
    count = len(pixels)
    factor = 1 + _uniform(count, -amounts.contrast, amounts.contrast, generator).view(-1, 1, 1, 1)
    offset = 255 * _uniform(count, -amounts.brightness, amounts.brightness, generator).view(-1, 1, 1, 1)
    mean = pixels.mean(dim=(1, 2, 3), keepdim=True)
    return ((pixels - mean) * factor + mean + offset).clamp(0, 255)


def _erase(pixels: Tensor, probability: float, generator: Generator) -> Tensor:
    """With this probability a face loses one rectangle, of a sixth to a half of the side each way, to its
    mean grey. Source: random erasing, arXiv 1708.04896."""
    count = len(pixels)
    inside = (_uniform(count, 0, 1, generator) < probability).view(-1, 1, 1, 1)
    for axis in (2, 3):
        side = pixels.shape[axis]
        extent = _uniform(count, side / 6, side / 2, generator)
        start = _uniform(count, 0, 1, generator) * (side - extent)
        position = torch.arange(side, device=pixels.device)
        within = (position >= start[:, None]) & (position < (start + extent)[:, None])
        inside = inside & within.view([count, 1, side, 1] if axis == 2 else [count, 1, 1, side])
    return torch.where(inside, pixels.mean(dim=(1, 2, 3), keepdim=True), pixels)


def _blur(pixels: Tensor, most: float, generator: Generator) -> Tensor:
    """Each face behind a Gaussian of its own width, edges going on as they end."""
    count, _, height, width = pixels.shape
    deviation = _draw_mostly_small(count, most, generator).clamp(
        min=1e-3
    )  # of zero, nothing but the pixel itself is left
    reach = math.ceil(3 * most)
    steps = torch.arange(-reach, reach + 1, device=pixels.device)
    kernel = torch.softmax(-(steps**2) / (2 * deviation[:, None] ** 2), dim=1)
    # faces as channels of one picture: each has its own kernel, down and then across
    padded = F.pad(pixels, (reach,) * 4, mode="replicate").view(1, count, height + 2 * reach, width + 2 * reach)
    down = F.conv2d(padded, kernel[:, None, :, None], groups=count)
    return F.conv2d(down, kernel[:, None, None, :], groups=count).view_as(pixels)


def _add_noise(pixels: Tensor, most: float, generator: Generator) -> Tensor:
    """Gaussian noise on each pixel, as strong as is drawn for its face, kept within 0 to 255."""
    deviation = 255 * _draw_mostly_small(len(pixels), most, generator).view(-1, 1, 1, 1)
    noise = torch.randn(pixels.shape, generator=generator, device=generator.device)
    return (pixels + noise * deviation).clamp(0, 255)


def _draw_mostly_small(count: int, most: float, generator: Generator) -> Tensor:
    """`count` draws from 0 to `most`, half of them in the first quarter."""
    return most * _uniform(count, 0, 1, generator) ** 2
