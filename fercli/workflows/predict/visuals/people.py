"""The people of a video for a report: one good picture of each, and what they showed when, in little memory."""

import math
from array import array
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from fercli.faces.crop import THUMBNAIL_SIDE, make_thumbnail
from fercli.workflows.predict.results import FacePrediction, Predicted
from fercli.workflows.predict.video import TrackSummary, VideoSummary

#: A timeline has at most so many columns.
COLUMNS = 600


@dataclass(frozen=True)
class Span:
    """A label that was shown without a break, from `start` to `end` in seconds of the video."""

    start: float
    end: float
    label: str


@dataclass(frozen=True)
class Person:
    """One track to show: its counts, the seconds in view, what it showed when, and a picture of its most frequent
    expression as a JPEG; None if an earlier run of the job saw it."""

    track: TrackSummary
    in_view: float
    spans: list[Span]
    picture: bytes | None = field(repr=False)


@dataclass(frozen=True)
class FilmPeople:
    """The people of a video, which lasts from `first` to `last` in seconds, those who are longest in view first.
    `more` people are not among them, and `brief` tracks are too short to count as people."""

    source: Path
    first: float
    last: float
    people: list[Person]
    more: int
    brief: int


class FilmCollector:
    """Collects a video's people while its frames pass: ten bytes a face, and a picture of each expression of each."""

    def __init__(self, source: Path) -> None:
        self.source = source
        self._summary = VideoSummary(source)
        self._courses: dict[int, _Course] = {}

    def add(self, item: Predicted) -> None:
        """Add the next frame, whose faces have tracks."""
        self._summary.add(item.result)
        for face in item.result.faces:
            course = self._courses.setdefault(face.track or 0, _Course())
            course.add(face.label, item.result.time or 0.0)
            if item.picture.pixels is not None and course.is_best(face):
                course.pictures[face.label] = _rate(face), make_thumbnail(item.picture.pixels, face.box)

    def finish(self, most: int) -> FilmPeople:
        """The video as far as it was seen, with `most` people at most."""
        video = self._summary
        ranked = sorted(video.people, key=lambda track: (-track.frames, track.track))
        people = [self._show(track) for track in ranked[:most]]
        more, brief = len(ranked) - len(people), len(video.tracks) - len(ranked)
        return FilmPeople(self.source, video.first, video.last + video.step, people, more, brief)

    def _show(self, track: TrackSummary) -> Person:
        course = self._courses[track.track]
        _, picture = course.pictures.get(track.label, (0.0, None))
        column = max(self._summary.step, (self._summary.last - self._summary.first) / COLUMNS) or 1.0
        spans = course.find_spans(self._summary.first, column)
        return Person(track, track.frames * self._summary.step, spans, picture)


@dataclass
class _Course:
    """What a person showed: times, labels by their position in `names`, and the best picture of each label."""

    times: "array[float]" = field(default_factory=lambda: array("d"))
    labels: "array[int]" = field(default_factory=lambda: array("H"))
    names: list[str] = field(default_factory=list)
    pictures: dict[str, tuple[float, bytes]] = field(default_factory=dict)

    def add(self, label: str, time: float) -> None:
        if label not in self.names:
            self.names.append(label)
        self.times.append(time)
        self.labels.append(self.names.index(label))

    def is_best(self, face: FacePrediction) -> bool:
        """Whether a face can be seen better than those before it that showed the same."""
        return face.label not in self.pictures or _rate(face) > self.pictures[face.label][0]

    def find_spans(self, start: float, column: float) -> list[Span]:
        """The labels in columns of that many seconds from `start` on, the most frequent of each. Equal neighbours are
        one span. A single column in which the person was missed belongs to the span before it: frames are not at
        even distances."""
        votes: dict[int, Counter[str]] = {}
        for time, number in zip(self.times, self.labels, strict=True):
            votes.setdefault(round((time - start) / column), Counter())[self.names[number]] += 1
        runs: list[tuple[int, int, str]] = []
        for index, counts in votes.items():
            label = counts.most_common(1)[0][0]
            begin, end, before = runs[-1] if runs else (index, -2, label)
            if index - end == 1:
                runs[-1], end = (begin, index, before), index
            if index == end and label == before:
                runs[-1] = (begin, index + 1, label)
            else:
                runs.append((index, index + 1, label))
        return [Span(start + first * column, start + end * column, label) for first, end, label in runs]


def _rate(face: FacePrediction) -> float:
    """How well a face and its expression can be seen, 0 to 1: sure, sharp, large and frontal is best."""
    turned = math.cos(math.radians(face.yaw or 0))
    return face.confidence * (1 - (face.blur or 0)) * min(1.0, face.face_size / THUMBNAIL_SIDE) * turned
