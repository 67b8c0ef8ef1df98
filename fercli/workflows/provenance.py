"""Where a result comes from: versions, commit, command line, machine."""

import platform
import shlex
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import fercli

_LIBRARIES = (
    "torch",
    "torchvision",
    "numpy",
    "scikit-learn",
    "facenet-pytorch",
    "opencv-python",
    "pillow",
    "onnx",
    "onnxscript",
    "onnxruntime",
)


def versions() -> dict[str, str]:
    """Versions of this project, Python and the libraries that shape a result."""
    found = {"fercli": fercli.__version__, "python": platform.python_version()}
    for library in _LIBRARIES:
        try:
            found[library] = version(library)
        except PackageNotFoundError:
            continue
    return found


def git_commit() -> str | None:
    """The commit of the checkout this code runs from, with '+changes' where it is not clean; None elsewhere."""
    here = Path(fercli.__file__).parent

    def git(*words: str) -> str:
        done = subprocess.run(["git", "-C", str(here), *words], capture_output=True, text=True, check=True)
        return done.stdout.strip()

    try:
        # a package installed into some other project's checkout is not that project
        if not git("ls-files", "--", "__init__.py"):
            return None
        return git("rev-parse", "HEAD") + (
            "+changes" if git("status", "--porcelain", "--", ".", "../models.yaml") else ""
        )
    except (OSError, subprocess.CalledProcessError):
        return None


def command_line() -> str:
    """What was typed after `fer`."""
    return shlex.join(["fer", *sys.argv[1:]])
