"""Pictures that are as detailed as photographs, and faces cut out of them."""

from collections.abc import Callable

import numpy as np
import pytest


@pytest.fixture(scope="session")
def noise_picture() -> Callable[..., np.ndarray]:
    """Makes something as detailed and uneven as a photograph [side, side], another one for every number."""

    def make(number: int, side: int = 60) -> np.ndarray:
        from scipy.ndimage import gaussian_filter

        noise = np.random.default_rng(number).normal(size=(3, side, side))
        layers = zip(noise, ((1, 30), (4, 160), (12, 2000)), strict=True)
        smooth = sum(gaussian_filter(layer, sigma) * weight for layer, (sigma, weight) in layers)
        return np.clip(128 + smooth, 0, 255).astype(np.uint8)

    return make


@pytest.fixture(scope="session")
def cut() -> Callable[..., np.ndarray]:
    """Cuts a face [1, 48, 48] out of a picture."""

    def make(picture: np.ndarray, down: int = 6, across: int = 6) -> np.ndarray:
        return picture[None, down : down + 48, across : across + 48]

    return make
