"""Pictures read as 48×48 gray faces: each picture whole, or the largest face that MTCNN finds in a photograph."""

import hashlib
import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from fercli.core.errors import PictureError, RunError
from fercli.core.files import written_whole
from fercli.core.progress import ProgressCallback
from fercli.core.text import escape_name, format_count
from fercli.data.cache import cache_folder
from fercli.data.faceset import SIDE
from fercli.data.sources import Reader
from fercli.faces.crop import MARGIN, crop_face, squeeze_to_face
from fercli.faces.detection import Detection
from fercli.faces.io.decode import read_picture
from fercli.faces.io.streams import DamagedError
from fercli.faces.mtcnn.detector import MIN_FACE, THRESHOLDS, Detector

#: Photographs whose faces are kept together once found: what an interruption can cost at most.
_CHUNK = 128
#: Photographs in memory at once, searched together.
_BATCH = 16
#: Part of every chunk's key: raise the number when faces are found or cut out differently than before.
DETECTOR_KEY = f"2 {MIN_FACE} {THRESHOLDS} {MARGIN}"
#: The reason that stands for a photograph without a face.
NO_FACE = "no face found"


@dataclass(frozen=True)
class Face:
    """A picture as a face [48, 48] uint8, and the size (width, height) it had."""

    pixels: NDArray[np.uint8]
    size: tuple[int, int]


def read_rgb(reader: Reader, name: str) -> NDArray[np.uint8] | str:
    """A picture's pixels, RGB [H, W, 3], or the reason why it cannot be read. Raises DamagedError for its archive."""
    try:
        return read_picture(reader(name))
    except DamagedError:
        raise
    except PictureError as error:
        return str(error)
    except OSError as error:
        return error.strerror or str(error)


def read_crops(names: Sequence[str], reader: Reader) -> list[Face | str]:
    """Each picture as `squeeze_to_face` makes a face of it; in place of one that cannot be read stands the reason."""
    with ThreadPoolExecutor() as pool:
        return list(pool.map(lambda name: _squeeze(read_rgb(reader, name)), names))


def _squeeze(pixels: NDArray[np.uint8] | str) -> Face | str:
    if isinstance(pixels, str):
        return pixels
    height, width = pixels.shape[:2]
    return Face(squeeze_to_face(pixels), (width, height))


def find_faces(names: Sequence[str], reader: Reader, progress: ProgressCallback) -> list[Face | str]:
    """The largest face that MTCNN finds in each photograph, cut out as `fer predict` does; in place of one without
    a face, or that cannot be read, stands the reason.

    What is found is cached in chunks, by the photographs' content, so that interrupted work is resumed.
    Raises MachineError where OpenCV cannot be loaded.
    """
    faces: list[Face | str] = []
    detector: Detector | None = None
    for start in range(0, len(names), _CHUNK):
        chunk = names[start : start + _CHUNK]
        path = cache_folder() / f"faces-{_hash_contents(chunk, reader)}.safetensors"
        found = _read_chunk(path, len(chunk))
        if found is None:
            detector, found = detector or Detector(), []
            for first in range(0, len(chunk), _BATCH):
                progress(start + first, len(names), "looking for faces")
                found += _find_largest([read_rgb(reader, name) for name in chunk[first : first + _BATCH]], detector)
            with suppress(RunError, OSError):
                _write_chunk(path, found)
        faces += found
    progress(len(names), len(names), "looking for faces")
    return faces


def _find_largest(pictures: Sequence[NDArray[np.uint8] | str], detector: Detector) -> list[Face | str]:
    """The largest face in each, cut out; in place of a reason that reason."""
    detections = iter(detector.find_all([picture for picture in pictures if not isinstance(picture, str)]))
    return [picture if isinstance(picture, str) else _crop_largest(picture, next(detections)) for picture in pictures]


def _crop_largest(picture: NDArray[np.uint8], detections: list[Detection] | PictureError) -> Face | str:
    if isinstance(detections, PictureError):
        return str(detections)
    if not detections:
        return NO_FACE
    largest = max(detections, key=lambda face: (face.box[2] - face.box[0]) * (face.box[3] - face.box[1]))
    return Face(crop_face(picture, largest), (SIDE, SIDE))


def _hash_contents(names: Sequence[str], reader: Reader) -> str:
    """The SHA-256 of photographs' contents; one that cannot be read counts as empty."""
    digest = hashlib.sha256(DETECTOR_KEY.encode())
    for name in names:
        try:
            content = reader(name)
        except DamagedError:
            raise
        except (PictureError, OSError):
            content = b""
        digest.update(hashlib.sha256(content).digest())
    return digest.hexdigest()


def _write_chunk(path: Path, faces: list[Face | str]) -> None:
    blank = np.zeros((SIDE, SIDE), np.uint8)
    pixels = np.stack([blank if isinstance(face, str) else face.pixels for face in faces])
    reasons = json.dumps([face if isinstance(face, str) else "" for face in faces])
    header = {"reasons": reasons, "checksum": hashlib.sha256(pixels.tobytes()).hexdigest()}
    with written_whole(path) as temporary:
        temporary.write_bytes(save({"faces": pixels}, header))


def _read_chunk(path: Path, count: int) -> list[Face | str] | None:
    """A chunk found before; None where there is none, or a damaged one."""
    try:
        with safe_open(path, framework="numpy") as file:
            header, pixels = file.metadata(), file.get_tensor("faces")
        reasons: list[str] = json.loads(header["reasons"])
        intact = header["checksum"] == hashlib.sha256(pixels.tobytes()).hexdigest() and len(reasons) == count
    except (OSError, SafetensorError, KeyError, TypeError, ValueError):
        return None
    if not intact:
        return None
    return [reason or Face(face, (SIDE, SIDE)) for face, reason in zip(pixels, reasons, strict=True)]


def list_examples(names: Sequence[str]) -> str:
    """'5 pictures (a, b, c, …)', in characters that every terminal takes."""
    shown = ", ".join(map(escape_name, names[:3])) + (", …" if len(names) > 3 else "")
    return f"{format_count(len(names), 'picture')} ({shown})"
