"""Seconds of training until a network first has a given accuracy on FER2013's PublicTest, beside the usual loop.

Both train by the same recipe with the same seed of the weights and measure PublicTest after every epoch, in a single
view; the time counts all of it, compiling too. They take turns epoch by epoch.

usage: python -m benchmarks.time_to_accuracy [--model xu-rescnn] [--accuracy 45] [--epochs 4] [--root DIR] [--json]
"""

import argparse
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import torch

from benchmarks.rows import Row, print_rows
from benchmarks.training import save_pictures, usual_loader, usual_steps
from benchmarks.turns import Turns
from fercli.core.progress import SILENT
from fercli.core.recipe import Recipe
from fercli.data.faceset import FaceSet
from fercli.data.load import load_faces
from fercli.models.catalogue import build_model, load_catalogue
from fercli.models.classifier import logits
from fercli.training.device import resolve_precision, should_compile
from fercli.training.loop import Faces, fit
from fercli.training.state import TrainingState

#: Seconds spent so far and accuracy on PublicTest, 0 to 1, after an epoch.
Progress = tuple[float, float]


def load_splits(root: Path | None) -> tuple[FaceSet, FaceSet]:
    """Training and PublicTest. Raises DataError where FER2013 is not there."""
    faces = load_faces("fer2013", root)
    return faces.select(faces.splits == "train"), faces.select(faces.splits == "val")


def on_device(faces: FaceSet) -> Faces:
    return Faces(torch.from_numpy(faces.images), torch.from_numpy(faces.labels))


def settings(model: str, epochs: int) -> Recipe:
    """The network's best recipe, shortened, without the averaged weights that the usual loop lacks."""
    short = {"epochs": epochs, "early_stopping_patience": None, "ema_decay": 0.0, "pretrained": "none", "frozen": ()}
    return load_catalogue().recipe(model, "best").model_copy(update=short)


def ours(model: str, root: Path | None, epochs: int) -> Iterator[Progress]:
    """`fer train`'s own loop."""
    train, val = map(on_device, load_splits(root))
    start = time.perf_counter()
    torch.manual_seed(0)
    state = TrainingState(build_model(model), settings(model, epochs), len(train), 7)
    device = torch.device("cpu")
    compile_network = should_compile(len(train), epochs, device)
    precision = resolve_precision("auto", device, load_catalogue()[model].bf16_on_cpu)
    spent = 0.0
    for row in fit(state, train, val, seed=0, precision=precision, compile_network=compile_network, progress=SILENT):
        spent += time.perf_counter() - start
        yield spent, row.val_accuracy
        start = time.perf_counter()


def usual(model: str, root: Path | None, epochs: int, folder: Path) -> Iterator[Progress]:
    """The usual loop, its learning rate as the recipe's schedule has it."""
    recipe, val = settings(model, epochs), on_device(load_splits(root)[1])
    torch.manual_seed(0)
    network = build_model(model).train()
    loader = usual_loader(recipe, folder)
    steps, spent = usual_steps(network, loader, recipe, len(loader) * epochs), 0.0
    while True:
        start = time.perf_counter()
        for _ in range(len(loader)):
            next(steps)
        accuracy = (logits(network, val.images).argmax(1) == val.labels).float().mean().item()
        spent += time.perf_counter() - start
        yield spent, accuracy


def measure(options: argparse.Namespace) -> list[Row]:
    """One row. Raises RuntimeError where the epochs do not suffice."""
    with TemporaryDirectory() as folder:
        save_pictures(load_splits(options.root)[0], Path(folder))
        theirs = (usual, (options.model, options.root, options.epochs, Path(folder)))
        with Turns(theirs, (ours, (options.model, options.root, options.epochs))) as turns:
            (slow, slow_epochs), (fast, fast_epochs) = _times(turns, options.accuracy / 100, options.epochs)
    note = f"{fast_epochs} epochs here, {slow_epochs} there"
    what = f"`{options.model}` to {options.accuracy:g} % on PublicTest"
    return [Row(what, fast, "the usual loop", slow, "s", "less", note=note)]


def _times(turns: Turns, accuracy: float, epochs: int) -> list[tuple[float, int]]:
    """Seconds and epochs of both until they have that accuracy. Raises RuntimeError where the epochs do not suffice."""
    reached: dict[int, tuple[float, int]] = {}
    for epoch in range(1, epochs + 1):
        for number in {0, 1} - set(reached):
            spent, measured = turns.take(number)
            if measured >= accuracy:
                reached[number] = spent, epoch
        if len(reached) == 2:
            return [reached[0], reached[1]]
    raise RuntimeError(f"{epochs} epochs do not reach {accuracy:.0%}: more --epochs, or a lower --accuracy")


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--model", default="xu-rescnn")
    parser.add_argument("--accuracy", type=float, default=45.0, help="percent")
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--root", type=Path)


if __name__ == "__main__":
    print_rows(__doc__, measure, arguments)
