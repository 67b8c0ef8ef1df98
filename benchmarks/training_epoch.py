"""One epoch of a network on FER2013's training part: this project's loop beside the usual one, in one run.

The usual loop: pictures in memory, torchvision's transforms one picture at a time, a DataLoader with two
workers, the network eager. Ours: faces on the device as uint8, augmentation of a whole batch, the network
compiled (its warm-up is timed apart). Same batch size, AdamW, kinds of augmentation and threads; neither averages
weights or validates. Each loop has a process of its own and they take turns epoch by epoch, so that a machine
that slows down slows both. The figure is the ratio of the medians after the first epoch.

usage: python -m benchmarks.training_epoch [--model xu-rescnn] [--root DIR] [--epochs 5]
"""

import argparse
import json
import platform
import statistics
import time
from collections.abc import Callable, Iterator
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path

import torch
from PIL import Image
from torch.nn import functional as F
from torch.utils.data import DataLoader, Dataset
from torchvision import transforms

from fercli.core.progress import Listener
from fercli.core.recipe import Recipe
from fercli.data.faceset import FaceSet
from fercli.data.sets import load_faces
from fercli.models.catalogue import build_model, load_catalogue
from fercli.training.loop import Faces, fit
from fercli.training.state import TrainingState


class Pictures(Dataset):
    """What ImageFolder gives once its files are in memory: an RGB picture, its transforms, its label."""

    def __init__(self, faces: FaceSet, transform: transforms.Compose) -> None:
        self.pictures = [Image.fromarray(image[0]).convert("RGB") for image in faces.images]
        self.labels = faces.labels.tolist()
        self.transform = transform

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, int]:
        return self.transform(self.pictures[index]), self.labels[index]


def usual_epochs(model: str, faces: FaceSet, recipe: Recipe) -> Iterator[float]:
    """Seconds of each epoch of the usual loop."""
    amounts = recipe.augment
    shift, zoom = (amounts.shift, amounts.shift), (1 / (1 + amounts.zoom), 1 + amounts.zoom)
    moves = transforms.RandomAffine(amounts.rotate, shift, zoom, interpolation=transforms.InterpolationMode.BILINEAR)
    light = transforms.ColorJitter(amounts.brightness, amounts.contrast)
    transform = transforms.Compose(
        [transforms.Grayscale(), transforms.RandomHorizontalFlip(), moves, light, transforms.ToTensor()]
    )
    pictures = Pictures(faces, transform)
    loader = DataLoader(pictures, recipe.batch_size, True, num_workers=2, drop_last=True, persistent_workers=True)
    network = build_model(model).train()
    optimizer = torch.optim.AdamW(network.parameters(), recipe.optimizer.lr)
    while True:
        start = time.perf_counter()
        total, right = 0.0, 0
        for batch, labels in loader:
            out = network(batch * 255)
            loss = F.cross_entropy(out, labels, label_smoothing=recipe.label_smoothing)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item()
            right += int((out.argmax(1) == labels).sum())
        yield time.perf_counter() - start


def our_epochs(model: str, faces: FaceSet, recipe: Recipe) -> Iterator[float]:
    """Seconds of each epoch of `fer train`'s own loop without its validation; compiling comes before the first."""
    train = Faces(torch.from_numpy(faces.images), torch.from_numpy(faces.labels))
    val = Faces(train.images[:1], train.labels[:1])
    settings = recipe.model_copy(update={"epochs": 1000, "stop_after": None, "average": 0.0})
    state = TrainingState(build_model(model), settings, len(train), len(faces.classes))
    for row in fit(state, train, val, seed=0, precision="fp32", compile_network=True, listener=Listener()):
        yield row.seconds


def serve(connection: Connection, loop: Callable[..., Iterator[float]], model: str, root: Path | None) -> None:
    """One loop in a process of its own, an epoch whenever it is asked for."""
    faces = load_faces("fer2013", root)
    faces = faces.select(faces.parts == "train")
    epochs = loop(model, faces, load_catalogue().recipe(model, "best"))
    while connection.recv():
        start = time.perf_counter()
        seconds = next(epochs)
        connection.send((seconds, time.perf_counter() - start - seconds))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="xu-rescnn")
    parser.add_argument("--root", type=Path)
    parser.add_argument("--epochs", type=int, default=5)
    options = parser.parse_args()
    asks = []
    for loop in (usual_epochs, our_epochs):
        here, there = get_context("spawn").Pipe()
        get_context("spawn").Process(target=serve, args=(there, loop, options.model, options.root)).start()
        asks.append(here)
    seconds: list[list[float]] = [[], []]
    before = [0.0, 0.0]
    for _ in range(options.epochs):
        for index, ask in enumerate(asks):
            ask.send(True)
            epoch, extra = ask.recv()
            seconds[index].append(round(epoch, 1))
            before[index] = max(before[index], extra)
    for ask in asks:
        ask.send(False)
    usual, ours = seconds
    result = {
        "model": options.model,
        "usual_seconds": usual,
        "our_seconds": ours,
        "our_warm_up_seconds": round(before[1], 1),
        "ratio": round(statistics.median(usual[1:]) / statistics.median(ours[1:]), 2),
        "machine": f"{platform.machine()}, {torch.get_num_threads()} threads, torch {torch.__version__}",
    }
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
