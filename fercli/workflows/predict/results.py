"""What a prediction gives: a result for each picture with its faces, and a summary of the whole job."""

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from fercli.faces.detection import Detection
from fercli.faces.io.folders import guess_kind
from fercli.faces.io.pictures import Picture
from fercli.faces.io.sources import Source
from fercli.faces.io.stores import restore_address
from fercli.faces.quality import estimate_yaw, face_size, name_difficulties

if TYPE_CHECKING:
    from fercli.workflows.predict.video import VideoSummary

Status = Literal["ok", "no face", "failed"]

#: The label of a face whose confidence is below `min_confidence`.
UNSURE = "unsure"


@dataclass(frozen=True)
class FacePrediction:
    """One face: its number from the left, starting at 1, where it is, and one probability a class.

    Pixels are rounded to hundredths, probabilities to six places. `track` is the number of the person who is
    followed through a video. `blur` is from 0 to 1 (see fercli.faces.quality), None in a file of an older version.
    """

    number: int
    detection: Detection
    label: str
    confidence: float
    probabilities: dict[str, float]
    track: int | None = None
    blur: float | None = None

    @property
    def box(self) -> tuple[float, float, float, float]:
        """Where the face is: left, top, right, bottom, in pixels."""
        return self.detection.box

    @property
    def face_size(self) -> float:
        """The longer side of the box, in pixels."""
        return round(face_size(self.box), 2)

    @property
    def yaw(self) -> float | None:
        """How far the face is turned aside, in whole degrees, roughly; positive to the right of the picture."""
        yaw = estimate_yaw(self.detection.landmarks)
        return None if yaw is None else round(yaw)

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
            "face_size": self.face_size,
            "blur": self.blur,
            "yaw": self.yaw,
            "label": self.label,
            "confidence": self.confidence,
            "probabilities": dict(self.probabilities),
        }


@dataclass(frozen=True)
class PictureResult:
    """One picture, or one frame of a video at `time` seconds: its faces, or none and a message that says why."""

    source: Path
    status: Status
    message: str = ""
    faces: tuple[FacePrediction, ...] = ()
    frame: int | None = None
    time: float | None = None

    @property
    def of_video(self) -> bool:
        """Whether the source is a video, by its name."""
        return guess_kind(self.source.name) == "video"

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
    """A picture and its result, on their way through the stages that draw, follow or explain faces."""

    picture: Picture
    result: PictureResult


@dataclass
class PredictSummary:
    """What a whole job found and wrote. With `--resume`, the results of earlier runs count too.

    `inputs` are all pictures and videos that were given. `pictures` does not count frames of videos, `no_face` and
    `failed` do. `output`, `annotations`, `explanations`, `report`, `crops`, `embeddings` and `people` are the files
    and folders that were written, None where there are none. `classes` are the model's, in its order; they are
    empty where no model was loaded, since nothing was left to do, or no input was there to write a file for
    (`nothing_found`).
    """

    inputs: int = 0
    video_inputs: int = 0
    pictures: int = 0
    no_face: int = 0
    failed: int = 0
    labels: Counter[str] = field(default_factory=Counter)
    #: the inputs that are not there or hold no picture: they failed, and are no pictures
    missing: frozenset[Path] = frozenset()
    #: how many faces of pictures are 'small', 'blurred' and 'turned' (see fercli.faces.quality)
    hard: Counter[str] = field(default_factory=Counter)
    videos: "dict[Path, VideoSummary]" = field(default_factory=dict)
    classes: tuple[str, ...] = ()
    output: Path | None = None
    annotations: Path | None = None
    explanations: Path | None = None
    report: Path | None = None
    crops: Path | None = None
    embeddings: Path | None = None
    people: Path | None = None
    nothing_left: bool = False
    nothing_found: bool = False
    interrupted: bool = False
    last: PictureResult | None = None

    @property
    def faces(self) -> int:
        """Faces found, in frames of videos too."""
        return self.labels.total()

    @property
    def picture_labels(self) -> Counter[str]:
        """The number of faces of each label, without those in videos."""
        labels = Counter(self.labels)
        for video in self.videos.values():
            for track in video.tracks.values():
                labels -= track.labels
        return labels

    @property
    def expressions(self) -> dict[str, int]:
        """The number of faces of each class in the model's order, then of other labels ('unsure') that occurred."""
        names = [*self.classes, *sorted(self.labels.keys() - set(self.classes))]
        return {name: self.labels[name] for name in names}

    @property
    def written(self) -> list[Path]:
        """The files and folders that were written."""
        written = (self.output, self.annotations, self.explanations, self.report)
        besides = (self.crops, self.embeddings, self.people)
        return [path for path in (*written, *besides) if path is not None]

    def add(self, result: PictureResult) -> None:
        """Count one more result."""
        self.last = result
        self.no_face += result.status == "no face"
        self.failed += result.status == "failed"
        self.labels.update(face.label for face in result.faces)
        if result.source in self.missing:
            return
        if not result.of_video:
            self.pictures += 1
            for face in result.faces:
                self.hard.update(name_difficulties(face.face_size, face.blur, face.yaw))
            return
        from fercli.workflows.predict.video import VideoSummary

        self.videos.setdefault(result.source, VideoSummary(result.source)).add(result)


def list_missing(sources: Sequence[Source]) -> list[PictureResult]:
    """The results of inputs none of which is there, or holds a picture; empty where one does.

    Nothing is written for these: a file would be in the way of the right command.
    """
    found = [source for source in sources if not source.error or (source.stored and source.stored.is_archive)]
    return [] if found else [PictureResult(source.path, "failed", source.error) for source in sources]


def source_text(path: Path) -> str:
    """A path as text that UTF-8 can hold. Bytes of a name that are not UTF-8 become \\xNN: names stay different.

    An address in a store has two slashes, as it was typed.
    """
    return restore_address(os.fsencode(path).decode("utf-8", "backslashreplace"))


def make_prediction(
    number: int, detection: Detection, probabilities: dict[str, float], blur: float | None = None
) -> FacePrediction:
    """The face with one probability a class, its figures rounded."""
    x1, y1, x2, y2 = (round(value, 2) for value in detection.box)
    landmarks = tuple((round(x, 2), round(y, 2)) for x, y in detection.landmarks)
    score = None if detection.score is None else round(detection.score, 6)
    rounded = None if blur is None else round(blur, 3)
    return FacePrediction(
        number, Detection((x1, y1, x2, y2), landmarks, score), *_classify(probabilities), blur=rounded
    )


def replace_probabilities(face: FacePrediction, probabilities: dict[str, float]) -> FacePrediction:
    """The same face with other probabilities, and the label that follows from them."""
    label, confidence, rounded = _classify(probabilities)
    return replace(face, label=label, confidence=confidence, probabilities=rounded)


def _classify(probabilities: dict[str, float]) -> tuple[str, float, dict[str, float]]:
    """The most probable class, its probability, and all probabilities, rounded."""
    label = max(probabilities, key=lambda name: probabilities[name])
    rounded = {name: round(value, 6) for name, value in probabilities.items()}
    return label, rounded[label], rounded
