import io

import numpy as np
import pytest
from PIL import Image

from fercli.data.pictures import read_crops
from fercli.faces.crop import crop_face, squeezed
from fercli.faces.decode import read_picture
from fercli.faces.whole import WholePictures


@pytest.mark.parametrize("size", [(48, 48), (49, 48), (64, 80), (300, 100), (20, 30), (30, 200), (1, 1)])
@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA"])
def test_a_picture_that_is_a_face_becomes_what_the_data_loaders_make_of_it(size, mode):
    noise = np.random.default_rng(0).integers(0, 256, (size[1], size[0], 4)).astype(np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(noise).convert(mode).save(buffer, "PNG")
    picture = read_picture(buffer.getvalue())
    ((detection,),) = WholePictures().find_all([picture])
    assert detection.box == (0, 0, *size)
    assert (detection.landmarks, detection.score) == ((), None)
    face = crop_face(picture, detection)
    (loaded,) = read_crops(["a.png"], lambda _: buffer.getvalue())
    assert np.array_equal(face, loaded.pixels)
    assert (face.shape, face.dtype, loaded.size) == ((48, 48), np.uint8, size)


def test_a_face_of_the_right_size_is_left_as_it_is():
    gray = np.random.default_rng(0).integers(0, 256, (48, 48, 1)).astype(np.uint8)
    assert np.array_equal(squeezed(gray.repeat(3, axis=2)), gray[..., 0])
