"""Find the faces in pictures: MTCNN (Zhang et al. 2016) as facenet-pytorch ships it, weights included."""

from collections.abc import Iterator, Sequence
from math import ceil, inf, sqrt
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from fercli.core.errors import PictureError, UsageError
from fercli.faces.detection import Detection
from fercli.faces.opencv import opencv

if TYPE_CHECKING:
    from fercli.faces.mtcnn.boxes import Candidates

#: The smallest face looked for, in pixels. The first of MTCNN's networks sees 12 × 12.
MIN_FACE, _LEAST = 20, 12
#: In pictures with a longer side, the smallest face is larger in proportion.
MAX_SIDE, _SHORTEST = 1920, 100
#: How sure the three networks of MTCNN must be, one after another: the values it was published with.
THRESHOLDS = (0.6, 0.7, 0.7)
#: Pixels that are searched together, which bounds the memory: 12 bytes a pixel, and some.
TOGETHER = 8_000_000
#: Pictures of more pixels are shrunk by a whole number first, where all the faces looked for are large.
_ENORMOUS = 40_000_000


class Detector:
    """Finds faces from `min_face` pixels on, in a picture whose longer side is over `max_side` (0: no limit) from
    20 · longer side / `max_side` on. Holds its own networks; no state between pictures.

    Finds what facenet-pytorch's MTCNN finds at full size with the same smallest face, batched: see
    fercli.faces.search. `device` is a PyTorch device by name; on 'mps' the search runs on the CPU. `thresholds` are
    how sure each of the three networks must be.

    Raises MachineError where OpenCV cannot be loaded, UsageError for settings that make no sense.
    """

    def __init__(
        self,
        device: str = "cpu",
        min_face: float = MIN_FACE,
        thresholds: tuple[float, float, float] = THRESHOLDS,
        max_side: int = MAX_SIDE,
    ) -> None:
        _check(min_face, thresholds, max_side)
        self._cv2 = opencv()
        import torch

        from fercli.faces.mtcnn.search import Search

        self._min_face, self._max_side = min_face, max_side
        self._search = Search(torch.device("cpu" if device.startswith("mps") else device), thresholds)

    def find(self, picture: NDArray[np.uint8]) -> list[Detection]:
        """The faces in an RGB picture [H, W, 3], from left to right by the middle of their boxes.

        Raises PictureError where the search fails for want of memory.
        """
        (found,) = self.find_all([picture])
        if isinstance(found, PictureError):
            raise found
        return found

    def find_all(self, pictures: Sequence[NDArray[np.uint8]]) -> list[list[Detection] | PictureError]:
        """The same for each of the pictures, of whatever sizes; one whose search fails has the error in its place."""
        found: list[list[Detection] | PictureError] = []
        for group in _groups(pictures):
            found += self._found(group)
        return found

    def smallest(self, height: int, width: int) -> float:
        """The side of the smallest face looked for in a picture of that size, in pixels."""
        return max(self._min_face, MIN_FACE * max(height, width) / self._max_side if self._max_side else 0)

    def _found(self, pictures: Sequence[NDArray[np.uint8]]) -> list[list[Detection] | PictureError]:
        least = [self.smallest(*picture.shape[:2]) for picture in pictures]
        factors = [_factor(picture, smallest) for picture, smallest in zip(pictures, least, strict=True)]
        try:
            searched = [self._shrunk(picture, factor) for picture, factor in zip(pictures, factors, strict=True)]
            found = self._search(searched, [one / factor for one, factor in zip(least, factors, strict=True)])
        except (RuntimeError, MemoryError, self._cv2.error) as error:
            if len(pictures) > 1:  # whose fault it is shows when each is alone
                return [one for picture in pictures for one in self._found([picture])]
            return [PictureError(f"the search for faces failed: {' '.join(str(error).split()) or 'out of memory'}")]
        return [_detections(found, number, factor) for number, factor in enumerate(factors)]

    def _shrunk(self, picture: NDArray[np.uint8], factor: int) -> NDArray[np.uint8]:
        if factor == 1:
            return picture
        height, width = (side // factor for side in picture.shape[:2])
        whole = picture[: height * factor, : width * factor]
        shrunk: NDArray[np.uint8] = self._cv2.resize(whole, (width, height), interpolation=self._cv2.INTER_AREA)
        return shrunk


def _check(min_face: float, thresholds: tuple[float, float, float], max_side: int) -> None:
    if not _LEAST <= min_face < inf:
        raise UsageError(
            f"--min-face {min_face:g}: the detector sees faces from {_LEAST} pixels on, {MIN_FACE} is usual"
        )
    if max_side != 0 and max_side < _SHORTEST:
        raise UsageError(
            f"--max-side {max_side}: {_SHORTEST} pixels or more, or 0 to search pictures at their full size"
        )
    for threshold in thresholds:
        if not 0 < threshold < 1:
            raise UsageError(f"--threshold {threshold:g}: more than 0 and less than 1, {THRESHOLDS[2]} is usual")


def _groups(pictures: Sequence[NDArray[np.uint8]]) -> Iterator[list[NDArray[np.uint8]]]:
    """Neighbours together, up to TOGETHER pixels, at least one."""
    group: list[NDArray[np.uint8]] = []
    pixels = 0
    for picture in pictures:
        size = picture.shape[0] * picture.shape[1]
        if group and pixels + size > TOGETHER:
            yield group
            group, pixels = [], 0
        group.append(picture)
        pixels += size
    if group:
        yield group


def _factor(picture: NDArray[np.uint8], smallest: float) -> int:
    """By how much an enormous picture is shrunk before it is searched: so far as its smallest face allows it."""
    return max(1, min(ceil(sqrt(picture.shape[0] * picture.shape[1] / _ENORMOUS)), int(smallest / MIN_FACE)))


def _detections(found: "Candidates", picture: int, factor: int) -> list[Detection]:
    """Those of one picture, in its own pixels, from left to right."""
    mine = found.at(found.owners == picture)
    boxes, landmarks = ((values.double() * factor).tolist() for values in (mine.boxes, mine.landmarks))
    faces = [
        Detection(tuple(box), tuple((x, y) for x, y in points), score)
        for box, points, score in zip(boxes, landmarks, mine.scores.tolist(), strict=True)
    ]
    return sorted(faces, key=lambda face: (face.box[0] + face.box[2], face.box[1]))
