"""What a prediction gives: a result a picture, with its faces."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from fercli.faces.detect import Detection
from fercli.faces.pictures import Picture

Status = Literal["ok", "no face", "failed"]


@dataclass(frozen=True)
class FacePrediction:
    """One face: its number from the left, from 1 on, where it is, and one probability a class.

    Pixels are given to the hundredth, probabilities to six places. `track` is the number of the person that is
    followed through a video.
    """

    number: int
    detection: Detection
    label: str
    confidence: float
    probabilities: dict[str, float]
    track: int | None = None

    @property
    def caption(self) -> str:
        """What is written beside the face, e.g. '1 neutral 40 %'; in a video with the number of its track."""
        return f"{self.track or self.number} {self.label} {self.confidence:.0%}".replace("%", " %")


@dataclass(frozen=True)
class PictureResult:
    """One picture, or one frame of a video at `time` seconds: its faces, or none and the message why."""

    source: Path
    status: Status
    message: str = ""
    faces: tuple[FacePrediction, ...] = ()
    frame: int | None = None
    time: float | None = None


@dataclass(frozen=True)
class Predicted:
    """A picture and its result, on their way through what draws, follows or explains faces."""

    picture: Picture
    result: PictureResult


def face_prediction(number: int, detection: Detection, shares: dict[str, float]) -> FacePrediction:
    """The face of one probability a class, its figures rounded."""
    x1, y1, x2, y2 = (round(value, 2) for value in detection.box)
    landmarks = tuple((round(x, 2), round(y, 2)) for x, y in detection.landmarks)
    plain = Detection((x1, y1, x2, y2), landmarks, round(detection.score, 6))
    return FacePrediction(number, plain, *_named(shares))


def with_shares(face: FacePrediction, shares: dict[str, float]) -> FacePrediction:
    """The same face with other probabilities, and the label that follows from them."""
    label, confidence, rounded = _named(shares)
    return replace(face, label=label, confidence=confidence, probabilities=rounded)


def _named(shares: dict[str, float]) -> tuple[str, float, dict[str, float]]:
    """The likeliest class, its probability, and all probabilities, rounded."""
    label = max(shares, key=lambda name: shares[name])
    rounded = {name: round(share, 6) for name, share in shares.items()}
    return label, rounded[label], rounded
