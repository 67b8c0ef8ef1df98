"""What each optimisation gives: a loop as it is beside the same loop without it, in one run on the CPU.

Training: faces a second of `fer train`'s loop, with augmentation. Detection: pictures a second of the search for faces
in pictures that are decoded already, at their full size. Each variant has a process of its own and they take turns;
the figures are medians after a first turn of each. A gain below 1 is a loss.

usage: python -m benchmarks.ablation [--models xu-rescnn bah-resnet] [--root DIR] [--seconds 3] [--turns 2] [--json]
"""

import argparse
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import patch

import torch
from torch import nn

from benchmarks.prediction import made, photographs
from benchmarks.rows import Row, print_rows
from benchmarks.training import faces_for, recipe_of
from benchmarks.turns import Turns
from fercli.core.progress import SILENT
from fercli.faces.io.decode import read_picture
from fercli.faces.mtcnn.detector import Detector
from fercli.models.catalogue import build_model, load_catalogue
from fercli.models.layers import Conv2d, Dropout
from fercli.training.device import resolve_precision
from fercli.training.loop import Faces, fit
from fercli.training.state import TrainingState

#: What training and detection are tried without: for each network what matters to one of its size.
TRAINING = {
    "xu-rescnn": (
        "torch.compile",
        "memory kept from step to step",
        "channels-last weights",
        "the fused optimiser",
        "biases added in the norm's pass",
    ),
    "bah-resnet": (
        "torch.compile",
        "memory kept from step to step",
        "channels-last weights",
        "dropout's own masks",
    ),
}
DETECTION = ("batches across pictures", "a thread a batch instead of one operation on all")


def training(model: str, root: Path | None, without: str, seconds: float) -> Iterator[float]:
    """Faces a second, turn by turn."""
    patches: dict[str, Any] = {
        "memory kept from step to step": patch("fercli.training.loop.reuse_memory", lambda: None),
        "biases added in the norm's pass": patch.object(Conv2d, "forward", nn.Conv2d.forward),
        "dropout's own masks": patch.object(Dropout, "forward", nn.Dropout.forward),
    }
    if without in patches:
        patches[without].start()
    faces = faces_for(model, root)
    train = Faces(torch.from_numpy(faces.images), torch.from_numpy(faces.labels))
    state = TrainingState(build_model(model), recipe_of(model), len(train), len(faces.classes))
    if without == "channels-last weights":
        state.network.to(memory_format=torch.contiguous_format)
    if without == "the fused optimiser":
        for group in state.optimizer.param_groups:
            group["fused"] = False
    precision = resolve_precision("auto", torch.device("cpu"), load_catalogue()[model].bf16_on_cpu)
    val = Faces(train.images[:1], train.labels[:1])
    compile_network = without != "torch.compile"
    epochs = fit(state, train, val, seed=0, precision=precision, compile_network=compile_network, progress=SILENT)
    while True:
        done, spent = 0, 0.0
        while spent < seconds:
            spent += next(epochs).seconds
            done += state.steps_per_epoch * state.batch_size
        yield done / spent


def detection(paths: Sequence[Path], without: str) -> Iterator[float]:
    """Pictures a second, turn by turn, all of them in each."""
    detector, pictures = Detector(max_side=0, engine="torch"), [read_picture(path) for path in paths]
    search = detector._search
    if without == "a thread a batch instead of one operation on all":
        search._pool = ThreadPoolExecutor(1)
        patch("fercli.faces.mtcnn.torch_networks.torch.set_num_threads", lambda count: None).start()
    while True:
        start = time.perf_counter()
        if without == "batches across pictures":
            for picture in pictures:
                detector.find(picture)
        else:
            detector.find_all(pictures)
        yield len(pictures) / (time.perf_counter() - start)


def compare(
    what: str, unit: str, variants: Sequence[str], work: Callable[..., Iterator[float]], first: tuple[Any, ...],
    last: tuple[Any, ...], turns: int,
) -> Iterator[Row]:  # fmt: skip
    """A row for each variant of a work, beside it as it is."""
    with Turns(*((work, (*first, variant, *last)) for variant in ("", *variants))) as processes:
        taken = [[processes.take(number) for number in range(1 + len(variants))] for _ in range(1 + turns)][1:]
    full, *others = (statistics.median(rates) for rates in zip(*taken, strict=True))
    for variant, rate in zip(variants, others, strict=True):
        yield Row(what, full, f"without {variant}", rate, unit, "more")


def measure(options: argparse.Namespace) -> list[Row]:
    """All rows."""
    rows = []
    for model in options.models:
        first, last = (model, options.root), (options.seconds,)
        rows += compare(f"training `{model}`", "faces/s", TRAINING[model], training, first, last, options.turns)
    with TemporaryDirectory() as folder:
        paths = made(photographs(None), Path(folder), 12)
        rows += compare("detection", "pictures/s", DETECTION, detection, (paths,), (), options.turns)
    return rows


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--models", nargs="+", default=list(TRAINING), choices=list(TRAINING))
    parser.add_argument("--root", type=Path)
    parser.add_argument("--seconds", type=float, default=3.0, help="of a turn of training")
    parser.add_argument("--turns", type=int, default=2)


if __name__ == "__main__":
    print_rows(__doc__, measure, arguments)
