"""Light on a drawn face, and the camera."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from fercli.data.cartoon.lighting import Light, take_picture


@given(direction=st.sampled_from((0, np.pi / 2, np.pi, 3 * np.pi / 2)), seed=st.integers(0, 100))
def test_the_side_that_the_light_comes_from_is_the_bright_one(direction, seed):
    light = Light(direction=direction, side=0.45, gray=128, contrast=1, exposure=1)
    draws = np.random.default_rng(seed)
    # on average over pictures: a shadow may lie on the bright side of one
    mean = np.mean([take_picture(np.full((48, 48), 128.0), light, draws) for _ in range(30)], axis=0)
    turned = np.rot90(mean, round(direction / (np.pi / 2)))
    assert turned[:, 36:].mean() > turned[:, :12].mean() + 20


def test_a_dark_room_gives_a_dark_picture_and_low_contrast_a_flat_one():
    stripes = np.tile(np.repeat((60.0, 200.0), 24), (48, 1))

    def taken(**changes: float) -> NDArray[np.float64]:
        light = Light(**{"direction": 0.0, "side": 0.0, "gray": 128.0, "contrast": 1.0, "exposure": 1.0, **changes})
        return take_picture(stripes, light, np.random.default_rng(1)).astype(np.float64)

    assert taken(exposure=0.5).mean() == pytest.approx(taken().mean() / 2, rel=0.02)
    assert np.ptp(taken(contrast=0.5).mean(axis=0)) < 0.6 * np.ptp(taken().mean(axis=0))
