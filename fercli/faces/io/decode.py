"""Decoding picture files to upright RGB pixels, all with Pillow, so that EXIF orientation is handled in one place."""

import io
import logging
import stat
import warnings
from collections.abc import Callable
from contextlib import nullcontext, suppress
from functools import cache
from pathlib import Path
from threading import Lock
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from fercli.core.errors import PictureError, reason_of

#: The formats that are read, by Pillow's names, and their file name endings in lower case. Pillow's own list is not
#: used, because it has formats that run other programs (EPS).
SUFFIXES = {
    "JPEG": (".jpg", ".jpeg", ".jpe", ".jfif", ".mpo"),
    "PNG": (".png", ".apng"),
    "WEBP": (".webp",),
    "HEIF": (".heic", ".heif", ".hif"),
    "AVIF": (".avif",),
    "TIFF": (".tif", ".tiff"),
    "BMP": (".bmp",),
    "GIF": (".gif",),
    "JPEG2000": (".jp2", ".j2k", ".jpx"),
    "PPM": (".ppm", ".pgm", ".pbm", ".pnm"),
    "TGA": (".tga",),
    "ICO": (".ico",),
}
#: The endings, in lower case, by which pictures in a folder are recognised.
PICTURE_SUFFIXES = frozenset(suffix for suffixes in SUFFIXES.values() for suffix in suffixes)
#: A picture with more pixels is refused. Decoding one takes 7 bytes a pixel: 4 in Pillow and 3 of the result.
MAX_PIXELS = 110_000_000
#: Lower limits, for the same memory, of formats whose decoders take more: 15, 18 and 8 bytes a pixel
#: (`python -m benchmarks.large_pictures`).
_LOWER_LIMITS = {"WEBP": 50_000_000, "JPEG2000": 42_000_000, "HEIF": 96_000_000}
#: Pictures with more pixels are decoded one at a time, so that their memory does not add up.
LARGE_PIXELS = 16_000_000

#: Pixels that are converted at a time.
_STRIP_PIXELS = 1_000_000
#: The size of the blocks in which Pillow holds pixels: the allocators of C libraries map over 32 MB directly.
_BLOCK_BYTES = 64 << 20
_LARGE = Lock()
T = TypeVar("T")
_ORIENTATION_TAG = 0x0112


def read_picture(source: Path | bytes) -> NDArray[np.uint8]:
    """Decode a picture: RGB [H, W, 3] uint8, contiguous, upright according to its EXIF orientation.

    `source` is a path, or the content of a file. Of an animation the first frame is used. Transparent areas are put on
    white. Grays of more than 8 bits are scaled to 8 (see `_make_scaling`).

    Raises PictureError with a reason in one line. It does not name the file, since the caller knows the name.
    """
    return reduce_picture(source, lambda pixels: pixels)


def reduce_picture(source: Path | bytes, reduce: Callable[[NDArray[np.uint8]], T]) -> T:
    """What `reduce` makes of the pixels that `read_picture` returns, for threads that need less than the pixels: one
    large picture at a time is decoded and reduced. Raises PictureError as `read_picture` does.
    """
    if isinstance(source, Path):
        check_file(source)
    elif not source:
        raise PictureError("the file is empty")
    try:
        file = source if isinstance(source, Path) else io.BytesIO(source)
        with Image.open(file, formats=_prepare_pillow()) as image:
            pixels = image.width * image.height
            limit = get_pixel_limit(str(image.format))
            if pixels > limit:
                kind = f" of a {image.format} picture" if limit < MAX_PIXELS else ""
                raise PictureError(f"{image.width} × {image.height} pixels; at most {limit:,}{kind} are read")
            with _LARGE if pixels > LARGE_PIXELS else nullcontext():
                rgb = image_to_rgb(image)
                image.close()  # as Pillow holds them, its pixels take up to 4 bytes each
                return reduce(rgb)
    except PictureError:
        raise
    except UnidentifiedImageError:
        raise PictureError(_describe_unknown(source)) from None
    except Image.DecompressionBombError:  # raised for images nested in a file, which the check above does not see
        raise PictureError(f"over {MAX_PIXELS:,} pixels, more than are read") from None
    except MemoryError:
        raise PictureError("not enough memory to decode it") from None
    except PermissionError:
        raise PictureError("no permission to read it") from None
    # for a damaged file Pillow's decoders raise almost anything: OSError, SyntaxError, struct.error, KeyError
    except Exception as error:
        raise PictureError(f"damaged, or of a rare kind ({reason_of(error)})") from error


def image_to_rgb(image: Image.Image) -> NDArray[np.uint8]:
    """The pixels of a Pillow image in the form that `read_picture` returns. Raises whatever Pillow raises.

    They are converted strip by strip: whole, an image with transparency would take 22 bytes a pixel on the way.
    """
    image.load()
    convert = _choose_conversion(image)
    orientation = _read_orientation(image)
    height, width = image.height, image.width
    pixels = np.empty((width, height, 3) if orientation > 4 else (height, width, 3), np.uint8)
    stored = _view_as_stored(pixels, orientation)
    rows = max(1, _STRIP_PIXELS // width)
    for top in range(0, height, rows):
        stored[top : top + rows] = convert(image.crop((0, top, width, min(top + rows, height))))
    return pixels


def measure_picture(source: Path | bytes) -> int:
    """How many pixels a picture has, by its header; 0 if it is none or too large, for which nothing is decoded."""
    try:
        if isinstance(source, Path):
            check_file(source)
        file = source if isinstance(source, Path) else io.BytesIO(source)
        with Image.open(file, formats=_prepare_pillow()) as image:
            pixels, limit = image.width * image.height, get_pixel_limit(str(image.format))
    except Exception:  # a damaged file raises almost anything, once more when it is decoded
        return 0
    return pixels if pixels <= limit else 0


def get_pixel_limit(family: str) -> int:
    """The most pixels that are read of a picture in this format, by Pillow's name of it."""
    return min(MAX_PIXELS, _LOWER_LIMITS.get(family, MAX_PIXELS))


def check_file(path: Path) -> None:
    """Raise PictureError, with a reason in one line, unless `path` is a regular file that is not empty."""
    try:
        status = path.stat()
    except FileNotFoundError:
        raise PictureError("a link to a file that is not there" if path.is_symlink() else "no such file") from None
    except OSError as error:
        raise PictureError(error.strerror or str(error)) from error
    if stat.S_ISDIR(status.st_mode):
        raise PictureError("a folder, not a picture")
    if not stat.S_ISREG(status.st_mode):  # reading from a pipe would block
        raise PictureError("not a regular file")
    if status.st_size == 0:
        raise PictureError("the file is empty")


def _describe_unknown(source: Path | bytes) -> str:
    """The reason for a file that no decoder recognises. Failed downloads are often web pages named .jpg."""
    head = b""
    if isinstance(source, bytes):
        head = source[:256]
    else:
        with suppress(OSError), source.open("rb") as file:
            head = file.read(256)
    if head.removeprefix(b"\xef\xbb\xbf").lstrip().lower().startswith((b"<!doctype html", b"<html")):
        return "a web page, not a picture"
    return "not a picture, or damaged from the start"


@cache
def _prepare_pillow() -> list[str]:
    """Set Pillow up once (HEIC, limits, no warnings), and return the formats in SUFFIXES that this Pillow supports."""
    import pillow_heif

    pillow_heif.register_heif_opener()
    # Our limit is checked before decoding, and Pillow's default would warn at 89 million pixels. Only Pillow can check
    # the images inside an icon; it refuses those of twice this number
    Image.MAX_IMAGE_PIXELS = MAX_PIXELS
    # in Pillow's blocks of 16 MB, what each thread decoded can stay in memory; larger ones go back to the system
    Image.core.set_block_size(_BLOCK_BYTES)  # type: ignore[attr-defined]
    # warnings about metadata are of no use to someone who wants faces
    warnings.filterwarnings("ignore", module=r"PIL\.")
    logging.getLogger("PIL").addHandler(logging.NullHandler())
    Image.init()
    return [name for name in SUFFIXES if name in Image.OPEN]


def _read_orientation(image: Image.Image) -> int:
    """The EXIF orientation, from 1 (upright) to 8. EXIF data that cannot be read is ignored."""
    try:
        orientation = int(image.getexif().get(_ORIENTATION_TAG, 1))
    except Exception:  # a damaged block raises almost anything
        return 1
    return orientation if 1 <= orientation <= 8 else 1


def _view_as_stored(pixels: NDArray[np.uint8], orientation: int) -> NDArray[np.uint8]:
    """Upright pixels as the file stores them: a view, through which they can be written."""
    if orientation > 4:  # rows and columns are exchanged
        pixels = pixels.swapaxes(0, 1)
    flip_rows, flip_columns = orientation in (3, 4, 6, 7), orientation in (2, 3, 7, 8)
    return pixels[:: -1 if flip_rows else 1, :: -1 if flip_columns else 1]


def _choose_conversion(image: Image.Image) -> Callable[[Image.Image], NDArray[np.uint8]]:
    """What turns a strip of the image into RGB."""
    if image.mode == "F" or image.mode.startswith("I"):
        return _make_scaling(image)
    return _blend_with_white if image.has_transparency_data else _convert_to_rgb


def _convert_to_rgb(strip: Image.Image) -> NDArray[np.uint8]:
    return np.asarray(strip if strip.mode == "RGB" else strip.convert("RGB"))


def _blend_with_white(strip: Image.Image) -> NDArray[np.uint8]:
    strip = strip.convert("RGBA")
    return np.asarray(Image.alpha_composite(Image.new("RGBA", strip.size, "white"), strip).convert("RGB"))


def _make_scaling(image: Image.Image) -> Callable[[Image.Image], NDArray[np.uint8]]:
    """Scale grays of 16 or 32 bits or floating point to 0-255 instead of clipping them.

    The full range follows from the type: 0 to 65,535 for integers, 0 to 1 for floating point. If values are outside it,
    they are scaled from the image's minimum to its maximum; if these are equal, the result is a middle gray.
    """
    bands = range(0, image.height, rows := max(1, _STRIP_PIXELS // image.width))
    strips = (image.crop((0, top, image.width, min(top + rows, image.height))) for top in bands)
    lows, highs = zip(*((values.min(), values.max()) for values in map(_read_finite, strips)), strict=True)
    low, high = float(min(lows)), float(max(highs))
    full = 1.0 if image.mode == "F" else 65535.0
    if low >= 0 and high <= full:
        low, high = 0.0, full

    def scale(strip: Image.Image) -> NDArray[np.uint8]:
        values = _read_finite(strip)
        gray = np.full(values.shape, 128.0) if low == high else np.rint((values - low) * (255.0 / (high - low)))
        return np.repeat(gray.astype(np.uint8)[..., None], 3, axis=2)

    return scale


def _read_finite(strip: Image.Image) -> NDArray[np.float32]:
    """The values as numbers whose differences do not overflow."""
    finite = np.nan_to_num(np.asarray(strip).astype(np.float32), posinf=0.0, neginf=0.0)
    return np.clip(finite, -1e37, 1e37, out=finite)
