import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fercli.faces.crop import crop_face
from fercli.faces.detect import Detection

NOWHERE = ((0.0, 0.0),) * 5
coordinate = st.floats(-300, 300)


def detection(x1, y1, x2, y2):
    return Detection((x1, y1, x2, y2), NOWHERE, 1.0)


def ramp(height=200, width=200):
    """Gray that says where it is: brightness grows to the right by 1 a pixel."""
    row = np.arange(width, dtype=np.uint8)
    return np.repeat(np.tile(row, (height, 1))[..., None], 3, axis=2)


@settings(deadline=None, max_examples=80)
@given(
    coordinate,
    coordinate,
    coordinate,
    coordinate,
    st.floats(-0.4, 1.0),
    st.integers(1, 90),
    st.integers(1, 90),
)
def test_any_box_gives_a_face_of_the_pictures_own_grays(x1, y1, x2, y2, margin, height, width):
    picture = np.random.default_rng(0).integers(60, 160, (height, width, 3)).astype(np.uint8)
    face = crop_face(picture, detection(x1, y1, x2, y2), margin)
    assert face.shape == (48, 48)
    assert face.dtype == np.uint8
    assert 59 <= face.min() <= face.max() <= 160


def test_a_box_of_48_pixels_is_cut_out_unchanged():
    picture = np.random.default_rng(0).integers(0, 256, (80, 90, 3)).astype(np.uint8)
    picture[...] = picture[..., :1]
    face = crop_face(picture, detection(10, 20, 58, 68), margin=0)
    assert np.array_equal(face, picture[20:68, 10:58, 0])


def test_gray_is_itu_r_601():
    picture = np.zeros((60, 60, 3), np.uint8)
    picture[...] = (200, 100, 50)
    assert np.all(crop_face(picture, detection(5, 5, 50, 50)) == round(0.299 * 200 + 0.587 * 100 + 0.114 * 50))


@pytest.mark.parametrize("margin", [-0.1, 0.0, 0.25])
def test_the_square_is_centred_and_as_wide_as_the_margin_says(margin):
    # 40 × 80 around (100, 100): the longer side counts
    face = crop_face(ramp(), detection(80, 60, 120, 140), margin).astype(float)
    assert face.mean() == pytest.approx(99.5, abs=0.6)
    assert face[0, -1] - face[0, 0] == pytest.approx(80 * (1 + 2 * margin) * 47 / 48, abs=2)


def test_beyond_the_edge_the_outermost_pixels_are_repeated():
    face = crop_face(ramp(), detection(-48, 0, 48, 96), margin=0)
    assert np.all(face[:, :23] == 0)
    assert np.all(np.diff(face[0, 25:].astype(int)) > 0)


def test_shrinking_averages_areas():
    stripes = np.zeros((480, 480, 3), np.uint8)
    stripes[:, ::2] = 200
    assert np.all(crop_face(stripes, detection(0, 0, 480, 480), margin=0) == 100)
