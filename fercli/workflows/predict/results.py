"""What a prediction gives: a result a picture, with its faces."""

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from fercli.faces.detection import Detection
from fercli.faces.io.pictures import Picture

Status = Literal["ok", "no face", "failed"]

#: The label of a face whose confidence is too low for a name (see fercli.workflows.predict.unsure).
UNSURE = "unsure"


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

    def to_dict(self) -> dict[str, Any]:
        """Plain values under the names that files have for them (docs/output.md), probabilities as one dict."""
        x1, y1, x2, y2 = self.detection.box
        return {
            "face": self.number,
            "track": self.track,
            "x1": x1,
            "y1": y1,
            "x2": x2,
            "y2": y2,
            "landmarks": [list(point) for point in self.detection.landmarks] or None,
            "detection_score": self.detection.score,
            "label": self.label,
            "confidence": self.confidence,
            "probabilities": dict(self.probabilities),
        }


@dataclass(frozen=True)
class PictureResult:
    """One picture, or one frame of a video at `time` seconds: its faces, or none and the message why."""

    source: Path
    status: Status
    message: str = ""
    faces: tuple[FacePrediction, ...] = ()
    frame: int | None = None
    time: float | None = None

    def to_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON, under the names that files have for them; the time to the millisecond."""
        return {
            "source": source_text(self.source),
            "frame": self.frame,
            "time": None if self.time is None else round(self.time, 3),
            "status": self.status,
            "message": self.message.encode("utf-8", "replace").decode(),
            "faces": [face.to_dict() for face in self.faces],
        }


@dataclass(frozen=True)
class Predicted:
    """A picture and its result, on their way through what draws, follows or explains faces."""

    picture: Picture
    result: PictureResult


def source_text(path: Path) -> str:
    """A path as text that UTF-8 can hold. Bytes of a name that are not UTF-8 become \\xNN: names stay different."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def face_prediction(number: int, detection: Detection, shares: dict[str, float]) -> FacePrediction:
    """The face of one probability a class, its figures rounded."""
    x1, y1, x2, y2 = (round(value, 2) for value in detection.box)
    landmarks = tuple((round(x, 2), round(y, 2)) for x, y in detection.landmarks)
    score = None if detection.score is None else round(detection.score, 6)
    return FacePrediction(number, Detection((x1, y1, x2, y2), landmarks, score), *_named(shares))


def with_shares(face: FacePrediction, shares: dict[str, float]) -> FacePrediction:
    """The same face with other probabilities, and the label that follows from them."""
    label, confidence, rounded = _named(shares)
    return replace(face, label=label, confidence=confidence, probabilities=rounded)


def _named(shares: dict[str, float]) -> tuple[str, float, dict[str, float]]:
    """The likeliest class, its probability, and all probabilities, rounded."""
    label = max(shares, key=lambda name: shares[name])
    rounded = {name: round(share, 6) for name, share in shares.items()}
    return label, rounded[label], rounded
