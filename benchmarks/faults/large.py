"""Pictures of 40 to 110 million pixels, several in one job: the memory must not grow with their number."""

import json
import os
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import numpy as np
from PIL import Image

import fercli
from benchmarks.faults.calls import inputs
from fercli.core.config import LoadOptions

#: The large pictures by name: mode, width, height, and what Pillow is told.
_PICTURES: dict[str, tuple[str, int, int, dict[str, Any]]] = {
    "a.jpg": ("RGB", 12_000, 9_000, {}),
    "progressive.jpg": ("RGB", 10_000, 8_000, {"progressive": True}),
    "alpha.png": ("RGBA", 10_000, 10_900, {"compress_level": 1}),
    "gray16.png": ("I;16", 9_000, 12_000, {"compress_level": 1}),
    "a.tif": ("RGB", 8_000, 5_000, {}),
    "palette.png": ("P", 10_000, 10_000, {"compress_level": 1}),
}
_LABELS = ("angry", "happy", "sad")


def make_large(folder: Path) -> list[str]:
    """Write the large pictures: a repeated patch of noise."""
    folder.mkdir(parents=True)
    patch = np.random.default_rng(0).integers(0, 256, (10, 10), np.uint8).repeat(100, 0).repeat(100, 1)
    for name, (mode, width, height, how) in _PICTURES.items():
        gray = np.tile(patch, (-(-height // 1000), -(-width // 1000)))[:height, :width]
        wide = mode == "I;16"
        image = Image.fromarray(gray.astype(np.uint16) * 257) if wide else Image.fromarray(gray).convert(mode)
        image.save(folder / name, **how)
    return []


def read_large(path: Path) -> list[str]:
    """Do what `draw_large` drew, with a folder or an archive of large pictures."""
    case = json.loads(path.read_bytes())
    names = [f"train/{_LABELS[n % 3]}/{n}-{name}" for n, name in enumerate(case["pictures"])]
    folder = path.parent / "set"
    for name, source in zip(names, case["pictures"], strict=True):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        os.link(inputs() / "large" / source, folder / name)
    if case["archive"]:
        with ZipFile(folder.with_suffix(".zip"), "w") as archive:
            for name in names:
                archive.write(folder / name, name)
        folder = folder.with_suffix(".zip")
    if case["way"] in ("predict", "predict crops"):
        cropped = case["way"] == "predict crops"
        results = list(fercli.predict(folder, recursive=True, faces_are_cropped=cropped, device="cpu"))
        assert len(results) == len(names), f"{len(results)} of {len(names)} results"
        assert all(result.status in ("ok", "no face") for result in results), results
        return []
    detect = case["way"] == "set with --detect"
    faces = fercli.load_faces(str(folder), options=LoadOptions(detect=detect))
    assert len(faces) == len(names), faces.notes
    return list(faces.notes)


LARGE_CALLS = {"make_large": make_large, "read_large": read_large}
