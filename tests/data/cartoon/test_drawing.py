"""The pose of a drawn head: what turns with it, and how far."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from fercli.data.cartoon.drawing import Pen, Pose, oval


def _posed(**changes: float) -> Pose:
    return Pose(**{"tilt": 0.0, "turn": 0.0, "nod": 0.0, "scale": 1.0, "shift": (0.0, 0.0), **changes})


def _dot(pose: Pose, on_face: bool, x: float = 0, y: float = 0) -> NDArray[np.float64]:
    """Where the middle of a white dot comes to lie: pixels across and down from the picture's middle."""
    pen = Pen(0, pose, 0.8)
    pen.fill(oval(x, y, 0.1, 0.1), 255, on_face=on_face)
    pixels = pen.pixels(48)
    positions = np.arange(48) - 23.5
    return np.array((pixels.sum(axis=0) @ positions, pixels.sum(axis=1) @ positions)) / pixels.sum()


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
    def moved(position: float) -> float:
        return float((_dot(_posed(turn=turn), True, position) - _dot(_posed(), True, position))[0])

    assert moved(x) < moved(0)


@given(tilt=st.floats(-30, 30), scale=st.floats(0.8, 1.2))
def test_tilt_and_scale_move_everything_alike(tilt, scale):
    across, down = _dot(_posed(tilt=tilt, scale=scale), False, 0.6)
    length = 0.6 * scale * 24 / 1.18
    angle = np.radians(tilt)
    assert (across, down) == pytest.approx((length * np.cos(angle), length * np.sin(angle)), abs=0.3)
