"""Memory and time of `fer predict` on the largest picture that it reads, in each format.

usage: python -m benchmarks.large_pictures [--format JPEG …] [--engine onnx]

The picture is a square of one photograph repeated, with as many pixels as `fer` reads of the format. Each format
has a process of its own. Prints a table: millions of pixels, size of the file, faces found or the reason why none,
CPU time and peak memory.
"""

import argparse
import csv
from math import isqrt
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pillow_heif
from matplotlib.cbook import get_sample_data
from PIL import Image

from benchmarks.usage import Usage, run_measured
from fercli.faces.io.decode import SUFFIXES, get_pixel_limit

#: How each format is written: as fast as it can be.
WRITTEN: dict[str, dict[str, Any]] = {
    "JPEG": {"quality": 92},
    "JPEG progressive": {"quality": 92, "progressive": True},
    "PNG": {"compress_level": 1},
    "PNG transparent": {"compress_level": 1},
    "WEBP": {"lossless": True, "quality": 0, "method": 0},
    "HEIF": {"quality": 50},
    "AVIF": {"quality": 60, "speed": 10},
    "TIFF": {"compression": "tiff_lzw"},
    "TIFF 16 bits": {},
    "GIF": {},
    "JPEG2000": {"quality_mode": "rates", "quality_layers": [20]},
    "BMP": {},
}


def make_picture(name: str, folder: Path) -> Path:
    """Write the largest picture of a format."""
    with Image.open(get_sample_data("grace_hopper.jpg", asfileobj=False)) as photo:
        tile = np.asarray(photo.convert("RGB"))
    side = isqrt(get_pixel_limit(name.split()[0]))
    repeats = -(-side // tile.shape[0]), -(-side // tile.shape[1]), 1
    image = Image.fromarray(np.tile(tile, repeats)[:side, :side])
    if name == "PNG transparent":
        image.putalpha(200)
    if name == "TIFF 16 bits":
        image = Image.fromarray(np.asarray(image.convert("L")).astype(np.uint16) * 257)
    family = name.split()[0]
    path = folder / f"picture{SUFFIXES[family][0]}"
    image.save(path, family, **WRITTEN[name])
    return path


def predict(picture: Path, engine: str) -> tuple[str, Usage]:
    """`fer predict` on it: what its row says, and what it cost."""
    output = picture.with_suffix(".csv")
    used = run_measured(
        "-m", "fercli", "predict", str(picture), "--engine", engine, "--device", "cpu", "--output", str(output)
    )  # fmt: skip
    rows = list(csv.DictReader(output.open(newline="", encoding="utf-8")))
    return f"{len(rows)} faces" if rows[0]["status"] == "ok" else rows[0]["message"], used


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--format", action="append", choices=tuple(WRITTEN))
    parser.add_argument("--engine", default="onnx", choices=("onnx", "torch"))
    options = parser.parse_args()
    pillow_heif.register_heif_opener()
    print("| format | million pixels | file | result | CPU time | memory |\n|---|---|---|---|---|---|")
    for name in options.format or WRITTEN:
        with TemporaryDirectory() as folder:
            try:
                picture = make_picture(name, Path(folder))
            except (OSError, ValueError, RuntimeError) as error:
                print(f"| {name} | | | cannot be written here: {error} | | |", flush=True)
                continue
            size = picture.stat().st_size / 1e6
            said, used = predict(picture, options.engine)
            limit = get_pixel_limit(name.split()[0])
            row = (
                name,
                f"{limit / 1e6:.0f}",
                f"{size:,.0f} MB",
                said,
                f"{used.cpu_seconds:.1f} s",
                f"{used.megabytes:,.0f} MB",
            )
            print(f"| {' | '.join(row)} |", flush=True)


if __name__ == "__main__":
    main()
