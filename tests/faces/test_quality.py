"""Size, blur and yaw of a face."""

import math

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fercli.data.cartoon import cartoon
from fercli.faces.quality import estimate_yaw, face_size, measure_blur, name_difficulties


@pytest.fixture(scope="module")
def faces():
    return cartoon(4, 1).images[:, 0]


def test_the_more_a_face_is_blurred_the_higher_its_blur(faces):
    blurs = [
        np.median([measure_blur(cv2.GaussianBlur(face, (0, 0), sigma) if sigma else face) for face in faces])
        for sigma in (0, 1, 2, 3)
    ]
    assert blurs == sorted(blurs)
    assert blurs[0] < 0.4
    assert blurs[2] > 0.6


@given(st.binary(min_size=48 * 48, max_size=48 * 48))
def test_blur_is_from_0_to_1_and_the_same_upside_down_and_transposed(content):
    face = np.frombuffer(content, np.uint8).reshape(48, 48)
    blur = measure_blur(face)
    assert 0 <= blur <= 1
    assert math.isclose(measure_blur(face.T), blur, abs_tol=1e-6)
    assert math.isclose(measure_blur(face[::-1, ::-1]), blur, abs_tol=1e-6)


def test_a_face_of_one_gray_is_blurred_and_noise_is_not():
    assert measure_blur(np.full((48, 48), 90, np.uint8)) == 1
    assert measure_blur(np.random.default_rng(0).integers(0, 255, (48, 48), np.uint8)) < 0.2


def project(yaw: float, roll: float, scale: float, corner: tuple[float, float]) -> list[tuple[float, float]]:
    """Eyes, nose and corners of the mouth of a head that is turned aside, then tilted, seen from far away."""
    head = np.array([(-0.5, 0, 0), (0.5, 0, 0), (0, 0.6, 0.6), (-0.4, 1.1, 0.2), (0.4, 1.1, 0.2)])
    turn, tilt = math.radians(yaw), math.radians(roll)
    x = head[:, 0] * math.cos(turn) + head[:, 2] * math.sin(turn)
    y = head[:, 1]
    across = scale * (x * math.cos(tilt) - y * math.sin(tilt)) + corner[0]
    down = scale * (x * math.sin(tilt) + y * math.cos(tilt)) + corner[1]
    return list(zip(across.tolist(), down.tolist(), strict=True))


@given(st.floats(-60, 60), st.floats(-40, 40), st.floats(5, 500), st.tuples(st.floats(0, 2000), st.floats(0, 2000)))
def test_yaw_is_that_of_a_turned_head_however_it_is_tilted(yaw, roll, scale, corner):
    assert estimate_yaw(project(yaw, roll, scale, corner)) == pytest.approx(yaw, abs=0.5)


def test_yaw_needs_landmarks():
    assert estimate_yaw(()) is None
    assert estimate_yaw([(1.0, 1.0)] * 5) is None


def test_difficulties_have_their_names():
    assert face_size((10, 20, 50, 100)) == 80
    assert name_difficulties(39, 0.6, -30) == ["small", "blurred", "turned"]
    assert name_difficulties(40, 0.59, 29) == name_difficulties(40, None, None) == []
