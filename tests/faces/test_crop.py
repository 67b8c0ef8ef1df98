import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from fercli.data.pictures import read_crops
from fercli.faces.crop import THUMBNAIL_SIDE, crop_face, make_thumbnail, squeeze_to_face
from fercli.faces.detection import Detection, WholePictureDetector
from fercli.faces.io.decode import read_picture

NOWHERE = ((0.0, 0.0),) * 5
coordinate = st.floats(-300, 300)


def detection(x1, y1, x2, y2):
    return Detection((x1, y1, x2, y2), NOWHERE, 1.0)


def ramp(height=200, width=200):
    """A gray ramp: brightness grows by 1 per pixel to the right."""
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
def test_any_box_gives_a_face_with_grays_of_the_picture(x1, y1, x2, y2, margin, height, width):
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
def test_the_square_is_centred_and_its_side_follows_the_margin(margin):
    # 40 × 80 around (100, 100): the longer side counts
    face = crop_face(ramp(), detection(80, 60, 120, 140), margin).astype(float)
    assert face.mean() == pytest.approx(99.5, abs=0.6)
    assert face[0, -1] - face[0, 0] == pytest.approx(80 * (1 + 2 * margin) * 47 / 48, abs=2)


def test_outside_the_picture_the_outermost_pixels_are_repeated():
    face = crop_face(ramp(), detection(-48, 0, 48, 96), margin=0)
    assert np.all(face[:, :23] == 0)
    assert np.all(np.diff(face[0, 25:].astype(int)) > 0)


def test_shrinking_averages_areas():
    stripes = np.zeros((480, 480, 3), np.uint8)
    stripes[:, ::2] = 200
    assert np.all(crop_face(stripes, detection(0, 0, 480, 480), margin=0) == 100)


position = st.floats(-100, 400)


@settings(deadline=None, max_examples=40)
@given(st.integers(1, 300), st.integers(1, 300), position, position, st.floats(0, 500), st.floats(0, 500))
def test_any_box_gives_a_thumbnail(height, width, x, y, across, down):
    picture = np.full((height, width, 3), 90, np.uint8)
    shown = make_thumbnail(picture, (x, y, x + across, y + down))
    with Image.open(io.BytesIO(shown)) as image:
        assert image.format == "JPEG"
        assert image.size == (THUMBNAIL_SIDE, THUMBNAIL_SIDE)
        assert np.ptp(np.asarray(image)) < 5


@pytest.mark.parametrize("box", [(60, 40, 100, 80), (-10, 30, 40, 70), (150, 90, 210, 140)])
def test_the_thumbnail_shows_the_face(box):
    picture = np.zeros((120, 200, 3), np.uint8)
    x1, y1, x2, y2 = box
    picture[max(0, y1) : y2, max(0, x1) : x2] = (250, 120, 10)
    with Image.open(io.BytesIO(make_thumbnail(picture, box))) as image:
        pixels = np.asarray(image).astype(int)
    face = np.abs(pixels - (250, 120, 10)).sum(axis=2) < 60
    assert 0.2 < face.mean() < 0.95


@pytest.mark.parametrize("size", [(48, 48), (49, 48), (64, 80), (300, 100), (20, 30), (30, 200), (1, 1)])
@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA"])
def test_a_whole_picture_becomes_the_same_face_as_in_the_data_loaders(size, mode):
    noise = np.random.default_rng(0).integers(0, 256, (size[1], size[0], 4)).astype(np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(noise).convert(mode).save(buffer, "PNG")
    picture = read_picture(buffer.getvalue())
    ((detection,),) = WholePictureDetector().find_all([picture])
    assert detection.box == (0, 0, *size)
    assert (detection.landmarks, detection.score) == ((), None)
    face = crop_face(picture, detection)
    (loaded,) = read_crops(["a.png"], lambda _: buffer.getvalue())
    assert np.array_equal(face, loaded.pixels)
    assert (face.shape, face.dtype, loaded.size) == ((48, 48), np.uint8, size)


def test_a_face_of_the_right_size_is_unchanged():
    gray = np.random.default_rng(0).integers(0, 256, (48, 48, 1)).astype(np.uint8)
    assert np.array_equal(squeeze_to_face(gray.repeat(3, axis=2)), gray[..., 0])
