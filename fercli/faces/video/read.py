"""Reading videos as upright RGB frames with their times."""

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
from fercli.core.text import clock
from fercli.faces.io.decode import check_file
from fercli.faces.opencv import load_opencv

#: Frames per second where a container gives no plausible rate.
_DEFAULT_RATE = 25.0
#: Tolerance in seconds for frames that come early, since containers round times to the millisecond.
_ROUNDING = 0.002
#: A video counts as truncated if this fraction of its length, and at least this many seconds, are missing. Both,
#: because the length that a container gives is often slightly wrong.
_MISSING_FRACTION, _MISSING_SECONDS = 0.05, 0.5


@dataclass(frozen=True)
class Frame:
    """A frame: its index in the video from 0 on, its time in seconds, and its pixels, upright RGB [H, W, 3] uint8."""

    index: int
    time: float
    pixels: NDArray[np.uint8]


class TruncatedVideoError(PictureError):
    """A video ends too early. Has the index of the first missing frame and the time, in seconds, when it was due."""

    def __init__(self, reason: str, index: int, time: float) -> None:
        super().__init__(reason)
        self.index, self.time = index, time


@dataclass(frozen=True)
class VideoInfo:
    """What a container says about its video: frames per second (more than 0), and seconds, 0 if unknown."""

    rate: float
    seconds: float


def read_video_info(path: Path) -> VideoInfo:
    """Read what the container says. Raises PictureError if the file cannot be opened as a video."""
    with _open_video(path) as (cv2, capture):
        return _get_info(cv2, capture)


def read_video(path: Path, every: float = 0.0) -> Iterator[Frame]:
    """Read the frames of a video that are at least `every` seconds apart, starting with the first; 0 reads all.

    Times are the container's. Where it gives none, or one that is not later than the last, a frame's time follows from
    the video's rate. Frames that are skipped are not converted to RGB.

    Raises PictureError if the file cannot be opened as a video, and TruncatedVideoError after the last good frame of
    one that is shorter than its container says.
    """
    with _open_video(path) as (cv2, capture):
        info = _get_info(cv2, capture)
        index, time, due = 0, 0.0, -math.inf
        while capture.grab():
            stamp = capture.get(cv2.CAP_PROP_POS_MSEC) / 1000
            time = max(0.0, stamp) if index == 0 else stamp if stamp > time else time + 1 / info.rate
            if time >= due - _ROUNDING:
                decoded, pixels = capture.retrieve()
                if decoded:
                    due = time + every
                    yield Frame(index, round(time, 3), cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB))
            index += 1
        _check_complete(info, index, time)


def _check_complete(info: VideoInfo, frames: int, time: float) -> None:
    if not frames:
        raise PictureError("a video without a frame that can be decoded")
    end = time + 1 / info.rate
    # both are checked, because with a variable rate either the count or the length is wrong
    frames_missing = frames < round(info.seconds * info.rate) * (1 - _MISSING_FRACTION)
    if frames_missing and info.seconds - end > max(_MISSING_SECONDS, info.seconds * _MISSING_FRACTION):
        reason = f"damaged: only {clock(end)} of {clock(info.seconds)} could be read"
        raise TruncatedVideoError(reason, frames, round(end, 3))


@contextmanager
def _open_video(path: Path) -> Iterator[tuple[ModuleType, Any]]:
    """OpenCV and its VideoCapture of a file, which is released at the end."""
    check_file(path)
    try:
        str(path).encode()
    except UnicodeEncodeError:  # OpenCV 5 crashes on these
        raise PictureError("OpenCV cannot open a name that is not UTF-8: rename the file") from None
    cv2 = load_opencv()
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


def _get_info(cv2: ModuleType, capture: Any) -> VideoInfo:
    rate, count = capture.get(cv2.CAP_PROP_FPS), capture.get(cv2.CAP_PROP_FRAME_COUNT)
    if not 0.01 <= rate <= 100_000:  # also true for NaN
        rate = _DEFAULT_RATE
    return VideoInfo(rate, count / rate if 0 < count < 1e12 else 0.0)
