"""Find the faces in a picture: MTCNN (Zhang et al. 2016) as facenet-pytorch ships it, weights included."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fercli.core.errors import PictureError
from fercli.faces.opencv import opencv

#: A box in pixels of the picture as it came: left, top, right, bottom. It may pass the picture's edges.
Box = tuple[float, float, float, float]

#: Larger pictures are searched at this longer side. On a mosaic of 261 faces, 4200 pixels wide with faces
#: 37 wide, that gives 254 detections in 3.5 s on one core, the full size 262 in 7.8 s.
SEARCH_SIDE = 1920
#: The smallest face looked for, in pixels at the size that is searched.
MIN_FACE = 20
#: How sure the three networks of MTCNN must be, one after another: the values it was published with.
THRESHOLDS = (0.6, 0.7, 0.7)


@dataclass(frozen=True)
class Detection:
    """One face found: its box, the five landmarks (x, y) and how sure the detector is, 0 to 1.

    The landmarks are left eye, right eye, tip of the nose, left and right corner of the mouth, as they lie in
    the picture. A picture that is taken for a face as it is has no score and no landmarks (see
    fercli.faces.whole): nobody looked for them.
    """

    box: Box
    landmarks: tuple[tuple[float, float], ...]
    score: float | None


class Detector:
    """Finds faces of any size from `min_face` pixels on. Holds its own networks; no state between pictures.

    `device` is a PyTorch device by name; on 'mps' the search runs on the CPU, because older PyTorch
    lacks MTCNN's area resampling there. Raises MachineError where OpenCV cannot be
    loaded.
    """

    def __init__(
        self,
        device: str = "cpu",
        min_face: int = MIN_FACE,
        thresholds: tuple[float, float, float] = THRESHOLDS,
    ) -> None:
        self._cv2 = opencv()
        import torch
        from facenet_pytorch import MTCNN

        self._min_face = min_face
        self._mtcnn = MTCNN(
            keep_all=True,
            min_face_size=min_face,
            thresholds=list(thresholds),
            device=torch.device("cpu" if device.startswith("mps") else device),
        )

    def find(self, picture: NDArray[np.uint8]) -> list[Detection]:
        """The faces in an RGB picture [H, W, 3], from left to right by the middle of their boxes.

        Raises PictureError where the search itself fails, for want of memory or inside MTCNN.
        """
        searched = self._shrunk(picture)
        if min(searched.shape[:2]) < self._min_face:  # MTCNN fails on these instead of finding nothing
            return []
        try:
            boxes, scores, landmarks = self._mtcnn.detect(searched, landmarks=True)
        except (
            RuntimeError,
            IndexError,
        ) as error:  # it loses count of candidates that lie outside the picture
            raise PictureError(f"the search for faces failed: {' '.join(str(error).split())}") from error
        if boxes is None:
            return []
        # each side by its own factor: a side is a whole number of pixels
        factor = np.array([picture.shape[1] / searched.shape[1], picture.shape[0] / searched.shape[0]])
        found = [
            Detection(
                box=tuple((np.asarray(box, float) * np.tile(factor, 2)).tolist()),
                landmarks=tuple((float(x), float(y)) for x, y in np.asarray(points, float) * factor),
                score=float(score),
            )
            for box, score, points in zip(boxes, scores, landmarks, strict=True)
        ]
        return sorted(found, key=lambda face: (face.box[0] + face.box[2], face.box[1]))

    def _shrunk(self, picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
        height, width = picture.shape[:2]
        factor = SEARCH_SIDE / max(height, width)
        if factor >= 1:
            return picture
        size = (max(1, round(width * factor)), max(1, round(height * factor)))
        shrunk: NDArray[np.uint8] = self._cv2.resize(picture, size, interpolation=self._cv2.INTER_AREA)
        return shrunk
