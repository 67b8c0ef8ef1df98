"""Picture files in, upright RGB pixels out. Pillow decodes everything: one decoder, one rule for EXIF."""

import io
import warnings
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
        _check_file(source)
    elif not source:
        raise PictureError("the file is empty")
    try:
        file = source if isinstance(source, Path) else io.BytesIO(source)
        with Image.open(file, formats=_formats()) as image:
            if image.width * image.height > MAX_PIXELS:
                raise PictureError(f"{image.width} × {image.height} pixels; at most {MAX_PIXELS:,} are read")
            image.load()
            return np.ascontiguousarray(_to_rgb(_upright(image)))
    except PictureError:
        raise
    except UnidentifiedImageError:
        raise PictureError("not a picture, or damaged from its first bytes on") from None
    except MemoryError:
        raise PictureError("not enough memory to decode it") from None
    except PermissionError:
        raise PictureError("no permission to read it") from None
    # of a damaged file Pillow's decoders raise almost anything: OSError, SyntaxError, struct.error, KeyError
    except Exception as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise PictureError(f"cannot be read: {reason}") from error


def _check_file(path: Path) -> None:
    try:
        if path.is_dir():
            raise PictureError("a folder, not a picture")
        if not path.exists():
            raise PictureError("no such file")
        if not path.is_file():
            raise PictureError("not a regular file")
        if path.stat().st_size == 0:
            raise PictureError("the file is empty")
    except OSError as error:
        raise PictureError(error.strerror or str(error)) from error


@cache
def _formats() -> list[str]:
    """Teach Pillow HEIC, once, and give the formats of the table above that this Pillow knows."""
    import pillow_heif

    pillow_heif.register_heif_opener()
    # MAX_PIXELS is our limit, checked before anything is decoded; Pillow's would warn at 89 million
    Image.MAX_IMAGE_PIXELS = None
    # doubts about metadata: of no use to someone who asked for a face
    warnings.filterwarnings("ignore", module=r"PIL\.")
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
    goes beyond it is stretched from its lowest to its highest value.
    """
    finite = np.nan_to_num(values.astype(np.float32), posinf=0.0, neginf=0.0)
    full = 65535.0 if np.issubdtype(values.dtype, np.integer) else 1.0
    low, high = float(finite.min()), float(finite.max())
    if low >= 0 and high <= full:
        low, high = 0.0, full
    scaled: NDArray[np.uint8] = np.rint((finite - low) * (255.0 / (high - low))).astype(np.uint8)
    return scaled
