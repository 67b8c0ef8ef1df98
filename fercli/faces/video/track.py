"""Faces followed through a video: which face of this frame is which of the ones before."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fercli.faces.detection import Box

#: How far from where it is expected a face may be, in sides of the face: this much, this much more a second, because
#: people turn and stop, and this much more where it was seen once and its speed is not known.
_REACH, _REACH_A_SECOND, _REACH_AT_FIRST, _FARTHEST = 0.6, 1.5, 0.5, 1.5
#: By what factor a face's side may differ from the last one.
_GROWTH = 1.7
#: What a frame without the face costs, in sides: where one passes in front of another, the face is the front one's.
_HIDDEN = 0.5
#: A face that is not seen keeps its number for so many seconds and so many frames, whichever is longer.
_PATIENCE, _MISSED = 1.5, 3
#: How much of a frame's news is believed of a place, and over how many seconds a speed is averaged.
_PLACE, _SPEED_SECONDS = 0.8, 0.3
#: Nobody goes straight on for longer than this, in seconds.
_STRAIGHT = 1.0


@dataclass
class _Track:
    """Someone in the video: the middle and side of the face in pixels, pixels a second, when and how long seen."""

    number: int
    x: float
    y: float
    side: float
    time: float
    vx: float = 0.0
    vy: float = 0.0
    seen: int = 1
    missed: int = 0

    def expected(self, time: float) -> tuple[float, float]:
        """The middle at a later time, at the same speed."""
        ahead = min(time - self.time, _STRAIGHT)
        return self.x + self.vx * ahead, self.y + self.vy * ahead

    def see(self, x: float, y: float, side: float, time: float) -> None:
        """The face of a later frame belongs to this one."""
        past = max(time - self.time, 1e-3)
        ex, ey = self.expected(time)
        # of the first steps their mean: nothing else is known
        speed = max(1 / self.seen, 1 - math.exp(-past / _SPEED_SECONDS))
        self.vx, self.vy = self.vx + speed * (x - ex) / past, self.vy + speed * (y - ey) / past
        self.x, self.y = ex + _PLACE * (x - ex), ey + _PLACE * (y - ey)
        self.side += _PLACE * (side - self.side)
        self.time, self.seen, self.missed = time, self.seen + 1, 0


class Tracks:
    """The people in one video, numbered from 1 on in the order in which they appear; no number comes twice.

    A face belongs to the track whose place it is nearest to, going on at its speed: the pairs are chosen together,
    so that the sum of distances is smallest (Kuhn's Hungarian method). Distances are in sides of the face, so that
    frames may lie far apart. Who is not seen for a while, or not after a cut, comes back with a new number.
    """

    def __init__(self) -> None:
        self._tracks: list[_Track] = []
        self._last = 0

    def cut(self) -> None:
        """Forget everyone: what follows is another shot."""
        self._tracks.clear()

    def follow(self, boxes: Sequence[Box], time: float) -> list[int]:
        """The number of each face of the next frame, at `time` seconds."""
        places = [((x1 + x2) / 2, (y1 + y2) / 2, max(1.0, (x2 - x1 + y2 - y1) / 2)) for x1, y1, x2, y2 in boxes]
        numbers = [0] * len(boxes)
        for track in self._tracks:
            track.missed += 1
        for track, face in self._pairs(places, time):
            track.see(*places[face], time)
            numbers[face] = track.number
        self._tracks = [t for t in self._tracks if t.missed <= _MISSED or time - t.time <= _PATIENCE]
        for face, number in enumerate(numbers):
            if not number:
                self._last += 1
                numbers[face] = self._last
                self._tracks.append(_Track(self._last, *places[face], time))
        return numbers

    def _pairs(self, places: Sequence[tuple[float, float, float]], time: float) -> list[tuple[_Track, int]]:
        """Tracks and the faces that go on with them."""
        if not self._tracks or not places:
            return []
        from scipy.optimize import linear_sum_assignment

        costs = np.array([[_distance(track, place, time) for place in places] for track in self._tracks])
        # a pair that cannot be costs more than all that can together
        rows, columns = linear_sum_assignment(np.where(np.isinf(costs), 1e6, costs))
        return [(self._tracks[t], int(f)) for t, f in zip(rows, columns, strict=True) if np.isfinite(costs[t, f])]


def _distance(track: _Track, place: tuple[float, float, float], time: float) -> float:
    """How badly a face goes on with a track: how far it is from where it is expected, in sides, by how much it grew
    and for how many frames it was not seen; infinite out of reach."""
    x, y, side = place
    ex, ey = track.expected(time)
    far = math.hypot(x - ex, y - ey) / ((side + track.side) / 2)
    growth = abs(math.log(side / track.side))
    reach = _REACH + _REACH_A_SECOND * (time - track.time) + _REACH_AT_FIRST * (track.seen == 1)
    if far > min(reach, _FARTHEST) or growth > math.log(_GROWTH):
        return math.inf
    return far + growth + _HIDDEN * (track.missed - 1)
