"""One epoch of a network on FER2013's training part: this project's loop beside the usual one, in one run.

The usual loop: pictures in memory, torchvision's transforms one picture at a time, a DataLoader with two
workers, the network eager. Ours: faces on the device as uint8, augmentation of a whole batch, the network
compiled (its warm-up is timed apart). Same batch size, optimiser, kinds of augmentation and threads.
The figure is the ratio; seconds depend on the machine.

usage: python -m benchmarks.training_epoch [--model xu-rescnn] [--root DIR] [--epochs 2]
"""

import argparse
import json
import platform
import time
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
from fercli.training.optimise import make_optimizer
from fercli.training.state import TrainingState


class Pictures(Dataset):
    """What ImageFolder gives once its files are in memory: a picture, its transforms, its label."""

    def __init__(self, faces: FaceSet, transform: transforms.Compose) -> None:
        self.pictures = [Image.fromarray(image[0]) for image in faces.images]
        self.labels = faces.labels.tolist()
        self.transform = transform

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, int]:
        return self.transform(self.pictures[index]), self.labels[index]


def usual_epochs(model: str, faces: FaceSet, recipe: Recipe, epochs: int) -> list[float]:
    """Seconds of each epoch of the usual loop."""
    amounts = recipe.augment
    shift, zoom = (amounts.shift, amounts.shift), (1 / (1 + amounts.zoom), 1 + amounts.zoom)
    moves = transforms.RandomAffine(amounts.rotate, shift, zoom, interpolation=transforms.InterpolationMode.BILINEAR)
    light = transforms.ColorJitter(amounts.brightness, amounts.contrast)
    transform = transforms.Compose([transforms.RandomHorizontalFlip(), moves, light, transforms.ToTensor()])
    pictures = Pictures(faces, transform)
    loader = DataLoader(pictures, recipe.batch_size, True, num_workers=2, drop_last=True, persistent_workers=True)
    network = build_model(model).train()
    optimizer = make_optimizer(network.parameters(), recipe.optimizer)
    seconds = []
    for _ in range(epochs):
        start = time.perf_counter()
        for batch, labels in loader:
            loss = F.cross_entropy(network(batch * 255), labels, label_smoothing=recipe.label_smoothing)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        seconds.append(time.perf_counter() - start)
    return seconds


def our_epochs(model: str, faces: FaceSet, recipe: Recipe, epochs: int) -> tuple[float, list[float]]:
    """Seconds of compiling, and of each epoch of `fer train`'s own loop without its validation."""
    train = Faces(torch.from_numpy(faces.images), torch.from_numpy(faces.labels))
    val = Faces(train.images[:1], train.labels[:1])
    settings = recipe.model_copy(update={"epochs": epochs})
    state = TrainingState(build_model(model), settings, len(train), len(faces.classes))
    start = time.perf_counter()
    rows = list(fit(state, train, val, seed=0, precision="fp32", compile_network=True, listener=Listener()))
    seconds = [row.seconds for row in rows]
    return time.perf_counter() - start - sum(seconds), seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="xu-rescnn")
    parser.add_argument("--root", type=Path)
    parser.add_argument("--epochs", type=int, default=2)
    options = parser.parse_args()
    faces = load_faces("fer2013", options.root)
    faces = faces.select(faces.parts == "train")
    recipe = load_catalogue().recipe(options.model, "best")
    usual = usual_epochs(options.model, faces, recipe, options.epochs)
    warm_up, ours = our_epochs(options.model, faces, recipe, options.epochs)
    result = {
        "model": options.model,
        "faces": len(faces),
        "batch_size": recipe.batch_size,
        "usual_seconds": [round(value, 1) for value in usual],
        "our_seconds": [round(value, 1) for value in ours],
        "our_warm_up_seconds": round(warm_up, 1),
        "ratio": round(min(usual) / min(ours), 2),
        "machine": f"{platform.machine()}, {torch.get_num_threads()} threads, torch {torch.__version__}",
    }
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
