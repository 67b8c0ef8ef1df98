"""Expressions of a video made calmer: each face's probabilities averaged with those of the same person around it."""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from fercli.workflows.predict.results import FacePrediction, Predicted, with_shares

#: Two times of a video that lie as far apart as the window reaches count as within it.
_ROUNDING = 0.0005


def smoothing(predicted: Iterable[Predicted], width: float) -> Iterator[Predicted]:
    """The same, each probability the mean over the faces of the same track in `width` seconds around the frame.

    The window reaches half of `width` to both sides, its ends included; at the ends of a track it is cut off. All
    its faces count alike, so the mean sums to 1. Pictures pass as they are. Frames wait for half of `width`.
    """
    video = _Video(width / 2)
    for one in predicted:
        if video.frames and one.result.source != video.frames[0].result.source:
            yield from video.rest()
        if one.result.time is None:
            yield one
        else:
            yield from video.add(one, one.result.time)
    yield from video.rest()


@dataclass
class _Video:
    """The frames that wait for those after them, and the probabilities of each track within reach of them."""

    reach: float
    frames: deque[Predicted] = field(default_factory=deque)
    shares: dict[int, deque[tuple[float, dict[str, float]]]] = field(default_factory=dict)

    def add(self, one: Predicted, time: float) -> Iterator[Predicted]:
        """Take a frame in; the frames come out that need nothing of what follows it."""
        while self.frames and time > (self.frames[0].result.time or 0.0) + self.reach + _ROUNDING:
            yield self._smoothed(self.frames.popleft())
        self.frames.append(one)
        for face in one.result.faces:
            self.shares.setdefault(face.track or 0, deque()).append((time, face.probabilities))

    def rest(self) -> Iterator[Predicted]:
        """The frames that still wait; the video is over."""
        while self.frames:
            yield self._smoothed(self.frames.popleft())
        self.shares.clear()

    def _smoothed(self, one: Predicted) -> Predicted:
        time = one.result.time or 0.0
        faces = tuple(self._mean(face, time) for face in one.result.faces)
        for track in [t for t, known in self.shares.items() if known[-1][0] < time - self.reach - _ROUNDING]:
            del self.shares[track]
        return replace(one, result=replace(one.result, faces=faces))

    def _mean(self, face: FacePrediction, time: float) -> FacePrediction:
        known = self.shares[face.track or 0]
        while known[0][0] < time - self.reach - _ROUNDING:
            known.popleft()
        near = [shares for when, shares in known if when <= time + self.reach + _ROUNDING]
        return with_shares(face, {name: sum(s[name] for s in near) / len(near) for name in face.probabilities})
