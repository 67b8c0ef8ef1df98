import numpy as np
import pytest

from fercli.faces.video.read import read_video
from fercli.faces.video.shots import ShotDetector


def cuts(frames):
    detector = ShotDetector()
    return [detector.is_cut(frame) for frame in frames]


@pytest.fixture
def scene(portrait):
    return portrait[:400, :500]


def test_a_moving_camera_and_moving_people_are_not_cuts(portrait, crossing):
    pan = [portrait[y : y + 300, y // 2 : y // 2 + 400] for y in range(0, 300, 20)]
    assert not any(cuts(pan))
    assert not any(cuts(frame.pixels for frame in read_video(crossing, 0.4)))


@pytest.mark.parametrize("light", [0.5, 0.8, 1.3, 2.0])
def test_a_change_of_light_is_not_a_cut(scene, light):
    changed = np.clip(scene * light, 0, 255).astype(np.uint8)
    assert cuts([scene, changed, scene]) == [False] * 3


def test_each_change_of_picture_is_one_cut(scene):
    other = np.roll(scene[::-1, ::-1], 100, axis=1) // 2
    assert cuts([scene, scene, other, other, scene]) == [False, False, True, False, True]


@pytest.mark.parametrize("shape", [(1, 1), (3, 900), (2000, 40)])
def test_any_size_and_plain_pictures(shape):
    plain = np.full((*shape, 3), 200, np.uint8)
    assert cuts([plain, plain]) == [False, False]
    assert cuts([plain, np.zeros((64, 48, 3), np.uint8)]) == [False, True]
