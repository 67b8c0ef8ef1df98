import io
import os
import struct
import sys
from contextlib import suppress
from pathlib import Path

import numpy as np
import pillow_heif
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from fercli.core.errors import PictureError
from fercli.faces.io import decode
from fercli.faces.io.decode import PICTURE_SUFFIXES, measure_picture, read_picture

# a picture whose four corners differ, so that rotations and flips show
CORNERS = np.zeros((32, 48, 3), np.uint8)
CORNERS[:16, :24] = (250, 10, 10)
CORNERS[:16, 24:] = (10, 250, 10)
CORNERS[16:, :24] = (10, 10, 250)
CORNERS[16:, 24:] = (240, 240, 240)


def encoded(image: Image.Image, form: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, form, **options)
    return buffer.getvalue()


def close(one: np.ndarray, other: np.ndarray, within: float = 12) -> bool:
    return one.shape == other.shape and np.abs(one.astype(int) - other.astype(int)).mean() < within


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "AVIF", "TIFF", "BMP", "GIF", "PPM", "TGA", "JPEG2000"])
def test_common_formats_give_the_same_pixels(form):
    assert close(read_picture(encoded(Image.fromarray(CORNERS), form)), CORNERS)


def test_heic_is_read():
    buffer = io.BytesIO()
    pillow_heif.from_pillow(Image.fromarray(CORNERS)).save(buffer, quality=90)
    assert close(read_picture(buffer.getvalue()), CORNERS)


#: What a camera does to an upright picture that it stores with each EXIF orientation.
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_exif_orientation_comes_out_upright(form, orientation):
    image = Image.fromarray(CORNERS)
    stored = image.transpose(TURNS[orientation]) if orientation > 1 else image
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {} if form == "TIFF" else {"quality": 95}
    assert close(read_picture(encoded(stored, form, exif=exif, **options)), CORNERS)


@pytest.mark.filterwarnings("ignore:Corrupt EXIF")  # decode.py silences Pillow once; pytest undoes it
def test_damaged_exif_is_ignored():
    data = encoded(Image.fromarray(CORNERS), "JPEG", exif=b"Exif\0\0MM\0*\0\0\0\x08\xff\xff\0\x01")
    assert close(read_picture(data), CORNERS)


@pytest.mark.parametrize("form", ["PNG", "TIFF"])
def test_sixteen_bit_gray_is_scaled_and_not_clipped(form):
    deep = np.array([[0, 257, 32768, 65535]], np.uint16)
    gray = read_picture(encoded(Image.fromarray(deep), form))
    assert gray.shape == (1, 4, 3)
    assert gray[0, :, 0].tolist() == [0, 1, 128, 255]


def test_sixteen_bit_colour_is_scaled():
    import cv2

    deep = (CORNERS.astype(np.uint16) * 257)[..., ::-1]
    assert close(read_picture(cv2.imencode(".png", deep)[1].tobytes()), CORNERS, within=1.5)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([0.0, 0.5, 1.0], [0, 128, 255]),
        ([-2.0, 0.0, 2.0], [0, 128, 255]),
        ([0.0, np.nan, 1.0], [0, 0, 255]),
        ([7.0, 7.0], [128, 128]),
        ([-3e38, 0.0, 3e38, np.inf], [0, 128, 255, 128]),
    ],
)
def test_floating_point_tiff(values, expected):
    data = encoded(Image.fromarray(np.array([values], np.float32)), "TIFF")
    assert read_picture(data)[0, :, 0].tolist() == expected


@settings(deadline=None, max_examples=30)
@given(st.lists(st.integers(0, 2**16 - 1), min_size=1, max_size=20))
def test_scaling_keeps_the_order_of_grays(values):
    gray = read_picture(encoded(Image.fromarray(np.array([values], np.uint16)), "PNG"))[0, :, 0]
    assert np.all(np.diff(gray[np.argsort(values, kind="stable")].astype(int)) >= 0)
    assert np.allclose(gray, np.array(values) / 257, atol=0.51)


def test_cmyk_is_converted_to_rgb():
    data = encoded(Image.fromarray(CORNERS).convert("CMYK"), "JPEG", quality=95)
    assert close(read_picture(data), CORNERS)


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_transparent_areas_become_white(mode):
    image = Image.new(mode, (2, 1), (0, 0, 0, 0) if mode == "RGBA" else (0, 0))
    image.putpixel((1, 0), (0, 0, 0, 255) if mode == "RGBA" else (0, 255))
    assert read_picture(encoded(image, "PNG"))[0].tolist() == [[255, 255, 255], [0, 0, 0]]


@pytest.mark.parametrize("transparency", [0, bytes([0, 255])])
def test_transparent_palette_colours_become_white(transparency):
    image = Image.new("P", (2, 1))
    image.putpalette([9, 9, 9, 200, 100, 50])
    image.putpixel((1, 0), 1)
    assert read_picture(encoded(image, "PNG", transparency=transparency))[0].tolist() == [
        [255] * 3,
        [200, 100, 50],
    ]


@pytest.mark.parametrize("form", ["GIF", "WEBP", "PNG"])
def test_an_animation_gives_its_first_frame(form):
    first, second = Image.new("RGB", (9, 9), (200, 0, 0)), Image.new("RGB", (9, 9), (0, 0, 200))
    data = encoded(first, form, save_all=True, append_images=[second])
    assert close(read_picture(data), np.array(first), within=8)


def test_a_single_pixel_is_a_picture():
    assert read_picture(encoded(Image.new("1", (1, 1), 1), "PNG")).tolist() == [[[255, 255, 255]]]


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")  # decode.py silences Pillow once
def test_an_enormous_picture_is_refused_before_it_is_decoded(monkeypatch):
    # a real picture of 196 megapixels in 25 KB: 1 bit per pixel, all black
    with pytest.raises(PictureError, match="14000 × 14000 pixels; at most 110,000,000"):
        read_picture(encoded(Image.new("1", (14_000, 14_000)), "PNG"))
    monkeypatch.setattr(decode, "MAX_PIXELS", 99)
    with pytest.raises(PictureError, match="10 × 10 pixels; at most 99"):
        read_picture(encoded(Image.new("L", (10, 10)), "BMP"))


def test_a_format_whose_decoder_takes_more_memory_has_a_lower_limit(monkeypatch):
    monkeypatch.setattr(decode, "_LOWER_LIMITS", {"WEBP": 99})
    square = Image.new("RGB", (10, 10))
    with pytest.raises(PictureError, match="10 × 10 pixels; at most 99 of a WEBP picture are read"):
        read_picture(encoded(square, "WEBP"))
    assert measure_picture(encoded(square, "WEBP")) == 0
    assert read_picture(encoded(square, "PNG")).shape == (10, 10, 3)


def test_headers_of_enormous_pictures_are_refused_whatever_their_format():
    gif = bytearray(encoded(Image.new("P", (10, 10)), "GIF"))
    gif[6:10] = b"\xff\xff\xff\xff"
    jpeg = bytearray(encoded(Image.new("L", (16, 16)), "JPEG"))
    start = jpeg.index(b"\xff\xc0")
    jpeg[start + 5 : start + 9] = b"\xff\xdc\xff\xdc"
    for content in (bytes(gif), bytes(jpeg), b"P5 30000 30000 255 "):
        with pytest.raises(PictureError, match="over 110,000,000 pixels"):
            read_picture(content)


@pytest.mark.parametrize("orientation", [1, 4, 6, 7])
@pytest.mark.parametrize("mode", ["RGB", "L", "RGBA", "LA", "P", "I;16", "CMYK"])
def test_strips_of_any_height_give_the_same_pixels(monkeypatch, mode, orientation):
    random = np.random.default_rng(0)
    if mode == "I;16":
        image = Image.fromarray(random.integers(0, 65535, (23, 17), np.uint16))
    else:
        image = Image.fromarray(random.integers(0, 255, (23, 17, 4), np.uint8), "RGBA").convert(mode)
    exif = Image.Exif()
    exif[0x0112] = orientation
    content = encoded(image, "TIFF" if mode == "CMYK" else "PNG", exif=exif)
    whole = read_picture(content)
    assert whole.flags.c_contiguous
    for pixels in (1, 17, 40):
        monkeypatch.setattr(decode, "_STRIP_PIXELS", pixels)
        assert np.array_equal(read_picture(content), whole)


def test_a_picture_is_measured_without_decoding_it(monkeypatch, tmp_path):
    file = tmp_path / "a.png"
    file.write_bytes(encoded(Image.new("RGB", (30, 20)), "PNG"))
    monkeypatch.setattr(Image.Image, "load", lambda _: pytest.fail("decoded"))
    assert measure_picture(file) == measure_picture(file.read_bytes()) == 600
    assert measure_picture(b"no picture") == measure_picture(tmp_path / "nowhere") == measure_picture(tmp_path) == 0


def test_files_that_are_not_pictures_give_a_reason(tmp_path: Path):
    text, empty = tmp_path / "text.jpg", tmp_path / "empty.png"
    text.write_text("hello")
    empty.touch()
    reasons = {
        text: "not a picture",
        empty: "the file is empty",
        tmp_path: "a folder, not a picture",
        tmp_path / "nowhere.jpg": "no such file",
        tmp_path / ("x" * 500): "name too long",
        b"": "the file is empty",
        b"\xff\xd8\xff": "not a picture",
        b"\xef\xbb\xbf\n<!DOCTYPE HTML><title>404 Not Found</title>": "a web page, not a picture",
    }
    for source, reason in reasons.items():
        with pytest.raises(PictureError, match=f"(?i){reason}") as caught:
            read_picture(source)
        assert "\n" not in str(caught.value)


@pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege, and pipes have no names")
def test_broken_links_and_pipes_give_a_reason(tmp_path: Path):
    (tmp_path / "broken.jpg").symlink_to("nowhere.jpg")
    (tmp_path / "round.jpg").symlink_to("round.jpg")
    os.mkfifo(tmp_path / "pipe.jpg")
    reasons = {"broken": "a link to a file that is not there", "round": "symbolic links", "pipe": "not a regular file"}
    for name, reason in reasons.items():
        with pytest.raises(PictureError, match=reason):
            read_picture(tmp_path / f"{name}.jpg")


def test_a_web_page_saved_as_a_picture_is_recognised(tmp_path: Path):
    (tmp_path / "photo.jpg").write_text("<html><body>Not Found</body></html>")
    with pytest.raises(PictureError, match="a web page"):
        read_picture(tmp_path / "photo.jpg")


def test_missing_permission_is_reported(tmp_path: Path, monkeypatch):
    path = tmp_path / "locked.png"
    path.write_bytes(encoded(Image.new("L", (2, 2)), "PNG"))

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Image, "open", refuse)
    with pytest.raises(PictureError, match="no permission"):
        read_picture(path)


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "AVIF", "TIFF", "BMP"])
@pytest.mark.parametrize("part", [0.1, 0.5, 0.9])
def test_truncated_pictures_are_refused_in_one_line(form, part):
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3)).astype(np.uint8)
    data = encoded(Image.fromarray(noise), form)
    with pytest.raises(PictureError) as caught:
        read_picture(data[: int(len(data) * part)])
    assert "\n" not in str(caught.value)


@pytest.mark.filterwarnings("ignore::UserWarning")
@settings(deadline=None, max_examples=150, derandomize=True)
@given(st.sampled_from(["JPEG", "PNG", "GIF", "TIFF", "WEBP"]), st.data())
def test_flipped_bytes_give_a_picture_or_a_picture_error(form, data):
    content = bytearray(encoded(Image.fromarray(CORNERS), form))
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    with suppress(PictureError):
        picture = read_picture(bytes(content))
        assert picture.dtype == np.uint8
        assert picture.shape[2] == 3


def test_pillow_log_messages_are_not_shown(capfd):
    # nine samples per pixel: Pillow logs that it cannot decode them
    data = encoded(Image.fromarray(CORNERS), "TIFF")
    three, nine = (struct.pack("<HHIHH", 277, 3, 1, count, 0) for count in (3, 9))
    assert three in data
    with pytest.raises(PictureError):
        read_picture(data.replace(three, nine))
    assert capfd.readouterr() == ("", "")


def test_suffixes_are_lower_case_and_start_with_a_dot():
    assert all(suffix == suffix.lower() and suffix.startswith(".") for suffix in PICTURE_SUFFIXES)
    assert {".jpg", ".jpeg", ".png", ".heic", ".avif", ".webp", ".tif", ".tiff"} <= PICTURE_SUFFIXES
