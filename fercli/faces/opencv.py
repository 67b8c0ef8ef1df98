"""Importing OpenCV only where it is needed, with a clear error where it cannot be imported."""

import os
from types import ModuleType

from fercli.core.errors import MachineError

#: These keep OpenCV and its FFmpeg from writing to the terminal. Both read them on first use. A value that the user has
#: set is kept.
_QUIET = {"OPENCV_LOG_LEVEL": "SILENT", "OPENCV_FFMPEG_LOGLEVEL": "-8"}


def load_opencv() -> ModuleType:
    """Import and return the module cv2. Raises MachineError, with two ways to fix it, where that fails.

    Slim containers lack libGL.so.1 and libgthread-2.0.so.0, which opencv-python needs for its windows. Call this
    before facenet_pytorch is imported: that package hides the first failure and its reason.
    """
    for name, value in _QUIET.items():
        os.environ.setdefault(name, value)
    try:
        import cv2
    except ImportError as error:
        reason = " ".join(str(error).split())
        raise MachineError(
            f"OpenCV cannot be loaded ({reason}): install the system packages it needs (Debian and Ubuntu: "
            "apt-get install libgl1 libglib2.0-0), or the build that needs none: "
            "pip uninstall -y opencv-python && pip install opencv-python-headless"
        ) from error
    return cv2
