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

usage: python -m benchmarks.prediction [FOLDER] [--pictures 24] [--turns 4] [--json]
"""

import argparse
import os
import resource
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Unpack

import numpy as np
from matplotlib.cbook import get_sample_data
from numpy.typing import NDArray
from PIL import Image

from benchmarks.rows import Row, print_rows
from benchmarks.turns import Turns
from fercli.faces.crop import crop_face
from fercli.faces.detection import Box, Detection
from fercli.faces.io.decode import PICTURE_SUFFIXES
from fercli.faces.io.sources import find_sources
from fercli.workflows.predict.options import PredictKeywords, PredictOptions
from fercli.workflows.predict.pipeline import load_networks, predict_sources

Faces = list[tuple[Box, float]]
Loop = Callable[[list[Path]], list[Faces]]

#: How many times as many pictures a second as the usual loop there should be with the same settings.
TARGET = 3.0


def photographs(folder: Path | None) -> list[Path]:
    """Those of the folder, else muxspace's in FER_DATA, else matplotlib's sample portrait."""
    usual_folder = Path(os.environ.get("FER_DATA", "data")) / "muxspace" / "images"
    folder = folder or (usual_folder if usual_folder.is_dir() else None)
    if folder is None:
        return [Path(get_sample_data("grace_hopper.jpg", asfileobj=False))]
    return sorted(path for path in folder.iterdir() if path.suffix.lower() in PICTURE_SUFFIXES)


def made(found: Sequence[Path], into: Path, count: int) -> list[Path]:
    """Write so many pictures of these photographs, the largest and the smallest among them, in mixed order."""
    rng = np.random.default_rng(0)
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

    from fercli.models.load import load_model

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


def ours(**settings: Unpack[PredictKeywords]) -> Loop:
    """What `fer predict` does with these options."""
    options = PredictOptions(**settings)
    model, finder = load_networks(options)

    def loop(paths: list[Path]) -> list[Faces]:
        results = predict_sources(find_sources(paths), model, finder, options)
        return [[(face.detection.box, face.detection.score) for face in result.faces] for result in results]

    return loop


USUAL = "facenet-pytorch, a picture and a face at a time"
LOOPS: Mapping[str, Callable[[], Loop]] = {
    USUAL: usual,
    "`fer predict --max-side 0`": lambda: ours(max_side=0),
    "`fer predict --max-side 0 --engine torch`": lambda: ours(max_side=0, engine="torch"),
    "`fer predict`, which are not the same settings": ours,
}


@dataclass
class Measured:
    """What one loop did: all its faces, a list a picture, seconds, seconds of CPU time, and the process's peak memory
    in bytes."""

    faces: list[Faces] = field(default_factory=list)
    seconds: float = 0.0
    work: float = 0.0
    peak: int = 0


def serve(name: str, turns: list[list[Path]]) -> Iterator[Measured]:
    """One loop, the pictures of a turn whenever it is asked."""
    loop = LOOPS[name]()
    for paths in turns:
        start, work = time.perf_counter(), time.process_time()
        faces = loop(paths)
        seconds, work = time.perf_counter() - start, time.process_time() - work
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
        yield Measured(faces, seconds, work, peak)


def measured(paths: list[Path], count: int) -> dict[str, Measured]:
    """All loops on all pictures, in turns; a first turn, on four small ones, is not counted."""
    small = sorted(paths, key=lambda path: path.stat().st_size)[:4]
    turns = [small, *(paths[first::count] for first in range(count))]
    results = {name: Measured() for name in LOOPS}
    with Turns(*((serve, (name, turns)) for name in LOOPS)) as processes:
        for turn in turns:
            for number, result in enumerate(results.values()):
                one = processes.take(number)
                if turn is not small:
                    result.faces += one.faces
                    result.seconds += one.seconds
                    result.work += one.work
                    result.peak = one.peak
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


def rows_of(results: Mapping[str, Measured]) -> Iterator[Row]:
    """Two rows for each loop but the usual one: its speed, with the faces that it finds, and its memory."""
    first = results[USUAL]
    for name, one in results.items():
        if one is first:
            continue
        same, sure = agreement(first.faces, one.faces)
        rate, other = len(one.faces) / one.seconds, len(first.faces) / first.seconds
        note = (
            f"{same:,} of {sure:,} sure faces, {100 * same / max(1, sure):.1f} %; "
            f"CPU time {one.work:.0f} s beside {first.work:.0f} s"
        )
        target = TARGET if name.endswith("--max-side 0`") else None
        yield Row(name, rate, USUAL, other, "pictures/s", "more", target, note)
        yield Row(f"{name}, memory", one.peak / 1e6, USUAL, first.peak / 1e6, "MB", "less")


def measure(options: argparse.Namespace) -> list[Row]:
    """All rows."""
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # read by the processes of the loops
    with TemporaryDirectory() as into:
        return list(rows_of(measured(made(photographs(options.folder), Path(into), options.pictures), options.turns)))


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", type=Path, nargs="?")
    parser.add_argument("--pictures", type=int, default=24)
    parser.add_argument("--turns", type=int, default=4)


if __name__ == "__main__":
    print_rows(__doc__, measure, arguments)
