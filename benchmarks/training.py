"""Faces a second in training: this project's loop beside the usual one, in one run.

The usual loop: pictures on disk in class folders, torchvision's transforms one picture at a time, a DataLoader with
two workers, the network eager in fp32. Ours: faces on the device as uint8, augmentation of a whole batch, the network
compiled, in fp32 and in bf16 autocast; one of them is what `fer train` takes by itself, in bf16 those that gain well
over a tenth by it (`bf16_on_cpu` in models.yaml). Same batch size, optimiser, kinds of augmentation and threads;
neither averages weights or validates. They take turns of some seconds; the figure is the ratio of the medians after
a first turn of each. Compiling comes before it and is stated apart, with the number of faces from which it has
paid for itself.

usage: python -m benchmarks.training [--models xu-rescnn bah-resnet …] [--root DIR] [--seconds 4] [--turns 2] [--json]
"""

import argparse
import statistics
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from PIL import Image
from torch.nn import functional as F
from torch.utils.data import DataLoader
from torchvision import transforms
from torchvision.datasets import ImageFolder

from benchmarks.rows import Row, print_rows
from benchmarks.turns import Turns
from fercli.core.errors import DataError
from fercli.core.progress import SILENT
from fercli.core.recipe import Recipe
from fercli.data.faceset import FaceSet
from fercli.data.load import load_faces
from fercli.models.catalogue import build_model, load_catalogue
from fercli.training.device import Precision, multiplies_in_bf16, resolve_precision
from fercli.training.loop import Faces, fit
from fercli.training.optimization import make_optimizer, make_schedule
from fercli.training.state import TrainingState

#: How many times faster than the usual loop each should be.
TARGETS = {"xu-rescnn": 3.0, "bah-resnet": 2.0}
MODELS = ("xu-rescnn", "mini-xception", "simple-cnn", "bah-resnet")
#: Multiply-adds of a face from which a network is large: its turns are made of fewer faces.
_LARGE = 30_000_000


def recipe_of(model: str) -> Recipe:
    """The network's recipe for training from scratch, without what the usual loop lacks."""
    plain = {
        "epochs": 10_000,
        "early_stopping_patience": None,
        "ema_decay": 0.0,
        "pretrained": "none",
        "frozen": (),
        "mixup": 0.0,
    }
    return load_catalogue().recipe(model, "best").model_copy(update=plain)


def faces_for(model: str, root: Path | None) -> FaceSet:
    """Training faces of FER2013, the drawn ones where it is not there; fewer for a large network."""
    try:
        faces = load_faces("fer2013", root)
        faces = faces.select(faces.splits == "train")
    except DataError:
        faces = load_faces("cartoon", None)
    count = 1024 if load_catalogue()[model].multiply_adds > _LARGE else 8192
    return faces.select(torch.randperm(len(faces), generator=torch.Generator().manual_seed(0))[:count].numpy())


def save_pictures(faces: FaceSet, folder: Path) -> None:
    """One PNG a face in class folders, as people have them; their names sort as the labels count."""
    for number, (image, label) in enumerate(zip(faces.images, faces.labels, strict=True)):
        path = folder / f"{label} {faces.classes[label]}" / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image[0]).save(path)


def usual(model: str, folder: Path, seconds: float) -> Iterator[float]:
    """Faces a second of the usual loop, turn by turn."""
    recipe, network = recipe_of(model), build_model(model).train()
    steps = usual_steps(network, usual_loader(recipe, folder), recipe)
    while True:
        done, start = 0, time.perf_counter()
        while (spent := time.perf_counter() - start) < seconds:
            done += next(steps)
        yield done / spent


def usual_loader(recipe: Recipe, folder: Path) -> DataLoader[tuple[torch.Tensor, torch.Tensor]]:
    """Pictures from disk with the recipe's augmentation in torchvision's words."""
    amounts = recipe.augment
    shift, zoom = (amounts.shift, amounts.shift), (1 / (1 + amounts.zoom), 1 + amounts.zoom)
    steps = [
        transforms.Grayscale(),
        *([transforms.RandomHorizontalFlip()] if amounts.flip else []),
        transforms.RandomAffine(amounts.rotate, shift, zoom, interpolation=transforms.InterpolationMode.BILINEAR),
        transforms.ColorJitter(amounts.brightness, amounts.contrast),
        transforms.ToTensor(),
    ]
    pictures = ImageFolder(str(folder), transforms.Compose(steps))
    return DataLoader(pictures, recipe.batch_size, True, num_workers=2, drop_last=True, persistent_workers=True)


def usual_steps(
    network: torch.nn.Module,
    loader: DataLoader[tuple[torch.Tensor, torch.Tensor]],
    recipe: Recipe,
    total_steps: int = 10**9,
) -> Iterator[int]:
    """Train for ever, a batch at a time, the rate falling over `total_steps`; how many faces the batch had."""
    optimizer = make_optimizer(network.parameters(), recipe.optimizer)
    schedule = make_schedule(optimizer, recipe.schedule, total_steps)
    while True:
        total, right = 0.0, 0
        for batch, labels in loader:
            out = network(batch * 255)
            loss = F.cross_entropy(out, labels, label_smoothing=recipe.label_smoothing)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            total += loss.item()
            right += int((out.argmax(1) == labels).sum())
            yield len(labels)


def ours(model: str, root: Path | None, precision: Precision, seconds: float) -> Iterator[tuple[float, float]]:
    """Faces a second of `fer train`'s own loop, turn by turn, and the seconds before the turn began in earnest."""
    recipe, faces = recipe_of(model), faces_for(model, root)
    train = Faces(torch.from_numpy(faces.images), torch.from_numpy(faces.labels))
    val = Faces(train.images[:1], train.labels[:1])
    state = TrainingState(build_model(model), recipe, len(train), len(faces.classes))
    epochs = fit(state, train, val, seed=0, precision=precision, compile_network=True, progress=SILENT)
    size = state.steps_per_epoch * state.batch_size
    while True:
        done, spent, start = 0, 0.0, time.perf_counter()
        while spent < seconds:
            spent += next(epochs).seconds
            done += size
        yield done / spent, time.perf_counter() - start - spent


def compare(model: str, options: argparse.Namespace) -> Iterator[Row]:
    """A row for each precision of one network, all of them in turns with the usual loop."""
    mine = [(ours, (model, options.root, precision, options.seconds)) for precision in options.precisions]
    with TemporaryDirectory() as folder:
        save_pictures(faces_for(model, options.root), Path(folder))
        with Turns((usual, (model, Path(folder), options.seconds)), *mine) as turns:
            taken = [[turns.take(number) for number in range(1 + len(mine))] for _ in range(1 + options.turns)]
    first, slow = taken[0], statistics.median(turn[0] for turn in taken[1:])
    chosen = resolve_precision("auto", torch.device("cpu"), load_catalogue()[model].bf16_on_cpu)
    for number, precision in enumerate(options.precisions, 1):
        fast, warm_up = statistics.median(turn[number][0] for turn in taken[1:]), first[number][1]
        paid = f"{warm_up / (1 / slow - 1 / fast):,.0f} faces" if fast > slow else "never"
        note = f"compiling {warm_up:.0f} s, paid for after {paid}"
        target = TARGETS.get(model) if precision == chosen else None
        what = f"training `{model}`, {precision}{', its own choice here' if precision == chosen else ''}"
        yield Row(what, fast, "the usual loop", slow, "faces/s", "more", target, note)


def measure(options: argparse.Namespace) -> list[Row]:
    """A row a network and precision."""
    return [row for model in options.models for row in compare(model, options)]


def arguments(parser: argparse.ArgumentParser) -> None:
    known = ("fp32", "bf16") if multiplies_in_bf16() else ("fp32",)  # others would only pretend to
    parser.add_argument("--models", nargs="+", default=MODELS)
    parser.add_argument("--precisions", nargs="+", default=known, choices=("fp32", "bf16"))
    parser.add_argument("--root", type=Path)
    parser.add_argument("--seconds", type=float, default=4.0, help="of a turn")
    parser.add_argument("--turns", type=int, default=2)


if __name__ == "__main__":
    print_rows(__doc__, measure, arguments)
