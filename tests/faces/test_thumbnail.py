import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from fercli.faces.thumbnail import THUMBNAIL_SIDE, thumbnail

position = st.floats(-100, 400)


@settings(deadline=None, max_examples=40)
@given(st.integers(1, 300), st.integers(1, 300), position, position, st.floats(0, 500), st.floats(0, 500))
def test_any_box_gives_a_small_jpeg(height, width, x, y, across, down):
    picture = np.full((height, width, 3), 90, np.uint8)
    shown = thumbnail(picture, (x, y, x + across, y + down))
    with Image.open(io.BytesIO(shown)) as image:
        assert image.format == "JPEG"
        assert image.size == (THUMBNAIL_SIDE, THUMBNAIL_SIDE)
        assert np.ptp(np.asarray(image)) < 5


@pytest.mark.parametrize("box", [(60, 40, 100, 80), (-10, 30, 40, 70), (150, 90, 210, 140)])
def test_the_face_is_in_it(box):
    picture = np.zeros((120, 200, 3), np.uint8)
    x1, y1, x2, y2 = box
    picture[max(0, y1) : y2, max(0, x1) : x2] = (250, 120, 10)
    with Image.open(io.BytesIO(thumbnail(picture, box))) as image:
        pixels = np.asarray(image).astype(int)
    face = np.abs(pixels - (250, 120, 10)).sum(axis=2) < 60
    assert 0.2 < face.mean() < 0.95
