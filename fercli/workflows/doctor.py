"""What `fer doctor` looks at: versions, extras, devices, data, and one picture predicted for real."""

import os
import platform
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Literal

import fercli
from fercli.core.engine import count_threads, may_have_gpu
from fercli.core.errors import FerError, reason_of
from fercli.core.text import format_count
from fercli.faces.opencv import load_opencv

#: 'missing' is something that can be added, 'broken' something that the program needs.
State = Literal["ok", "missing", "broken"]

_NEEDED = ("numpy", "opencv-python", "pillow", "onnxruntime", "typer", "rich", "pyyaml", "pydantic", "safetensors")
_FOR_TRAINING = ("torch", "torchvision", "facenet-pytorch")
#: The packages of each extra, and what it is for.
_EXTRAS = {
    "parquet": (("pyarrow",), "fer predict --output faces.parquet"),
    "explain": (("captum",), "fer predict --explain"),
    "sound": (("av",), "the sound of annotated videos"),
    "ray": (("ray",), "--ray, jobs on a cluster"),
    "tensorboard": (("tensorboard",), "fer train --tensorboard"),
    "remote": (("fsspec", "s3fs"), "pictures in object stores, s3://bucket/prefix"),
}


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at: what is there, and what to type where something is not."""

    name: str
    state: State
    text: str
    hint: str = ""


def examine(root: Path | None = None) -> Iterator[Finding]:
    """Look at this installation, one thing after the other. Named face sets are looked for below `root`."""
    yield Finding("fercli", "ok", f"{fercli.__version__} in {Path(fercli.__file__).parent}")
    yield Finding("Python", "ok", f"{platform.python_version()}, {platform.system()} {platform.machine()}")
    yield _find_packages("libraries", _NEEDED, "broken", f"pip install {' '.join(_NEEDED)}")
    training = "pip install torch torchvision facenet-pytorch==2.5.3; needed to train, evaluate and export"
    yield _find_packages("training", _FOR_TRAINING, "missing", training)
    for extra, (packages, purpose) in _EXTRAS.items():
        # the packages, not the extra: pip would bring PyTorch as well to an installation without it
        hint = f"pip install {' '.join(packages)}; for {purpose}"
        yield _find_packages(f"extra {extra}", packages, "missing", hint)
    yield Finding("processor", "ok", f"{format_count(count_threads(), 'thread')} of {os.cpu_count()} cores")
    checks: dict[str, Callable[[], Finding]] = {
        "GPU": _find_gpu,
        "videos": _find_videos,
        "cameras": _find_cameras,
        "fonts": _find_fonts,
        "cache": _find_cache,
        "face sets": lambda: _find_sets(root),
        "prediction": _predict_portrait,
    }
    for name, check in checks.items():
        try:
            yield check()
        except FerError as error:  # its message says what to do
            yield Finding(name, "broken", str(error))
        except Exception as error:  # whatever a damaged package raises
            yield Finding(name, "broken", reason_of(error), "fer predict --demo --debug shows where it fails")


def _find_packages(name: str, packages: tuple[str, ...], otherwise: State, hint: str) -> Finding:
    versions = {package: _version_of(package) for package in packages}
    if missing := [package for package, found in versions.items() if not found]:
        return Finding(name, otherwise, f"not installed: {', '.join(missing)}", hint)
    return Finding(name, "ok", ", ".join(f"{package} {found}" for package, found in versions.items()))


def _version_of(package: str) -> str:
    """A package's version, '' where it is not installed. OpenCV has several names."""
    for name in (package, "opencv-python-headless", "opencv-contrib-python") if "opencv" in package else (package,):
        try:
            return version(name)
        except PackageNotFoundError:
            continue
    return ""


def _find_gpu() -> Finding:
    if not may_have_gpu():
        return Finding("GPU", "ok", "none; everything runs on the processor")
    if not _version_of("torch"):
        return Finding(
            "GPU", "missing", "there may be one, but PyTorch is not installed", "pip install torch torchvision"
        )
    import torch

    if torch.cuda.is_available():
        names = [torch.cuda.get_device_name(index) for index in range(torch.cuda.device_count())]
        return Finding("GPU", "ok", ", ".join(f"cuda:{index} {name}" for index, name in enumerate(names)))
    if torch.backends.mps.is_available():
        return Finding("GPU", "ok", "mps, Apple's")
    return Finding(
        "GPU", "missing", "a driver is there, but PyTorch cannot use it", "install the CUDA build of PyTorch"
    )


def _find_videos() -> Finding:
    about = load_opencv().getBuildInformation()
    if any("FFMPEG" in line and "YES" in line for line in about.splitlines()):
        return Finding("videos", "ok", "OpenCV reads them through FFmpeg")
    return Finding("videos", "missing", "OpenCV was built without FFmpeg", "pip install opencv-python")


def _find_cameras() -> Finding:
    """Cameras are listed, not opened: opening one lights it up."""
    if sys.platform != "linux":
        return Finding("cameras", "ok", "not looked for on this system")
    found = sorted(Path("/dev").glob("video*"))
    return Finding("cameras", "ok", ", ".join(map(str, found)) if found else "none")


def _find_fonts() -> Finding:
    from PIL import features

    if features.check("freetype2"):
        return Finding("fonts", "ok", "Pillow has FreeType")
    return Finding(
        "fonts", "missing", "Pillow has no FreeType: captions are small", "pip install --force-reinstall pillow"
    )


def _find_cache() -> Finding:
    from fercli.data.cache import cache_folder

    folder = cache_folder()
    there = next(parent for parent in (folder, *folder.parents) if parent.exists())
    if os.access(there, os.W_OK):
        return Finding("cache", "ok", str(folder))
    return Finding("cache", "missing", f"{folder} cannot be written", "set FER_CACHE to a folder that can")


def _find_sets(root: Path | None) -> Finding:
    from fercli.data.load import SETS, data_root

    where = data_root(root)
    named = {name: known.find(where) for name, known in SETS.items() if known.paths}
    found = [name for name, path in named.items() if path]
    if found:
        return Finding("face sets", "ok", f"{', '.join(found)} in {where.absolute()}")
    text = f"none in {where.absolute()}; cartoon is built in"
    return Finding("face sets", "missing", text, "FER_DATA or --root says where they are; fer data list names them")


def _predict_portrait() -> Finding:
    """Find the face in matplotlib's portrait and classify it, as `fer predict --demo` does."""
    from matplotlib.cbook import get_sample_data

    start = time.perf_counter()
    (result,) = fercli.predict(str(get_sample_data("grace_hopper.jpg", asfileobj=False)), device="cpu")
    labels = [face.label for face in result.faces]
    if labels != ["neutral"]:
        found = ", ".join(labels) or result.message or "no face"
        return Finding("prediction", "broken", f"the sample portrait gave {found}, not one neutral face")
    return Finding("prediction", "ok", f"the sample portrait is neutral, in {time.perf_counter() - start:.1f} s")
