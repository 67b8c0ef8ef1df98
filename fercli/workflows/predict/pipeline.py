"""From pictures to expressions: faces found and named, one result a picture, as they are finished."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from fercli.core.errors import PictureError
from fercli.faces.crop import MARGIN, crop_face
from fercli.faces.detection import Detection
from fercli.faces.io.pictures import Picture
from fercli.faces.mtcnn.detector import BATCH_PIXELS
from fercli.workflows.predict.ahead import batches_ahead
from fercli.workflows.predict.results import FacePrediction, PictureResult, Predicted, Status, face_prediction

#: What any picture counts for: at most 128 go together.
LEAST = BATCH_PIXELS // 128

#: Faces that are named together, always as many.
FACES = 16


class ExpressionModel(Protocol):
    """What a prediction needs of a model; fercli.models.loaded.Model has it."""

    @property
    def classes(self) -> tuple[str, ...]:
        """Class names in the order of the probabilities."""
        ...

    def probabilities(self, faces: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Probabilities [N, classes] of gray faces [N, 1, 48, 48]."""
        ...


class FaceFinder(Protocol):
    """What a prediction needs of a detector; fercli.faces.mtcnn.detector.Detector has it."""

    def find_all(self, pictures: Sequence[NDArray[np.uint8]]) -> list[list[Detection] | PictureError]:
        """The faces in each RGB picture [H, W, 3], from left to right, or why the search failed."""
        ...


def predict_pictures(
    pictures: Iterable[Picture], model: ExpressionModel, detector: FaceFinder, *, margin: float = MARGIN
) -> Iterator[Predicted]:
    """The expressions in each picture, in order; a picture that cannot be read is a result with its reason.

    Pictures that have come meanwhile are searched together, one that comes alone at once.
    """
    for batch in batches_ahead(pictures, BATCH_PIXELS, BATCH_PIXELS, weight):
        yield from _predicted(batch, model, detector, margin)


def weight(picture: Picture) -> float:
    """What a picture counts for in a batch, or where pictures wait: its pixels, if it has many."""
    return max(LEAST, 0 if picture.pixels is None else picture.pixels.shape[0] * picture.pixels.shape[1])


def _predicted(
    batch: Sequence[Picture], model: ExpressionModel, detector: FaceFinder, margin: float
) -> Iterator[Predicted]:
    """All faces of the batch are found in one call and named in another."""
    searched = [picture.pixels for picture in batch if picture.pixels is not None]
    found = iter(detector.find_all(searched) if searched else [])
    faces = [PictureError(picture.error) if picture.pixels is None else next(found) for picture in batch]
    crops = [
        crop_face(picture.pixels, detection, margin)
        for picture, detections in zip(batch, faces, strict=True)
        if picture.pixels is not None and not isinstance(detections, PictureError)
        for detection in detections
    ]
    rows = iter(_shares(model, crops))
    for picture, detections in zip(batch, faces, strict=True):
        yield Predicted(picture, _result(picture, detections, rows, model.classes))


def _shares(model: ExpressionModel, crops: Sequence[NDArray[np.uint8]]) -> Iterator[list[float]]:
    """The probabilities of each crop [48, 48], which do not depend on what else is in the batch: every call has the
    same number of faces, since libraries add up in another order for other numbers."""
    for start in range(0, len(crops), FACES):
        faces = np.stack(crops[start : start + FACES])
        full = np.pad(faces, ((0, FACES - len(faces)), (0, 0), (0, 0)))
        yield from model.probabilities(full[:, None])[: len(faces)].tolist()


def _result(
    picture: Picture, found: list[Detection] | PictureError, rows: Iterator[list[float]], classes: tuple[str, ...]
) -> PictureResult:
    """The result of one picture; `rows` has the probabilities of its faces next."""

    def result(status: Status, message: str = "", faces: tuple[FacePrediction, ...] = ()) -> PictureResult:
        return PictureResult(picture.source.path, status, message, faces, picture.frame, picture.time)

    if isinstance(found, PictureError):
        return result("failed", str(found))
    if not found:
        return result("no face", "no face found")
    named = (
        face_prediction(number, detection, dict(zip(classes, next(rows), strict=True)))
        for number, detection in enumerate(found, start=1)
    )
    return result("ok", faces=tuple(named))
