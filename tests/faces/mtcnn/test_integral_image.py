import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional as F

from fercli.faces.mtcnn.integral_image import IntegralImage


def by_area(picture, size):
    """The input that facenet-pytorch gives its networks: resized by area interpolation and scaled."""
    pixels = torch.from_numpy(picture).permute(2, 0, 1)[None].float()
    return (F.interpolate(pixels, size, mode="area")[0].permute(1, 2, 0) - 127.5) * 0.0078125


@settings(deadline=None)
@given(st.data())
def test_parts_and_crops_are_pytorchs_area_interpolation(data):
    sides = st.integers(1, 60)
    picture = np.random.default_rng(data.draw(st.integers(0, 99))).integers(
        0, 256, (data.draw(sides), data.draw(sides), 3)
    )
    integral = IntegralImage(picture.astype(np.uint8))
    size = data.draw(st.tuples(sides, sides))
    rows, columns = (
        range(*sorted(data.draw(st.lists(st.integers(0, side), min_size=2, max_size=2, unique=True)))) for side in size
    )
    wanted = by_area(picture.astype(np.uint8), size)[rows.start : rows.stop, columns.start : columns.stop]
    np.testing.assert_allclose(integral.resize_region(size, rows, columns), wanted, rtol=0, atol=1e-6)
    box = [
        *(data.draw(st.integers(0, side - 1)) for side in (picture.shape[1], picture.shape[0])),
    ]
    box += [data.draw(st.integers(first + 1, side)) for first, side in zip(box, picture.shape[1::-1], strict=True)]
    left, top, right, bottom = box
    (crop,) = integral.crop_and_resize(np.array([box]), 24)
    wanted = by_area(np.ascontiguousarray(picture[top:bottom, left:right].astype(np.uint8)), (24, 24))
    np.testing.assert_allclose(crop, wanted, rtol=0, atol=1e-6)


def test_sums_that_overflow_give_correct_differences():
    white = np.full((3000, 3000, 3), 255, np.uint8)  # the sum is 2.3e9
    integral = IntegralImage(white)
    assert int(integral.table[-1, -1, 0]) != 255 * 3000 * 3000
    ones = np.full((12, 12, 3), 127.5 / 128)
    np.testing.assert_allclose(integral.resize_region((12, 12), range(12), range(12)), ones, rtol=0, atol=1e-6)
    np.testing.assert_allclose(
        integral.crop_and_resize(np.array([[2000, 2000, 3000, 3000]]), 12)[0], ones, rtol=0, atol=1e-6
    )
