"""How the frames of videos are looked at: how far apart, and over how long expressions are averaged."""

import math
from dataclasses import dataclass

from fercli.core.errors import UsageError
from fercli.core.times import read_seconds

#: Seconds between two frames that are looked at, unless another time is asked for.
EVERY = 0.2
#: The longest time to average over: frames wait in memory for half of it.
LONGEST_SMOOTH = 5.0


@dataclass(frozen=True)
class VideoSettings:
    """Seconds between two frames that are looked at (0: all frames) and to average over (0: not at all)."""

    every: float = EVERY
    smooth: float = 0.0

    def __post_init__(self) -> None:
        """Raises UsageError for times that cannot be."""
        if not 0 <= self.every < math.inf:
            raise UsageError(f"--every {self.every:g}: seconds, 0 or more")
        if not 0 <= self.smooth <= LONGEST_SMOOTH:
            raise UsageError(f"--smooth {self.smooth:g}: 0 to {LONGEST_SMOOTH:g} seconds")


def video_settings(every: str | None = None, fps: float | None = None, smooth: str | None = None) -> VideoSettings:
    """The settings that --every, --fps and --smooth mean. Raises UsageError where they cannot be."""
    if every is not None and fps is not None:
        raise UsageError(f"--every {every} and --fps {fps:g} say the same thing: leave one out")
    return VideoSettings(_every(every, fps), _smooth(smooth) if smooth is not None else 0.0)


def _every(every: str | None, fps: float | None) -> float:
    if fps is not None:
        if not 0.0001 <= fps <= 1000:  # not a number included
            raise UsageError(f"--fps {fps:g}: frames a second, more than 0; --every frame looks at all of them")
        return 1 / fps
    if every is None:
        return EVERY
    return 0.0 if every.strip().lower() == "frame" else read_seconds(every, "--every")


def _smooth(text: str) -> float:
    seconds = read_seconds(text, "--smooth")
    if not 0 < seconds <= LONGEST_SMOOTH:
        raise UsageError(f"--smooth {text}: more than 0 seconds, at most {LONGEST_SMOOTH:g}")
    return seconds
