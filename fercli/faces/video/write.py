"""A video written frame by frame, as mp4, each frame shown at its time."""

import tempfile
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from fercli.core.errors import MachineError, RunError
from fercli.core.files import written_whole
from fercli.faces.opencv import opencv

#: H.264, which every player has, where this OpenCV may write it; else MPEG-4 part 2, which needs no licence.
_ENCODERS = ("avc1", "mp4v")
#: No faster than this, in frames a second: nobody sees more.
_FASTEST = 60.0
#: The longest time in seconds that one frame stands where a video has a hole in it.
_LONGEST = 60.0


@cache
def mp4_encoder() -> str:
    """The name of an encoder that works here. Raises MachineError where OpenCV has none."""
    picture = np.zeros((240, 320, 3), np.uint8)
    with tempfile.TemporaryDirectory() as folder:
        for name in _ENCODERS:
            path = Path(folder, f"{name}.mp4")
            writer = _writer(path, name, 10.0, (320, 240))
            for _ in range(5):
                writer.write(picture)
            writer.release()
            if _frames(path):
                return name
    raise MachineError("this OpenCV cannot write mp4 videos: leave --annotate out, or pip install opencv-python")


class Film:
    """A context manager that writes frames to an mp4 file, which is there when the block ends well, whole.

    `rate` is in frames a second. A frame stands until the next one's time, so that the film lasts as long as the
    video whatever its rate. Sides are cut to whole pairs of pixels, which mp4 needs; later frames of another size
    are stretched to the first one's.
    """

    def __init__(self, path: Path, rate: float) -> None:
        self._path = path
        self._rate = min(rate, _FASTEST)
        self._whole = written_whole(path)
        self._writer: Any = None
        self._last: NDArray[np.uint8] | None = None
        self._start, self._written = 0.0, 0

    def __enter__(self) -> Self:
        self._temporary = self._whole.__enter__()
        return self

    def add(self, picture: NDArray[np.uint8], time: float) -> None:
        """The frame that stands from `time` on, in seconds: RGB [H, W, 3].

        Raises RunError where the file cannot be begun.
        """
        if self._last is None:
            self._begin(picture)
            self._start = time
        missing = round((time - self._start) * self._rate) - self._written
        longest = round(_LONGEST * self._rate)
        if missing > longest:
            self._start += (missing - longest) / self._rate
        for _ in range(min(missing, longest)):
            self._write()
        self._last = self._fitted(picture)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool | None:
        try:
            if self._writer is not None:
                if kind is None:
                    self._write()
                self._writer.release()
                # a full disk is no error to OpenCV
                if kind is None and not _frames(self._temporary):
                    raise OSError("the encoder failed, or the disk is full")
        except OSError as failure:
            return self._whole.__exit__(OSError, failure, failure.__traceback__)
        return self._whole.__exit__(kind, error, trace)

    def _begin(self, picture: NDArray[np.uint8]) -> None:
        self._size = picture.shape[1] // 2 * 2, picture.shape[0] // 2 * 2
        self._writer = _writer(self._temporary, mp4_encoder(), self._rate, self._size)
        if not self._writer.isOpened():
            size = f"{self._size[0]} × {self._size[1]} pixels"
            raise RunError(f"cannot write {self._path}: OpenCV cannot begin a video of {size}")

    def _fitted(self, picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """As OpenCV takes it: BGR of the film's size."""
        cv2 = opencv()
        width, height = self._size
        even = picture[: picture.shape[0] // 2 * 2, : picture.shape[1] // 2 * 2]
        if even.shape[:2] != (height, width):
            even = cv2.resize(even, (width, height), interpolation=cv2.INTER_AREA)
        fitted: NDArray[np.uint8] = cv2.cvtColor(even, cv2.COLOR_RGB2BGR)
        return fitted

    def _write(self) -> None:
        self._writer.write(self._last)
        self._written += 1


def _writer(path: Path, encoder: str, rate: float, size: tuple[int, int]) -> Any:
    cv2 = opencv()
    return cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*encoder), rate, size)


def _frames(path: Path) -> int:
    """How many frames a video says it has; 0 where it is none."""
    cv2 = opencv()
    capture = cv2.VideoCapture(str(path))
    count = int(capture.get(cv2.CAP_PROP_FRAME_COUNT)) if capture.isOpened() else 0
    capture.release()
    return count
