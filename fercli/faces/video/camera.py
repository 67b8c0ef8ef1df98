"""Frames of a camera in real time: whoever asks gets the newest, and what came between is dropped."""

import threading
import time
from collections.abc import Iterator
from types import TracebackType
from typing import Protocol, Self

import numpy as np
from numpy.typing import NDArray

from fercli.core.errors import MachineError
from fercli.faces.opencv import load_opencv
from fercli.faces.video.read import Frame

#: How long a camera may take to give a frame, in seconds.
_PATIENCE = 5.0


class FrameSource(Protocol):
    """Gives frames one after another, each when it is there; OpenCV's capture of a camera is one."""

    def read(self) -> NDArray[np.uint8] | None:
        """The next frame, RGB [H, W, 3], or None where there is none any more."""
        ...

    def close(self) -> None:
        """Let the camera go."""
        ...


class Camera:
    """A camera that is read in a thread of its own. `dropped` counts the frames that nobody asked for in time."""

    def __init__(self, source: FrameSource) -> None:
        self._source = source
        self._changed = threading.Condition()
        self._newest: Frame | None = None
        self._closed = self._ended = False
        self._given = -1
        self.dropped = 0
        self._thread = threading.Thread(target=self._read, daemon=True)

    def __enter__(self) -> Self:
        self._start = time.monotonic()
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        with self._changed:
            self._closed = True
        self._thread.join(_PATIENCE)

    def _read(self) -> None:
        index = 0
        while not self._closed:
            pixels = self._source.read()
            with self._changed:
                if pixels is None:
                    break
                self._newest = Frame(index, round(time.monotonic() - self._start, 3), pixels)
                self._changed.notify_all()
            index += 1
        self._source.close()
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def frames(self) -> Iterator[Frame]:
        """The newest frame whenever one is asked for, none twice, until the camera gives no more.

        Raises MachineError where it gives nothing for some seconds.
        """
        while True:
            with self._changed:
                arrived = self._changed.wait_for(lambda: self._ended or self._is_new(), _PATIENCE)
                frame = self._newest
                if not self._is_new() or frame is None:
                    if arrived:
                        return
                    raise MachineError(f"the camera has given no frame for {_PATIENCE:g} seconds: is it still there?")
                self.dropped += frame.index - self._given - 1
                self._given = frame.index
            yield frame

    def _is_new(self) -> bool:
        return self._newest is not None and self._newest.index > self._given


def open_camera(name: str) -> FrameSource:
    """A camera by its number, 0 is the first, or by its device such as /dev/video0.

    Raises MachineError where there is none, or where another program has it.
    """
    capture = load_opencv().VideoCapture(int(name) if name.isdecimal() else name)
    if not capture.isOpened() or not capture.read()[0]:
        capture.release()
        raise MachineError(
            f"--camera {name}: there is no such camera, or another program uses it (fer doctor lists cameras)"
        )
    return _Capture(capture)


class _Capture:
    """OpenCV's capture as RGB."""

    def __init__(self, capture: object) -> None:
        self._capture = capture

    def read(self) -> NDArray[np.uint8] | None:
        cv2 = load_opencv()
        there, pixels = self._capture.read()  # type: ignore[attr-defined]
        if not there:
            return None
        frame: NDArray[np.uint8] = cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB)
        return frame

    def close(self) -> None:
        self._capture.release()  # type: ignore[attr-defined]
