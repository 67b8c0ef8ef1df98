"""Writing an mp4 video frame by frame, each frame shown at its time."""

import tempfile
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from fercli.core.errors import MachineError, PictureError, RunError
from fercli.core.files import written_whole
from fercli.faces.opencv import load_opencv
from fercli.faces.video.sound import add_sound

#: H.264, which every player supports, if this OpenCV can write it; otherwise MPEG-4 part 2, which needs no licence.
_ENCODERS = ("avc1", "mp4v")
#: The highest frame rate written, in frames per second. Nobody sees a difference above it.
_MAX_RATE = 60.0
#: The longest time in seconds for which one frame is shown across a gap in the video, if frames are closer than that.
_MAX_GAP = 60.0


@cache
def find_mp4_encoder() -> str:
    """The name of an encoder that works here. Raises MachineError if OpenCV has none."""
    picture = np.zeros((240, 320, 3), np.uint8)
    with tempfile.TemporaryDirectory() as folder:
        for name in _ENCODERS:
            path = Path(folder, f"{name}.mp4")
            writer = _open_writer(path, name, 10.0, (320, 240))
            for _ in range(5):
                writer.write(picture)
            writer.release()
            if _count_frames(path):
                return name
    raise MachineError("this OpenCV cannot write mp4 videos: leave --annotate out, or pip install opencv-python")


class VideoWriter:
    """A context manager that writes frames to an mp4 file. The complete file appears when the block ends normally.

    `rate` is in frames per second. Each frame is repeated until the next one's time, so that the new video lasts as
    long as the original, whatever its rate. Width and height are cut to even numbers, which mp4 needs. Later frames of
    another size are stretched to the first one's.

    With `original`, the video gets the sound of that one, whose frames these are (see fercli.faces.video.sound). If
    that fails, it stays silent, and `silent_because` says why.
    """

    def __init__(self, path: Path, rate: float, original: Path | None = None) -> None:
        self.silent_because = ""
        self._path, self._original = path, original
        self._rate = min(rate, _MAX_RATE)
        self._whole_file = written_whole(path)
        self._writer: Any = None
        self._last: NDArray[np.uint8] | None = None
        self._start, self._written, self._shortened = 0.0, 0, False

    def __enter__(self) -> Self:
        self._temporary = self._whole_file.__enter__()
        return self

    def write(self, picture: NDArray[np.uint8], time: float) -> None:
        """Add the frame, RGB [H, W, 3], that is shown from `time` on, in seconds.

        Raises RunError if the video cannot be started.
        """
        if self._last is None:
            self._open(picture)
            self._start = time
        missing = round((time - self._start) * self._rate) - self._written
        longest = max(1, round(_MAX_GAP * self._rate))
        if missing > longest:
            self._start += (missing - longest) / self._rate
            self._shortened = True
        for _ in range(min(missing, longest)):
            self._write_last()
        self._last = self._convert(picture)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool | None:
        if kind is not None or self._writer is None:
            if self._writer is not None:
                self._writer.release()
            return self._whole_file.__exit__(kind, error, trace)
        with ExitStack() as stack:
            stack.push(self._whole_file)  # it hears of what goes wrong here, an interrupt included
            self._write_last()
            self._writer.release()
            # OpenCV does not report a full disk
            if not _count_frames(self._temporary):
                raise OSError("the encoder failed, or the disk is full")
            self._add_sound()
        return None

    def _add_sound(self) -> None:
        if self._original is None:
            return
        if self._shortened:
            self.silent_because = "its pictures have a gap of more than a minute"
            return
        try:
            add_sound(self._temporary, self._original, self._start, self._written / self._rate)
        except PictureError as error:
            self.silent_because = str(error)

    def _open(self, picture: NDArray[np.uint8]) -> None:
        self._size = picture.shape[1] // 2 * 2, picture.shape[0] // 2 * 2
        self._writer = _open_writer(self._temporary, find_mp4_encoder(), self._rate, self._size)
        if not self._writer.isOpened():
            size = f"{self._size[0]} × {self._size[1]} pixels"
            raise RunError(f"cannot write {self._path}: OpenCV cannot begin a video of {size}")

    def _convert(self, picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """A frame as OpenCV writes it: BGR, in the size of the video."""
        cv2 = load_opencv()
        width, height = self._size
        even = picture[: picture.shape[0] // 2 * 2, : picture.shape[1] // 2 * 2]
        if even.shape[:2] != (height, width):
            even = cv2.resize(even, (width, height), interpolation=cv2.INTER_AREA)
        converted: NDArray[np.uint8] = cv2.cvtColor(even, cv2.COLOR_RGB2BGR)
        return converted

    def _write_last(self) -> None:
        self._writer.write(self._last)
        self._written += 1


def _open_writer(path: Path, encoder: str, rate: float, size: tuple[int, int]) -> Any:
    cv2 = load_opencv()
    return cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*encoder), rate, size)


def _count_frames(path: Path) -> int:
    """How many frames a video says it has; 0 if it is not a video."""
    cv2 = load_opencv()
    capture = cv2.VideoCapture(str(path))
    count = int(capture.get(cv2.CAP_PROP_FRAME_COUNT)) if capture.isOpened() else 0
    capture.release()
    return count
