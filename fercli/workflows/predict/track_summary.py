"""What became of each person in a video, in one line."""

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from fercli.workflows.predict.results import FacePrediction, PictureResult
from fercli.workflows.predict.tracking import lasts


@dataclass
class TrackSummary:
    """A track from its first to its last frame, in seconds, and what its faces showed."""

    track: int
    first: float
    last: float
    labels: Counter[str] = field(default_factory=Counter)
    sums: dict[str, float] = field(default_factory=dict)
    confidence: float = 0.0

    @property
    def frames(self) -> int:
        """The frames in which the person is seen."""
        return self.labels.total()

    @property
    def label(self) -> str:
        """The most frequent expression; of two that are equally frequent the one that came first."""
        return self.labels.most_common(1)[0][0]

    @property
    def mean_confidence(self) -> float:
        """The mean confidence of all its faces, 0 to 1."""
        return self.confidence / self.frames

    def mean(self, name: str) -> float:
        """The mean probability of a class, 0 to 1."""
        return self.sums[name] / self.frames

    def add(self, face: FacePrediction, time: float) -> None:
        """Count one more face."""
        self.last = time
        self.labels[face.label] += 1
        self.confidence += face.confidence
        for name, share in face.probabilities.items():
            self.sums[name] = self.sums.get(name, 0.0) + share


@dataclass
class VideoSummary:
    """A video's tracks by their numbers, how many frames were looked at, and why it failed, if it did."""

    source: Path
    frames: int = 0
    first: float = 0.0
    last: float = 0.0
    fault: str = ""
    tracks: dict[int, TrackSummary] = field(default_factory=dict)

    @property
    def people(self) -> list[TrackSummary]:
        """The tracks that last."""
        seconds = self.last - self.first
        return [track for track in self.tracks.values() if lasts(track.frames, self.frames, seconds)]

    def add(self, result: PictureResult) -> None:
        """Count one more frame."""
        if result.status == "failed" or result.time is None:
            self.fault = result.message
            return
        time = result.time
        self.first = min(self.first, time) if self.frames else time
        self.frames, self.last = self.frames + 1, time
        for face in result.faces:
            number = face.track or 0
            self.tracks.setdefault(number, TrackSummary(number, time, time)).add(face, time)
