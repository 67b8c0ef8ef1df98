"""The face detector: MTCNN (Zhang et al. 2016) as facenet-pytorch ships it, weights included."""

from collections.abc import Iterator, Sequence
from math import ceil, inf, sqrt
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from fercli.core.engine import Engine
from fercli.core.errors import PictureError, UsageError
from fercli.faces.detection import Detection
from fercli.faces.opencv import load_opencv

if TYPE_CHECKING:
    from fercli.faces.mtcnn.boxes import Candidates

#: The smallest face searched for, in pixels: the default, and the least allowed, since PNet sees 12 × 12 pixels.
MIN_FACE, _LEAST_MIN_FACE = 20, 12
#: In pictures with a longer side than this, the smallest face is larger in proportion: the default, and the least
#: allowed.
MAX_SIDE, _LEAST_MAX_SIDE = 1920, 100
#: The score that each of MTCNN's three networks must reach, as published.
THRESHOLDS = (0.6, 0.7, 0.7)
#: How many pixels are searched in one batch. This bounds the memory: a little over 12 bytes per pixel.
BATCH_PIXELS = 8_000_000
#: Pictures with more pixels are first shrunk by a whole number, if the smallest face searched for is large enough.
_SHRINK_PIXELS = 40_000_000


class Detector:
    """Finds faces of at least `min_face` pixels.

    In a picture whose longer side exceeds `max_side` (0: no limit), the smallest face is 20 · longer side / `max_side`.
    `device` is the name of a PyTorch device; with 'mps' the search runs on the CPU. `engine` runs the networks:
    'onnx' (ONNX Runtime, on the CPU alone), 'torch', or 'auto' for the first on the CPU and the second elsewhere; both
    give the same faces. `thresholds` are the scores that the three networks must reach. A detector has its own
    networks and no state between pictures.

    The detections are those of facenet-pytorch's MTCNN at full size with the same smallest face, but computed in
    batches (see fercli.faces.mtcnn.search).

    Raises MachineError if OpenCV cannot be loaded, UsageError for settings out of range.
    """

    def __init__(
        self,
        device: str = "cpu",
        min_face: float = MIN_FACE,
        thresholds: tuple[float, float, float] = THRESHOLDS,
        max_side: int = MAX_SIDE,
        engine: Engine = "auto",
    ) -> None:
        _check_settings(min_face, thresholds, max_side)
        self._cv2 = load_opencv()
        from fercli.faces.mtcnn.engine import load_networks
        from fercli.faces.mtcnn.search import Search

        self._min_face, self._max_side = min_face, max_side
        self._search = Search(load_networks(engine, device), thresholds)

    def find(self, picture: NDArray[np.uint8]) -> list[Detection]:
        """The faces in an RGB picture [H, W, 3], sorted from left to right by the centres of their boxes.

        Raises PictureError if there is not enough memory for the search.
        """
        (detections,) = self.find_all([picture])
        if isinstance(detections, PictureError):
            raise detections
        return detections

    def find_all(self, pictures: Sequence[NDArray[np.uint8]]) -> list[list[Detection] | PictureError]:
        """The same for several pictures of any sizes. If the search in one fails, its result is the error."""
        results: list[list[Detection] | PictureError] = []
        for batch in _split_into_batches(pictures):
            results += self._find_in_batch(batch)
        return results

    def smallest_face(self, height: int, width: int) -> float:
        """The side in pixels of the smallest face searched for in a picture of this size."""
        return max(self._min_face, MIN_FACE * max(height, width) / self._max_side if self._max_side else 0)

    def _find_in_batch(self, pictures: Sequence[NDArray[np.uint8]]) -> list[list[Detection] | PictureError]:
        min_faces = [self.smallest_face(*picture.shape[:2]) for picture in pictures]
        factors = [_shrink_factor(picture, min_face) for picture, min_face in zip(pictures, min_faces, strict=True)]
        try:
            shrunk = [self._shrink(picture, factor) for picture, factor in zip(pictures, factors, strict=True)]
            least = [min_face / factor for min_face, factor in zip(min_faces, factors, strict=True)]
            candidates = self._search(shrunk, least)
        except (RuntimeError, MemoryError, self._cv2.error) as error:
            if len(pictures) > 1:  # search each alone to see which one fails
                return [result for picture in pictures for result in self._find_in_batch([picture])]
            return [PictureError(f"the search for faces failed: {' '.join(str(error).split()) or 'out of memory'}")]
        return [_to_detections(candidates, image_id, factor) for image_id, factor in enumerate(factors)]

    def _shrink(self, picture: NDArray[np.uint8], factor: int) -> NDArray[np.uint8]:
        if factor == 1:
            return picture
        height, width = (side // factor for side in picture.shape[:2])
        cut = picture[: height * factor, : width * factor]
        shrunk: NDArray[np.uint8] = self._cv2.resize(cut, (width, height), interpolation=self._cv2.INTER_AREA)
        return shrunk


def _check_settings(min_face: float, thresholds: tuple[float, float, float], max_side: int) -> None:
    if not _LEAST_MIN_FACE <= min_face < inf:
        raise UsageError(
            f"--min-face {min_face:g}: the detector sees faces from {_LEAST_MIN_FACE} pixels on, {MIN_FACE} is usual"
        )
    if max_side != 0 and max_side < _LEAST_MAX_SIDE:
        raise UsageError(
            f"--max-side {max_side}: {_LEAST_MAX_SIDE} pixels or more, or 0 to search pictures at their full size"
        )
    for threshold in thresholds:
        if not 0 < threshold < 1:
            raise UsageError(f"--threshold {threshold:g}: more than 0 and less than 1, {THRESHOLDS[2]} is usual")


def _split_into_batches(pictures: Sequence[NDArray[np.uint8]]) -> Iterator[list[NDArray[np.uint8]]]:
    """Consecutive pictures of up to BATCH_PIXELS together; a larger picture is a batch of its own."""
    batch: list[NDArray[np.uint8]] = []
    pixel_count = 0
    for picture in pictures:
        size = picture.shape[0] * picture.shape[1]
        if batch and pixel_count + size > BATCH_PIXELS:
            yield batch
            batch, pixel_count = [], 0
        batch.append(picture)
        pixel_count += size
    if batch:
        yield batch


def _shrink_factor(picture: NDArray[np.uint8], min_face: float) -> int:
    """The factor by which a very large picture is shrunk before the search, as far as its smallest face allows."""
    return max(1, min(ceil(sqrt(picture.shape[0] * picture.shape[1] / _SHRINK_PIXELS)), int(min_face / MIN_FACE)))


def _to_detections(candidates: "Candidates", image_id: int, factor: int) -> list[Detection]:
    """The detections in one picture, in pixels of the original, from left to right."""
    own = candidates.select(candidates.image_ids == image_id)
    boxes, landmarks = ((values.astype(float) * factor).tolist() for values in (own.boxes, own.landmarks))
    detections = [
        Detection(tuple(box), tuple((x, y) for x, y in points), score)
        for box, points, score in zip(boxes, landmarks, own.scores.tolist(), strict=True)
    ]
    return sorted(detections, key=lambda face: (face.box[0] + face.box[2], face.box[1]))
