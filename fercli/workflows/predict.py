"""What `fer predict` does: pictures in, one result a picture out, as they are finished."""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from fercli.core.errors import PictureError
from fercli.faces.annotate import annotated
from fercli.faces.crop import MARGIN, crop_face
from fercli.faces.decode import read_picture
from fercli.faces.detect import Detection
from fercli.faces.sources import Source
from fercli.workflows.copies import save_copy

Status = Literal["ok", "no face", "failed"]

#: Pictures decoded while an earlier one is searched for faces. It bounds the memory of a job of any length.
AHEAD = 2


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


@dataclass(frozen=True)
class FacePrediction:
    """One face: its number from the left, from 1 on, where it is, and one probability a class.

    Pixels are given to the hundredth, probabilities to six places.
    """

    number: int
    detection: Detection
    label: str
    confidence: float
    probabilities: dict[str, float]

    @property
    def caption(self) -> str:
        """What is written beside the face, e.g. '1 neutral 40 %'."""
        return f"{self.number} {self.label} {self.confidence:.0%}".replace("%", " %")


@dataclass(frozen=True)
class PictureResult:
    """One picture: its faces, or none and the message why."""

    source: Path
    status: Status
    message: str = ""
    faces: tuple[FacePrediction, ...] = ()


def predict_pictures(
    sources: Iterable[Source],
    model: ExpressionModel,
    detector: FaceFinder,
    *,
    margin: float = MARGIN,
    copies: Mapping[Path, Path] | None = None,
) -> Iterator[PictureResult]:
    """The expressions in each picture, in order; a picture that cannot be read is a result with its reason.

    `copies` says where the annotated copy of a picture with faces goes (see fercli.workflows.copies).
    Raises RunError where a copy cannot be written.
    """
    for source, pending in _decoded(sources):
        try:
            picture = pending.result()
            faces = _expressions(picture, detector.find(picture), model, margin)
        except PictureError as error:
            yield PictureResult(source.path, "failed", str(error))
            continue
        if faces and copies:
            drawn = annotated(picture, [(face.detection.box, face.caption) for face in faces])
            save_copy(drawn, copies[source.path])
        message = "" if faces else "no face found"
        yield PictureResult(source.path, "ok" if faces else "no face", message, faces)


def _decoded(sources: Iterable[Source]) -> Iterator[tuple[Source, "Future[NDArray[np.uint8]]"]]:
    """Each source with its picture to come, at most AHEAD of them decoded before they are asked for."""
    waiting: deque[tuple[Source, Future[NDArray[np.uint8]]]] = deque()
    with ThreadPoolExecutor(AHEAD) as pool:
        for source in sources:
            waiting.append((source, pool.submit(_read, source)))
            if len(waiting) > AHEAD:
                yield waiting.popleft()
        while waiting:
            yield waiting.popleft()


def _read(source: Source) -> NDArray[np.uint8]:
    if source.fault:
        raise PictureError(source.fault)
    return read_picture(source.path)


def _expressions(
    picture: NDArray[np.uint8], found: list[Detection], model: ExpressionModel, margin: float
) -> tuple[FacePrediction, ...]:
    if not found:
        return ()
    crops = np.stack([crop_face(picture, detection, margin) for detection in found])[:, None]
    return tuple(
        _prediction(number, detection, dict(zip(model.classes, row.tolist(), strict=True)))
        for number, (detection, row) in enumerate(zip(found, model.probabilities(crops), strict=True), start=1)
    )


def _prediction(number: int, detection: Detection, shares: dict[str, float]) -> FacePrediction:
    label = max(shares, key=lambda name: shares[name])
    x1, y1, x2, y2 = (round(value, 2) for value in detection.box)
    landmarks = tuple((round(x, 2), round(y, 2)) for x, y in detection.landmarks)
    plain = Detection((x1, y1, x2, y2), landmarks, round(detection.score, 6))
    rounded = {name: round(share, 6) for name, share in shares.items()}
    return FacePrediction(number, plain, label, rounded[label], rounded)
