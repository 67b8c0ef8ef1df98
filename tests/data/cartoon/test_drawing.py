"""What a drawn head is drawn with: a pose, things before it, light."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from fercli.data.cartoon.faces import _random_person
from fercli.data.cartoon.drawing import Pen, Pose, oval
from fercli.data.cartoon.head import Expression, draw_head
from fercli.data.cartoon.lighting import Light, take_picture
from fercli.data.cartoon.occlusion import draw_occlusion


def _posed(**changes: float) -> Pose:
    return Pose(**{"tilt": 0.0, "turn": 0.0, "nod": 0.0, "scale": 1.0, "shift": (0.0, 0.0), **changes})


def _dot(pose: Pose, on_face: bool, x: float = 0, y: float = 0) -> NDArray[np.float64]:
    """Where the middle of a white dot comes to lie: pixels across and down from the picture's middle."""
    pen = Pen(0, pose, 0.8)
    pen.fill(oval(x, y, 0.1, 0.1), 255, on_face=on_face)
    pixels = pen.pixels(48)
    places = np.arange(48) - 23.5
    return np.array((pixels.sum(axis=0) @ places, pixels.sum(axis=1) @ places)) / pixels.sum()


@given(turn=st.floats(-30, 30), nod=st.floats(-15, 15))
def test_a_turned_head_takes_along_what_is_on_it_alone(turn, nod):
    pose = _posed(turn=turn, nod=nod)
    # the ellipsoid's half-axes are 1.1 of the head's, a unit is 24 / 1.18 pixels
    expected = 1.1 * np.array((0.8, 1)) * np.sin(np.radians((turn, nod))) * 24 / 1.18
    assert _dot(pose, on_face=True) == pytest.approx(expected, abs=0.3)
    assert _dot(pose, on_face=False) == pytest.approx([0, 0], abs=0.3)


@given(x=st.floats(-0.7, 0.7), y=st.floats(-0.8, 0.8))
def test_a_head_seen_from_the_front_is_flat(x, y):
    assert _dot(_posed(), True, x, y) == pytest.approx(_dot(_posed(), False, x, y), abs=0.1)


@given(turn=st.floats(5, 30), x=st.floats(0.3, 0.7))
def test_what_turns_away_moves_less_than_what_is_in_front(turn, x):
    def moved(place: float) -> float:
        return float((_dot(_posed(turn=turn), True, place) - _dot(_posed(), True, place))[0])

    assert moved(x) < moved(0)


@given(tilt=st.floats(-30, 30), scale=st.floats(0.8, 1.2))
def test_tilt_and_scale_move_everything_alike(tilt, scale):
    across, down = _dot(_posed(tilt=tilt, scale=scale), False, 0.6)
    length = 0.6 * scale * 24 / 1.18
    angle = np.radians(tilt)
    assert (across, down) == pytest.approx((length * np.cos(angle), length * np.sin(angle)), abs=0.3)


@given(seed=st.integers(0, 1000))
def test_an_occlusion_hides_a_part_of_the_face_and_no_more(seed):
    draws = np.random.default_rng(seed)
    person = _random_person(draws)
    pen = Pen(128, _posed(scale=1.1), person.width)
    draw_head(pen, person, Expression())
    before = pen.pixels(48)
    draw_occlusion(pen, person, draws)
    changed = np.abs(pen.pixels(48) - before)[:, 8:40] > 5
    assert 0.01 < changed.mean() < 0.3


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
