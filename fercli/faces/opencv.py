"""OpenCV where it is needed and not before, and one clear line where it cannot be loaded."""

import os
from types import ModuleType

from fercli.core.errors import MachineError

#: What keeps OpenCV and its FFmpeg from writing to the terminal; both look before they first do something, and what
#: the user has set stays.
_QUIET = {"OPENCV_LOG_LEVEL": "SILENT", "OPENCV_FFMPEG_LOGLEVEL": "-8"}


def opencv() -> ModuleType:
    """The module cv2. Raises MachineError, with both remedies, on a machine that cannot load it.

    Slim containers lack libGL.so.1 and libgthread-2.0.so.0, which opencv-python needs for its windows. To be
    called before facenet_pytorch is imported, which swallows the first failure and its reason.
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
