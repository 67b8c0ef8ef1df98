"""Videos in, upright RGB frames with their times out."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fercli.core.errors import PictureError
from fercli.core.times import clock
from fercli.faces.io.decode import check_file
from fercli.faces.opencv import opencv

#: Frames a second where a container names no rate that can be.
_USUAL_RATE = 25.0
#: Seconds by which a frame may come before it is due: containers round times to the millisecond.
_ROUNDING = 0.002
#: A video is broken off where this share of its length, and at least this many seconds of it, are missing. What a
#: container says of its length is often a little wrong.
_MISSING_SHARE, _MISSING_SECONDS = 0.05, 0.5


@dataclass(frozen=True)
class Frame:
    """A frame: its index in the video from 0 on, its time in seconds, and its pixels, upright RGB [H, W, 3] uint8."""

    index: int
    time: float
    pixels: NDArray[np.uint8]


class BrokenOffError(PictureError):
    """A video ends before it should: the frame that is missing first, and when it should have come, in seconds."""

    def __init__(self, reason: str, index: int, time: float) -> None:
        super().__init__(reason)
        self.index, self.time = index, time


@dataclass(frozen=True)
class VideoFacts:
    """What a container says of its video: frames a second (more than 0), and its length in seconds, 0 if unknown."""

    rate: float
    seconds: float


def video_facts(path: Path) -> VideoFacts:
    """What the container says. Raises PictureError where the file cannot be opened as a video."""
    with _opened(path) as (cv2, capture):
        return _facts(cv2, capture)


def read_video(path: Path, every: float = 0.0) -> Iterator[Frame]:
    """The frames of a video that lie at least `every` seconds apart, the first one first; with 0, all of them.

    Times are the container's; where it gives none, or one that goes backwards, a frame follows the one before it
    at the video's rate. The frames between are not converted.

    Raises PictureError where the file cannot be opened as a video, BrokenOffError after the last good frame of one
    that holds less than its container says.
    """
    with _opened(path) as (cv2, capture):
        facts = _facts(cv2, capture)
        index, time, due = 0, 0.0, -math.inf
        while capture.grab():
            stamp = capture.get(cv2.CAP_PROP_POS_MSEC) / 1000
            time = max(0.0, stamp) if index == 0 else stamp if stamp > time else time + 1 / facts.rate
            if time >= due - _ROUNDING:
                got, pixels = capture.retrieve()
                if got:
                    due = time + every
                    yield Frame(index, round(time, 3), cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB))
            index += 1
        _check_whole(facts, index, time)


def _check_whole(facts: VideoFacts, frames: int, time: float) -> None:
    if not frames:
        raise PictureError("a video without a frame that can be decoded")
    end = time + 1 / facts.rate
    # both, because a rate that varies makes one of the two wrong
    few = frames < round(facts.seconds * facts.rate) * (1 - _MISSING_SHARE)
    if few and facts.seconds - end > max(_MISSING_SECONDS, facts.seconds * _MISSING_SHARE):
        reason = f"broken off: {clock(end)} of {clock(facts.seconds)} could be read"
        raise BrokenOffError(reason, frames, round(end, 3))


@contextmanager
def _opened(path: Path) -> Iterator[tuple[ModuleType, Any]]:
    """OpenCV and its VideoCapture of a file, which is released in any case."""
    check_file(path)
    try:
        str(path).encode()
    except UnicodeEncodeError:  # OpenCV 5 crashes on these
        raise PictureError("OpenCV cannot open a name that is not UTF-8: rename the file") from None
    cv2 = opencv()
    capture = cv2.VideoCapture(str(path))
    try:
        if not capture.isOpened():
            raise PictureError("not a video, damaged, or in a format that OpenCV cannot read")
        capture.set(cv2.CAP_PROP_ORIENTATION_AUTO, 1)
        yield cv2, capture
    except (cv2.error, MemoryError) as error:
        raise PictureError(f"cannot be read: {' '.join(str(error).split()) or type(error).__name__}") from error
    finally:
        capture.release()


def _facts(cv2: ModuleType, capture: Any) -> VideoFacts:
    rate, count = capture.get(cv2.CAP_PROP_FPS), capture.get(cv2.CAP_PROP_FRAME_COUNT)
    if not 0.01 <= rate <= 100_000:  # not a number included
        rate = _USUAL_RATE
    return VideoFacts(rate, count / rate if 0 < count < 1e12 else 0.0)
