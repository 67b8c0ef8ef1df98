"""Decoding picture files to upright RGB pixels, all with Pillow, so that EXIF orientation is handled in one place."""

import io
import logging
import stat
import warnings
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

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
#: A picture with more pixels is refused: decoding it would take over 3 GB.
MAX_PIXELS = 300_000_000

_ORIENTATION_TAG = 0x0112
_TO_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def read_picture(source: Path | bytes) -> NDArray[np.uint8]:
    """Decode a picture: RGB [H, W, 3] uint8, contiguous, upright according to its EXIF orientation.

    `source` is a path, or the content of a file. Of an animation the first frame is used. Transparent areas are put on
    white. Grays of more than 8 bits are scaled to 8 (see `_scale_to_eight_bits`).

    Raises PictureError with a reason in one line. It does not name the file, since the caller knows the name.
    """
    if isinstance(source, Path):
        check_file(source)
    elif not source:
        raise PictureError("the file is empty")
    try:
        file = source if isinstance(source, Path) else io.BytesIO(source)
        with Image.open(file, formats=_prepare_pillow()) as image:
            if image.width * image.height > MAX_PIXELS:
                raise PictureError(f"{image.width} × {image.height} pixels; at most {MAX_PIXELS:,} are read")
            return image_to_rgb(image)
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
    """The pixels of a Pillow image in the form that `read_picture` returns. Raises whatever Pillow raises."""
    image.load()
    return np.ascontiguousarray(_convert_to_rgb(_apply_orientation(image)))


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
    # warnings about metadata are of no use to someone who wants faces
    warnings.filterwarnings("ignore", module=r"PIL\.")
    logging.getLogger("PIL").addHandler(logging.NullHandler())
    Image.init()
    return [name for name in SUFFIXES if name in Image.OPEN]


def _apply_orientation(image: Image.Image) -> Image.Image:
    """Rotate and flip as the EXIF orientation says. EXIF data that cannot be read is ignored."""
    try:
        orientation = image.getexif().get(_ORIENTATION_TAG)
    except Exception:  # a damaged block raises almost anything
        return image
    return image.transpose(_TO_UPRIGHT[orientation]) if orientation in _TO_UPRIGHT else image


def _convert_to_rgb(image: Image.Image) -> NDArray[np.uint8]:
    if image.mode == "F" or image.mode.startswith("I"):
        gray = _scale_to_eight_bits(np.asarray(image))
        return np.repeat(gray[..., None], 3, axis=2)
    if image.has_transparency_data:
        image = image.convert("RGBA")
        white = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(white, image)
    return np.asarray(image if image.mode == "RGB" else image.convert("RGB"))


def _scale_to_eight_bits(values: NDArray[Any]) -> NDArray[np.uint8]:
    """Scale grays of 16 or 32 bits or floating point to 0-255 instead of clipping them.

    The full range follows from the type: 0 to 65,535 for integers, 0 to 1 for floating point. Values outside it are
    scaled from their minimum to their maximum instead; if these are equal, the result is a middle gray.
    """
    finite = np.nan_to_num(values.astype(np.float32), posinf=0.0, neginf=0.0)
    np.clip(finite, -1e37, 1e37, out=finite)  # so that differences do not overflow
    full = 65535.0 if np.issubdtype(values.dtype, np.integer) else 1.0
    low, high = float(finite.min()), float(finite.max())
    if low >= 0 and high <= full:
        low, high = 0.0, full
    if low == high:
        return np.full(values.shape, 128, np.uint8)
    scaled: NDArray[np.uint8] = np.rint((finite - low) * (255.0 / (high - low))).astype(np.uint8)
    return scaled
