"""Faces of a set in which the detector finds none."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from fercli.core.progress import ProgressCallback, no_progress

#: MTCNN looks for faces with something around them, so each is framed with gray, this wide, and enlarged. Of 150
#: FER2013 training faces it then finds 143, of 28 blank frames none; with repeated edge pixels, or enlarged to three
#: times, it finds 137 to 143.
_FRAME, _GRAY, _FACTOR = 24, 128, 2
#: The smallest face looked for in that picture, in pixels: a face fills the picture that it was cut to.
_LEAST = 40
#: Faces that are searched together.
_TOGETHER = 64


def without_face(images: NDArray[np.uint8], progress: ProgressCallback = no_progress) -> NDArray[np.int64]:
    """Which of the images [N, 1, 48, 48] MTCNN finds no face in, as places. About 15 ms a face on one core.

    Raises MachineError where the detector cannot be loaded.
    """
    from fercli.faces.mtcnn.detector import Detector

    detector = Detector(min_face=_LEAST)
    missing = []
    for first in range(0, len(images), _TOGETHER):
        found = detector.find_all([_framed(image[0]) for image in images[first : first + _TOGETHER]])
        missing += [place for place, faces in enumerate(found, start=first) if not faces]
        progress(first + len(found), len(images), "looking for faces")
    return np.array(missing, dtype=np.int64)


def _framed(face: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A face [48, 48] as a picture to search: RGB [192, 192, 3]."""
    framed = Image.fromarray(np.pad(face, _FRAME, constant_values=_GRAY))
    side = framed.width * _FACTOR
    return np.asarray(framed.resize((side, side), Image.Resampling.BILINEAR).convert("RGB"))
