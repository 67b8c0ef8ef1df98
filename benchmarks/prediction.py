"""Pictures a second of `fer predict` beside the usual loop around facenet-pytorch, in one run, on the same pictures.

The usual loop: Pillow decodes a picture, `MTCNN(keep_all=True).detect` searches it, the expression network is asked
one face at a time. Ours: what `fer predict` runs, at full size (--max-side 0), so with the same smallest face and
thresholds; and once more with the default --max-side, which are not the same settings. All loops crop alike and
average each face with its mirror image. Each has a process of its own and they take turns, so that other work on the
machine slows all of them; the first turn, on a few small pictures, is not counted. Threads that wait for one another
do not spin (OMP_WAIT_POLICY=PASSIVE, unless it is set): beside other work that slows the usual loop out of proportion.

The pictures are made from a seed: real photographs side by side, 1 to 36 to a picture, as JPEG from 200 × 200 to
4000 × 3000. They come from FOLDER, else from muxspace in FER_DATA, else from matplotlib's sample portrait. A face of
facenet-pytorch's with a score above 0.95 counts as found where one of ours has an IoU of at least 0.95 with it.

usage: python -m benchmarks.prediction [FOLDER] [--pictures 24] [--turns 4]
"""

import argparse
import os
import platform
import resource
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
from matplotlib.cbook import get_sample_data
from numpy.typing import NDArray
from PIL import Image

from fercli.faces.crop import crop_face
from fercli.faces.decode import PICTURE_SUFFIXES
from fercli.faces.detect import Box, Detection, Detector
from fercli.faces.sources import find_sources
from fercli.models.loaded import load_model
from fercli.workflows.predict.job import predict_sources

Faces = list[tuple[Box, float]]
Loop = Callable[[list[Path]], list[Faces]]


def made(folder: Path | None, into: Path, count: int) -> list[Path]:
    """Write so many pictures, the largest and the smallest among them, in mixed order."""
    rng = np.random.default_rng(0)
    portrait = Path(get_sample_data("grace_hopper.jpg", asfileobj=False))
    found = sorted(p for p in folder.iterdir() if p.suffix.lower() in PICTURE_SUFFIXES) if folder else [portrait]
    widths = np.geomspace(200, 4000, count).round().astype(int)
    paths = []
    for number, width in enumerate(rng.permutation(widths)):
        height = round(width * (1 - 0.25 * (width - 200) / 3800))
        canvas = Image.new("RGB", (int(width), height), (90, 90, 90))
        across = int(rng.integers(1, 7))
        side = -(-int(width) // across)
        for top in range(0, height, side):
            for left in range(0, int(width), side):
                with Image.open(found[rng.integers(len(found))]) as photo:
                    canvas.paste(photo.convert("RGB").resize((side, side), Image.Resampling.BICUBIC), (left, top))
        paths.append(into / f"{number:03}.jpg")
        canvas.save(paths[-1], quality=92)
    return paths


def usual() -> Loop:
    """Picture by picture and face by face."""
    from facenet_pytorch import MTCNN

    mtcnn, model = MTCNN(keep_all=True), load_model(mirrored=True)

    def loop(paths: list[Path]) -> list[Faces]:
        every = []
        for path in paths:
            picture = Image.open(path).convert("RGB")
            boxes, scores = mtcnn.detect(picture)
            faces = (
                []
                if boxes is None
                else [(tuple(map(float, box)), float(s)) for box, s in zip(boxes, scores, strict=True)]
            )
            for box, score in faces:
                model.probabilities(crop_face(np.asarray(picture), Detection(box, (), score))[None, None])
            every.append(faces)
        return every

    return loop


def ours(**settings: int) -> Loop:
    """What `fer predict` does with these settings of the detector."""
    model, detector = load_model(mirrored=True), Detector(**settings)

    def loop(paths: list[Path]) -> list[Faces]:
        results = predict_sources(find_sources(paths), model, detector)
        return [[(face.detection.box, face.detection.score) for face in result.faces] for result in results]

    return loop


LOOPS = {
    "facenet-pytorch": (usual, {}),
    "fer predict --max-side 0": (ours, {"max_side": 0}),
    "fer predict (not the same settings)": (ours, {}),
}


def serve(connection: Connection, name: str) -> None:
    """One loop in a process of its own, some pictures whenever it is asked."""
    build, settings = LOOPS[name]
    loop = build(**settings)
    while paths := connection.recv():
        start, work = time.perf_counter(), time.process_time()
        faces = loop(paths)
        seconds, work = time.perf_counter() - start, time.process_time() - work
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
        connection.send((faces, seconds, work, peak))


@dataclass
class Measured:
    """What one loop did: all its faces, a list a picture, seconds, seconds of CPU time, and the process's peak memory
    in bytes."""

    faces: list[Faces]
    seconds: float = 0.0
    work: float = 0.0
    peak: int = 0


def measured(paths: list[Path], turns: int) -> dict[str, Measured]:
    """All loops on all pictures, in turns."""
    loops = {}
    for name in LOOPS:
        here, there = get_context("spawn").Pipe()
        get_context("spawn").Process(target=serve, args=(there, name), daemon=True).start()
        loops[name] = here
    small = sorted(paths, key=lambda path: path.stat().st_size)[:4]
    results = {name: Measured([]) for name in loops}
    for turn in [small, *(paths[first::turns] for first in range(turns))]:
        for name, loop in loops.items():
            loop.send(turn)
            faces, seconds, work, peak = loop.recv()
            if turn is not small:
                result = results[name]
                result.faces += faces
                result.seconds += seconds
                result.work += work
                result.peak = peak
    for loop in loops.values():
        loop.send([])
    return results


def agreement(wanted: list[Faces], given: list[Faces]) -> tuple[int, int]:
    """How many of the sure faces are found, and how many there are."""
    found = [
        any(_iou(np.array(box), np.array(other)) >= 0.95 for other, _ in others)
        for faces, others in zip(wanted, given, strict=True)
        for box, score in faces
        if score > 0.95
    ]
    return sum(found), len(found)


def _iou(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    shared = np.clip(np.minimum(one[2:], other[2:]) - np.maximum(one[:2], other[:2]), 0, None).prod()
    return float(shared / ((one[2:] - one[:2]).prod() + (other[2:] - other[:2]).prod() - shared))


def table(results: dict[str, Measured]) -> Iterator[str]:
    """Its lines."""
    yield "| | pictures/s | times as fast | CPU time | faces | of facenet-pytorch's sure faces | peak memory |"
    yield "|---|---|---|---|---|---|---|"
    first = next(iter(results.values()))
    for name, one in results.items():
        same, all_of_them = agreement(first.faces, one.faces)
        cells = [
            f"`{name}`",
            f"{len(one.faces) / one.seconds:.2f}",
            f"{first.seconds / one.seconds:.1f}",
            f"{one.work:.1f} s",
            f"{sum(map(len, one.faces)):,}",
            f"{same:,} of {all_of_them:,} ({100 * same / max(1, all_of_them):.1f} %)",
            f"{one.peak / 1e6:,.0f} MB",
        ]
        yield f"| {' | '.join(cells)} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, nargs="?")
    parser.add_argument("--pictures", type=int, default=24)
    parser.add_argument("--turns", type=int, default=4)
    options = parser.parse_args()
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # read by the processes of the loops
    usual_place = Path(os.environ.get("FER_DATA", "data")) / "muxspace" / "images"
    folder = options.folder or (usual_place if usual_place.is_dir() else None)
    with TemporaryDirectory() as into:
        paths = made(folder, Path(into), options.pictures)
        print("\n".join(table(measured(paths, options.turns))))
    threads = f"{torch.get_num_threads()} threads, torch {torch.__version__}"
    print(f"\n{len(paths)} pictures of 200 × 200 to 4000 × 3000, {platform.machine()}, {threads}")


if __name__ == "__main__":
    main()
