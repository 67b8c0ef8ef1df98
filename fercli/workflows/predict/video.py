"""What only videos have: people followed from frame to frame, their expressions smoothed, a summary of each."""

from collections import Counter, deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from fercli.core.errors import PictureError
from fercli.faces.video.read import read_video_info
from fercli.faces.video.tracking import FaceTracker, ShotDetector
from fercli.workflows.predict.results import FacePrediction, PictureResult, Predicted, replace_probabilities

#: The fewest frames in which a person is seen, and the seconds that these must cover. False detections are seen for
#: less.
_MIN_FRAMES, _MIN_SECONDS = 3, 1.0
#: Two times of a video that lie exactly as far apart as the smoothing window reaches count as within it.
_ROUNDING = 0.0005


def is_person(seen: int, frames: int, seconds: float) -> bool:
    """Whether a track that is seen in so many of a video's sampled frames counts as a person.

    `seconds` lie between the first and the last of the frames. In a video with fewer frames than the minimum, a track
    that is in all of them is a person.
    """
    needed = _MIN_SECONDS * (frames - 1) / seconds if seconds else 0.0
    return seen >= min(frames, max(_MIN_FRAMES, round(needed)))


def video_seconds(video: Path) -> float:
    """How long a video is, 0 where that is not known."""
    try:
        return read_video_info(video).seconds
    except PictureError:
        return 0.0


def track_people(predicted: Iterable[Predicted]) -> Iterator[Predicted]:
    """The same, with a track number for every face of a video; each video starts at 1. Pictures pass unchanged.

    A track ends with its shot: after a cut another face may be in the same position.
    """
    video: Path | None = None
    tracks, shots = FaceTracker(), ShotDetector()
    for item in predicted:
        result = item.result
        if result.time is None:
            yield item
            continue
        if result.source != video:
            video, tracks, shots = result.source, FaceTracker(), ShotDetector()
        if item.picture.pixels is not None and shots.is_cut(item.picture.pixels):
            tracks.reset()
        numbers = tracks.update([face.detection.box for face in result.faces], result.time)
        faces = tuple(replace(face, track=number) for face, number in zip(result.faces, numbers, strict=True))
        yield replace(item, result=replace(result, faces=faces))


def smooth_expressions(predicted: Iterable[Predicted], width: float) -> Iterator[Predicted]:
    """The same, each probability the mean over the faces of the same track in `width` seconds around the frame.

    The window reaches half of `width` to both sides, its ends included; at the ends of a track it is cut off. All
    its faces count alike, so the mean sums to 1. Pictures pass unchanged. Frames wait for half of `width`.
    """
    window = _Window(width / 2)
    for item in predicted:
        if window.frames and item.result.source != window.frames[0].result.source:
            yield from window.flush()
        if item.result.time is None:
            yield item
        else:
            yield from window.add(item, item.result.time)
    yield from window.flush()


@dataclass
class _Window:
    """A video's frames that wait for later ones, and the probabilities of each track that may still be needed."""

    reach: float
    frames: deque[Predicted] = field(default_factory=deque)
    history: dict[int, deque[tuple[float, dict[str, float]]]] = field(default_factory=dict)

    def add(self, item: Predicted, time: float) -> Iterator[Predicted]:
        """Take in a frame; gives the frames that need nothing of what follows it."""
        while self.frames and time > (self.frames[0].result.time or 0.0) + self.reach + _ROUNDING:
            yield self._smooth(self.frames.popleft())
        self.frames.append(item)
        for face in item.result.faces:
            self.history.setdefault(face.track or 0, deque()).append((time, face.probabilities))

    def flush(self) -> Iterator[Predicted]:
        """The frames that still wait; the video is over."""
        while self.frames:
            yield self._smooth(self.frames.popleft())
        self.history.clear()

    def _smooth(self, item: Predicted) -> Predicted:
        time = item.result.time or 0.0
        faces = tuple(self._average(face, time) for face in item.result.faces)
        for track in [t for t, known in self.history.items() if known[-1][0] < time - self.reach - _ROUNDING]:
            del self.history[track]
        return replace(item, result=replace(item.result, faces=faces))

    def _average(self, face: FacePrediction, time: float) -> FacePrediction:
        known = self.history[face.track or 0]
        while known[0][0] < time - self.reach - _ROUNDING:
            known.popleft()
        in_reach = [probabilities for when, probabilities in known if when <= time + self.reach + _ROUNDING]
        means = {name: sum(p[name] for p in in_reach) / len(in_reach) for name in face.probabilities}
        return replace_probabilities(face, means)


@dataclass
class TrackSummary:
    """A track from its first to its last frame, in seconds, and what its faces showed."""

    track: int
    first: float
    last: float
    labels: Counter[str] = field(default_factory=Counter)
    sums: dict[str, float] = field(default_factory=dict)
    confidence: float = 0.0
    #: of each label, the most frames in which it was shown one after the other
    longest: dict[str, int] = field(default_factory=dict)
    _stretch: tuple[str, int] = ("", 0)

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
        label, count = self._stretch
        self._stretch = (face.label, count + 1 if face.label == label else 1)
        self.longest[face.label] = max(self.longest.get(face.label, 0), self._stretch[1])
        self.confidence += face.confidence
        for name, probability in face.probabilities.items():
            self.sums[name] = self.sums.get(name, 0.0) + probability


@dataclass
class VideoSummary:
    """A video's tracks by their numbers, how many frames were sampled, and why it failed, if it did."""

    source: Path
    frames: int = 0
    first: float = 0.0
    last: float = 0.0
    failure: str = ""
    tracks: dict[int, TrackSummary] = field(default_factory=dict)

    @property
    def people(self) -> list[TrackSummary]:
        """The tracks that count as people."""
        seconds = self.last - self.first
        return [track for track in self.tracks.values() if is_person(track.frames, self.frames, seconds)]

    @property
    def step(self) -> float:
        """The seconds between two sampled frames, in the mean; 0 with a single frame."""
        return (self.last - self.first) / (self.frames - 1) if self.frames > 1 else 0.0

    def add(self, result: PictureResult) -> None:
        """Count one more frame."""
        if result.status == "failed" or result.time is None:
            self.failure = result.message
            return
        time = result.time
        self.first = min(self.first, time) if self.frames else time
        self.frames, self.last = self.frames + 1, time
        for face in result.faces:
            number = face.track or 0
            self.tracks.setdefault(number, TrackSummary(number, time, time)).add(face, time)
