"""What a prediction gives: a result a picture, with its faces."""

from dataclasses import dataclass
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
        """What is written beside the face, e.g. '1 neutral 40 %'."""
        return f"{self.number} {self.label} {self.confidence:.0%}".replace("%", " %")


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
    label = max(shares, key=lambda name: shares[name])
    x1, y1, x2, y2 = (round(value, 2) for value in detection.box)
    landmarks = tuple((round(x, 2), round(y, 2)) for x, y in detection.landmarks)
    score = None if detection.score is None else round(detection.score, 6)
    plain = Detection((x1, y1, x2, y2), landmarks, score)
    rounded = {name: round(share, 6) for name, share in shares.items()}
    return FacePrediction(number, plain, label, rounded[label], rounded)
