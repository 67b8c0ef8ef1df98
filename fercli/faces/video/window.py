"""A window on the screen that shows frames."""

import os
import sys
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fercli.core.errors import MachineError
from fercli.faces.opencv import load_opencv

#: Keys that close the window: q and Escape.
_CLOSING = (ord("q"), 27)


class Window:
    """Shows frames until it is closed. Raises MachineError where there is no screen or OpenCV has no windows."""

    def __init__(self, title: str) -> None:
        if sys.platform.startswith("linux") and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
            raise MachineError("--show needs a screen, and there is none here: leave it out, or write to --output")
        self._cv2: Any = load_opencv()
        self._title, self._sized = title, False
        try:
            plain = self._cv2.WINDOW_NORMAL | self._cv2.WINDOW_KEEPRATIO | self._cv2.WINDOW_GUI_NORMAL
            self._cv2.namedWindow(title, plain)
        except self._cv2.error:
            raise MachineError(
                "--show: this OpenCV has no windows (opencv-python-headless): pip uninstall -y opencv-python-headless "
                "&& pip install opencv-python"
            ) from None

    def show(self, picture: NDArray[np.uint8]) -> bool:
        """Show an RGB picture; whether the window is still wanted: q, Escape and its button close it."""
        if not self._sized:
            self._cv2.resizeWindow(self._title, picture.shape[1], picture.shape[0])
            self._sized = True
        self._cv2.imshow(self._title, self._cv2.cvtColor(picture, self._cv2.COLOR_RGB2BGR))
        pressed = self._cv2.waitKey(1) & 0xFF
        return pressed not in _CLOSING and self._cv2.getWindowProperty(self._title, self._cv2.WND_PROP_VISIBLE) >= 1

    def close(self) -> None:
        """Take it away."""
        self._cv2.destroyAllWindows()
