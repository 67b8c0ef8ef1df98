"""The expressions of the people in a video over its time, as a picture beside the annotated copy."""

from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from fercli.metrics.timeline import Course, plot_timeline
from fercli.workflows.predict.copies import timeline_of
from fercli.workflows.predict.results import PictureResult, Predicted
from fercli.workflows.predict.tracking import lasts


def timelines(
    predicted: Iterable[Predicted], copies: Mapping[Path, Path], classes: Sequence[str]
) -> Iterator[Predicted]:
    """The same; when a video is over, its timeline is drawn, if there are people in it.

    Raises RunError where it cannot be written.
    """
    video: Path | None = None
    kept = _Kept()
    for one in predicted:
        if one.result.source != video:
            if video:
                _draw(kept, video, copies, classes)
            video, kept = one.result.source, _Kept()
        kept.add(one.result)
        yield one
    if video:
        _draw(kept, video, copies, classes)


@dataclass
class _Kept:
    """What a timeline needs of a video, in numbers alone: some 40 bytes a face."""

    looks: "array[float]" = field(default_factory=lambda: array("d"))
    times: "dict[int, array[float]]" = field(default_factory=dict)
    shares: "dict[int, array[float]]" = field(default_factory=dict)

    def add(self, result: PictureResult) -> None:
        """Remember a frame's faces; a picture has no time and leaves nothing."""
        if result.time is None or result.status == "failed":
            return
        self.looks.append(result.time)
        for face in result.faces:
            number = face.track or 0
            self.times.setdefault(number, array("d")).append(result.time)
            self.shares.setdefault(number, array("f")).extend(face.probabilities.values())


def _draw(kept: _Kept, video: Path, copies: Mapping[Path, Path], classes: Sequence[str]) -> None:
    seconds = kept.looks[-1] - kept.looks[0] if kept.looks else 0.0
    courses = [
        Course(f"person {number}", np.array(times), np.array(kept.shares[number]).reshape(len(times), -1))
        for number, times in sorted(kept.times.items())
        if lasts(len(times), len(kept.looks), seconds)
    ]
    if courses:
        plot_timeline(courses, np.array(kept.looks), classes, timeline_of(copies[video]), video.name)
