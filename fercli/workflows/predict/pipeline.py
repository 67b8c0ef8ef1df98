"""From pictures to expressions: faces found and named, one result a picture, as they are finished."""

from collections.abc import Iterable, Iterator
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from fercli.core.errors import PictureError
from fercli.faces.crop import MARGIN, crop_face
from fercli.faces.detect import Detection
from fercli.faces.pictures import Picture
from fercli.workflows.predict.results import FacePrediction, PictureResult, Predicted, Status, face_prediction


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
    """What a prediction needs of a detector; fercli.faces.detect.Detector has it."""

    def find(self, picture: NDArray[np.uint8]) -> list[Detection]:
        """The faces in an RGB picture [H, W, 3], from left to right."""
        ...


def predict_pictures(
    pictures: Iterable[Picture], model: ExpressionModel, detector: FaceFinder, *, margin: float = MARGIN
) -> Iterator[Predicted]:
    """The expressions in each picture, in order; a picture that cannot be read is a result with its reason."""
    for picture in pictures:
        yield Predicted(picture, _result(picture, model, detector, margin))


def _result(picture: Picture, model: ExpressionModel, detector: FaceFinder, margin: float) -> PictureResult:
    def result(status: Status, message: str = "", faces: tuple[FacePrediction, ...] = ()) -> PictureResult:
        return PictureResult(picture.source.path, status, message, faces, picture.frame, picture.time)

    if picture.pixels is None:
        return result("failed", picture.fault)
    try:
        found = detector.find(picture.pixels)
    except PictureError as error:
        return result("failed", str(error))
    if not found:
        return result("no face", "no face found")
    return result("ok", faces=_expressions(picture.pixels, found, model, margin))


def _expressions(
    pixels: NDArray[np.uint8], found: list[Detection], model: ExpressionModel, margin: float
) -> tuple[FacePrediction, ...]:
    crops = np.stack([crop_face(pixels, detection, margin) for detection in found])[:, None]
    return tuple(
        face_prediction(number, detection, dict(zip(model.classes, row.tolist(), strict=True)))
        for number, (detection, row) in enumerate(zip(found, model.probabilities(crops), strict=True), start=1)
    )
