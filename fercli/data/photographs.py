"""Photographs read as the faces that MTCNN finds in them."""

import hashlib
import json
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from fercli.core.errors import PictureError, RunError
from fercli.core.files import written_whole
from fercli.core.progress import ProgressCallback
from fercli.data.cache import cache_folder
from fercli.data.faceset import SIDE
from fercli.data.pictures import Face, Reader, read_rgb
from fercli.faces.crop import MARGIN, crop_face
from fercli.faces.detect import MIN_FACE, THRESHOLDS, Detection, Detector

#: Photographs whose faces are kept together once found: what an interruption can cost at most.
_CHUNK = 128
#: Photographs in memory at once, searched together.
_TOGETHER = 16
#: Part of every chunk's key: raise the number when faces are found or cut out differently than before.
FINDER = f"2 {MIN_FACE} {THRESHOLDS} {MARGIN}"
#: The reason that stands for a photograph without a face.
NO_FACE = "no face found"


def find_faces(names: Sequence[str], reader: Reader, progress: ProgressCallback) -> list[Face | str]:
    """The largest face that MTCNN finds in each photograph, cut out as `fer predict` does; in place of one without
    a face, or that cannot be read, stands the reason.

    What is found is cached in chunks, by the photographs' content, so that broken-off work goes on where it was.
    Raises MachineError where OpenCV cannot be loaded.
    """
    found: list[Face | str] = []
    detector: Detector | None = None
    for start in range(0, len(names), _CHUNK):
        chunk = names[start : start + _CHUNK]
        path = cache_folder() / f"faces-{_digest(chunk, reader)}.safetensors"
        faces = _kept(path, len(chunk))
        if faces is None:
            detector, faces = detector or Detector(), []
            for first in range(0, len(chunk), _TOGETHER):
                progress(start + first, len(names), "looking for faces")
                faces += _largest([read_rgb(reader, name) for name in chunk[first : first + _TOGETHER]], detector)
            with suppress(RunError, OSError):
                _keep(path, faces)
        found += faces
    progress(len(names), len(names), "looking for faces")
    return found


def _largest(pictures: Sequence[NDArray[np.uint8] | str], detector: Detector) -> list[Face | str]:
    """The largest face in each, cut out; in place of a reason that reason."""
    found = iter(detector.find_all([picture for picture in pictures if not isinstance(picture, str)]))
    return [picture if isinstance(picture, str) else _cut_out(picture, next(found)) for picture in pictures]


def _cut_out(picture: NDArray[np.uint8], found: list[Detection] | PictureError) -> Face | str:
    if isinstance(found, PictureError):
        return str(found)
    if not found:
        return NO_FACE
    largest = max(found, key=lambda face: (face.box[2] - face.box[0]) * (face.box[3] - face.box[1]))
    return Face(crop_face(picture, largest), (SIDE, SIDE))


def _digest(names: Sequence[str], reader: Reader) -> str:
    """The SHA-256 of photographs' contents; one that cannot be read counts as empty."""
    digest = hashlib.sha256(FINDER.encode())
    for name in names:
        content = b""
        with suppress(OSError):
            content = reader(name)
        digest.update(hashlib.sha256(content).digest())
    return digest.hexdigest()


def _keep(path: Path, faces: list[Face | str]) -> None:
    blank = np.zeros((SIDE, SIDE), np.uint8)
    pixels = np.stack([blank if isinstance(face, str) else face.pixels for face in faces])
    reasons = json.dumps([face if isinstance(face, str) else "" for face in faces])
    header = {"reasons": reasons, "checksum": hashlib.sha256(pixels.tobytes()).hexdigest()}
    with written_whole(path) as temporary:
        temporary.write_bytes(save({"faces": pixels}, header))


def _kept(path: Path, count: int) -> list[Face | str] | None:
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
