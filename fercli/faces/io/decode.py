"""Picture files in, upright RGB pixels out. Pillow decodes everything: one decoder, one rule for EXIF."""

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

from fercli.core.errors import PictureError

#: The formats that are read, by Pillow's names, and their endings in lower case. A list of our own, because
#: Pillow's also has formats that run other programs (EPS).
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
#: The endings, in lower case, under which a folder's pictures are looked for.
PICTURE_SUFFIXES = frozenset(suffix for suffixes in SUFFIXES.values() for suffix in suffixes)
#: A picture of more pixels is refused: it would take over 3 GB while it is decoded.
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
    """A picture's pixels, upright as EXIF says: RGB [H, W, 3] uint8, contiguous.

    `source` is a file or a file's content. Of an animation the first frame is taken; what is transparent lies
    on white; grays of more than 8 bits are scaled to 8 (see `_to_eight_bits`).

    Raises PictureError with a one-line reason that does not name the file (the caller knows its name).
    """
    if isinstance(source, Path):
        check_file(source)
    elif not source:
        raise PictureError("the file is empty")
    try:
        file = source if isinstance(source, Path) else io.BytesIO(source)
        with Image.open(file, formats=_formats()) as image:
            if image.width * image.height > MAX_PIXELS:
                raise PictureError(f"{image.width} × {image.height} pixels; at most {MAX_PIXELS:,} are read")
            return image_pixels(image)
    except PictureError:
        raise
    except UnidentifiedImageError:
        raise PictureError(_unknown(source)) from None
    except Image.DecompressionBombError:  # from within a file, where the check above does not reach
        raise PictureError(f"over {MAX_PIXELS:,} pixels, more than are read") from None
    except MemoryError:
        raise PictureError("not enough memory to decode it") from None
    except PermissionError:
        raise PictureError("no permission to read it") from None
    # of a damaged file Pillow's decoders raise almost anything: OSError, SyntaxError, struct.error, KeyError
    except Exception as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise PictureError(f"damaged, or of a rare kind ({reason})") from error


def image_pixels(image: Image.Image) -> NDArray[np.uint8]:
    """The pixels of an image that Pillow opened or made, as `read_picture` gives them. Raises what Pillow raises."""
    image.load()
    return np.ascontiguousarray(_to_rgb(_upright(image)))


def check_file(path: Path) -> None:
    """Raises PictureError, with the reason in one line, where `path` is no file with something in it."""
    try:
        status = path.stat()
    except FileNotFoundError:
        raise PictureError("a link to a file that is not there" if path.is_symlink() else "no such file") from None
    except OSError as error:
        raise PictureError(error.strerror or str(error)) from error
    if stat.S_ISDIR(status.st_mode):
        raise PictureError("a folder, not a picture")
    if not stat.S_ISREG(status.st_mode):  # a pipe would be waited for
        raise PictureError("not a regular file")
    if status.st_size == 0:
        raise PictureError("the file is empty")


def _unknown(source: Path | bytes) -> str:
    """What to say of a file that no decoder knows. Downloads that failed are often web pages named .jpg."""
    head = b""
    if isinstance(source, bytes):
        head = source[:256]
    else:
        with suppress(OSError), source.open("rb") as file:
            head = file.read(256)
    if head.removeprefix(b"\xef\xbb\xbf").lstrip().lower().startswith((b"<!doctype html", b"<html")):
        return "a web page, not a picture"
    return "not a picture, or damaged from its first bytes on"


@cache
def _formats() -> list[str]:
    """Teach Pillow HEIC, once, and give the formats of the table above that this Pillow knows."""
    import pillow_heif

    pillow_heif.register_heif_opener()
    # MAX_PIXELS is our limit, checked before anything is decoded, and Pillow's would warn at 89 million. What lies
    # within an icon only Pillow can check: it refuses twice this number
    Image.MAX_IMAGE_PIXELS = MAX_PIXELS
    # doubts about metadata: of no use to someone who asked for a face
    warnings.filterwarnings("ignore", module=r"PIL\.")
    logging.getLogger("PIL").addHandler(logging.NullHandler())
    Image.init()
    return [name for name in SUFFIXES if name in Image.OPEN]


def _upright(image: Image.Image) -> Image.Image:
    """Turned and mirrored as its EXIF orientation says; EXIF that cannot be read is no orientation."""
    try:
        orientation = image.getexif().get(_ORIENTATION_TAG)
    except Exception:  # of a damaged block, anything
        return image
    return image.transpose(_TO_UPRIGHT[orientation]) if orientation in _TO_UPRIGHT else image


def _to_rgb(image: Image.Image) -> NDArray[np.uint8]:
    if image.mode == "F" or image.mode.startswith("I"):
        gray = _to_eight_bits(np.asarray(image))
        return np.repeat(gray[..., None], 3, axis=2)
    if image.has_transparency_data:
        image = image.convert("RGBA")
        white = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(white, image)
    return np.asarray(image if image.mode == "RGB" else image.convert("RGB"))


def _to_eight_bits(values: NDArray[Any]) -> NDArray[np.uint8]:
    """Grays of 16 or 32 bits or floating point as 0-255, scaled rather than clipped.

    The full range is what the kind of number says: 65,535 for integers, 1 for floating point. A picture that
    goes beyond it is stretched from its lowest to its highest value; one of a single such value is a middle gray.
    """
    finite = np.nan_to_num(values.astype(np.float32), posinf=0.0, neginf=0.0)
    np.clip(finite, -1e37, 1e37, out=finite)  # differences of greater ones would overflow
    full = 65535.0 if np.issubdtype(values.dtype, np.integer) else 1.0
    low, high = float(finite.min()), float(finite.max())
    if low >= 0 and high <= full:
        low, high = 0.0, full
    if low == high:
        return np.full(values.shape, 128, np.uint8)
    scaled: NDArray[np.uint8] = np.rint((finite - low) * (255.0 / (high - low))).astype(np.uint8)
    return scaled
