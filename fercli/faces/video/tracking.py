"""Following people through a video: which face is which of the faces before, and where a shot ends."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fercli.faces.detection import Box
from fercli.faces.opencv import load_opencv

#: How far a face may be from its predicted position, in sides of the face: this much, more for each second since it was
#: last seen, because people turn and stop, and more if it was seen only once and its speed is unknown; never more than
#: the last value.
_MAX_DISTANCE, _MAX_DISTANCE_PER_SECOND, _MAX_DISTANCE_AT_FIRST, _MAX_DISTANCE_EVER = 0.6, 1.5, 0.5, 1.5
#: The largest factor by which a face's side may differ from the last one.
_MAX_GROWTH = 1.7
#: The cost of each missed frame, in sides. Where one person passes in front of another, it gives the face to the one in
#: front, who was not missed.
_MISSED_COST = 0.5
#: A track without a face is kept for this many seconds or this many frames, whichever is longer.
_KEEP_SECONDS, _KEEP_FRAMES = 1.5, 3
#: How far a new face moves the estimated position (0 to 1), and over how many seconds the speed is averaged.
_POSITION_WEIGHT, _SPEED_SECONDS = 0.8, 0.3
#: The longest time in seconds for which a position is predicted at constant speed.
_MAX_PREDICTION = 1.0

#: The centre of a face and its side: x, y, side, in pixels.
_Face = tuple[float, float, float]
#: A cut changes the colours of more than this fraction of the pixels and lowers the correlation of the layout below
#: this value. Both are needed, because a moving camera keeps the colours and a change of light keeps the layout. Pans
#: and zooms over group photographs change at most 0.13 of the colours. Of 299 cuts between gray portraits with the face
#: in the same place, a hard case, 78 % are found.
_COLOUR_CHANGE, _LAYOUT_CORRELATION = 0.2, 0.6
#: To how many pixels a frame's shorter side is reduced, about, and how many levels of each colour are told apart.
_SIDE, _LEVELS = 64, 8


@dataclass
class _Track:
    """A person in the video: the centre and side of the face in pixels, its speed in pixels per second, when it was
    last seen, in how many frames, and for how many it has been missing."""

    number: int
    x: float
    y: float
    side: float
    time: float
    vx: float = 0.0
    vy: float = 0.0
    seen: int = 1
    missed: int = 0

    def predict(self, time: float) -> tuple[float, float]:
        """The centre at a later time, at constant speed."""
        ahead = min(time - self.time, _MAX_PREDICTION)
        return self.x + self.vx * ahead, self.y + self.vy * ahead

    def update(self, x: float, y: float, side: float, time: float) -> None:
        """Add this person's face in a later frame."""
        elapsed = max(time - self.time, 1e-3)
        predicted_x, predicted_y = self.predict(time)
        # the first speeds are simply averaged: nothing else is known yet
        speed_weight = max(1 / self.seen, 1 - math.exp(-elapsed / _SPEED_SECONDS))
        self.vx += speed_weight * (x - predicted_x) / elapsed
        self.vy += speed_weight * (y - predicted_y) / elapsed
        self.x = predicted_x + _POSITION_WEIGHT * (x - predicted_x)
        self.y = predicted_y + _POSITION_WEIGHT * (y - predicted_y)
        self.side += _POSITION_WEIGHT * (side - self.side)
        self.time, self.seen, self.missed = time, self.seen + 1, 0


class FaceTracker:
    """Numbers the people in one video from 1 on, in order of appearance. No number is used twice.

    Each face is matched to the track whose predicted position is nearest. All pairs are chosen together, so that the
    sum of their distances is smallest (Jonker and Volgenant's method). Distances are in sides of the face, so frames
    may be far apart in time. A person who is not seen for a while, or who returns after a cut, gets a new number.
    """

    def __init__(self) -> None:
        self._tracks: list[_Track] = []
        self._last_number = 0

    def reset(self) -> None:
        """Forget all tracks, because a new shot begins. Numbers go on."""
        self._tracks.clear()

    def update(self, boxes: Sequence[Box], time: float) -> list[int]:
        """The number of each face in the next frame, at `time` seconds."""
        faces = [((x1 + x2) / 2, (y1 + y2) / 2, max(1.0, (x2 - x1 + y2 - y1) / 2)) for x1, y1, x2, y2 in boxes]
        numbers = [0] * len(boxes)
        for track in self._tracks:
            track.missed += 1
        for track, index in self._match(faces, time):
            track.update(*faces[index], time)
            numbers[index] = track.number
        self._tracks = [
            track for track in self._tracks if track.missed <= _KEEP_FRAMES or time - track.time <= _KEEP_SECONDS
        ]
        for index, number in enumerate(numbers):
            if not number:
                self._last_number += 1
                numbers[index] = self._last_number
                self._tracks.append(_Track(self._last_number, *faces[index], time))
        return numbers

    def _match(self, faces: Sequence[_Face], time: float) -> list[tuple[_Track, int]]:
        """Pairs of a track and the index of the face that continues it."""
        if not self._tracks or not faces:
            return []
        costs = np.array([[_cost(track, face, time) for face in faces] for track in self._tracks])
        return [(self._tracks[row], column) for row, column in choose_pairs(costs)]


def choose_pairs(costs: NDArray[np.float64]) -> list[tuple[int, int]]:
    """As many pairs of a row and a column as can be, each in one pair at most, with the smallest sum of costs.

    `costs` [rows, columns] are finite and at least 0, or infinite where a pair is impossible.
    """
    import lap  # SciPy has the method too, but takes 40 times as much space and most of a second to import

    possible = np.isfinite(costs)
    # an impossible pair costs more than all possible ones together; lap takes no costs from a million on
    impossible = 1 + min(costs.shape) * costs.max(where=possible, initial=0)
    _, columns, _ = lap.lapjv(np.where(possible, costs, impossible), extend_cost=True)
    return [(row, column) for row, column in enumerate(columns.tolist()) if column >= 0 and possible[row, column]]


def _cost(track: _Track, face: _Face, time: float) -> float:
    """How badly a face continues a track: the distance from its predicted position in sides, plus the growth, plus a
    cost for missed frames. Infinite if the face is too far away or its size too different."""
    x, y, side = face
    predicted_x, predicted_y = track.predict(time)
    distance = math.hypot(x - predicted_x, y - predicted_y) / ((side + track.side) / 2)
    growth = abs(math.log(side / track.side))
    limit = _MAX_DISTANCE + _MAX_DISTANCE_PER_SECOND * (time - track.time) + _MAX_DISTANCE_AT_FIRST * (track.seen == 1)
    if distance > min(limit, _MAX_DISTANCE_EVER) or growth > math.log(_MAX_GROWTH):
        return math.inf
    return distance + growth + _MISSED_COST * (track.missed - 1)


class ShotDetector:
    """Compares each frame of a video with the one before."""

    def __init__(self) -> None:
        self._colours: NDArray[np.float64] | None = None
        self._layout: NDArray[np.float64] | None = None

    def is_cut(self, picture: NDArray[np.uint8]) -> bool:
        """Whether the next frame, RGB [H, W, 3], starts a new shot. The first frame never does."""
        step = max(1, min(picture.shape[:2]) // _SIDE)
        small = np.ascontiguousarray(picture[::step, ::step])
        colours, layout = _compute_histogram(small), _compute_layout(small)
        last_colours, last_layout = self._colours, self._layout
        self._colours, self._layout = colours, layout
        if last_colours is None or last_layout is None:
            return False
        changed = float(np.abs(colours - last_colours).sum()) / 2
        return changed > _COLOUR_CHANGE and float((layout * last_layout).sum()) < _LAYOUT_CORRELATION


def _compute_histogram(small: NDArray[np.uint8]) -> NDArray[np.float64]:
    """The fraction of the pixels that has each of 8 × 8 × 8 colours."""
    red, green, blue = np.moveaxis(small.astype(np.int64) * _LEVELS // 256, -1, 0)
    counts = np.bincount(((red * _LEVELS + green) * _LEVELS + blue).ravel(), minlength=_LEVELS**3)
    fractions: NDArray[np.float64] = counts / counts.sum()
    return fractions


def _compute_layout(small: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Brightness in 16 × 16 fields, with mean 0 and length 1, so that a product of two is their correlation."""
    cv2 = load_opencv()
    fields: NDArray[np.float64] = cv2.resize(small, (16, 16), interpolation=cv2.INTER_AREA).mean(axis=2)
    fields -= fields.mean()
    fields /= max(float(np.linalg.norm(fields)), 1e-6)
    return fields
