"""Which running statistics of batch norm fit the weights at validation: one training, validated three ways.

The statistics don't touch the weights while the rate is constant, so each epoch of one training under the network's
paper recipe (its schedule and early stopping left out) is validated with three sets of them: Keras' momentum 0.99
(PyTorch's 0.01), PyTorch's default 0.1, and statistics computed anew from training batches. Sizes are faces of
FER2013's training split, drawn by class; validation is always the same 500 faces of its val split. `cartoon` is the
drawn faces, split by person.

usage: python -m benchmarks.norm_statistics [--models bah-resnet …] [--sizes 500 1000 5000 28709 cartoon] [--root DIR]
"""

import argparse
import json
import statistics
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import torch
from torch import Tensor, nn

from benchmarks.rows import machine
from fercli.core.progress import SILENT
from fercli.core.recipe import Recipe, Schedule
from fercli.data.faceset import FaceSet
from fercli.data.load import load_faces
from fercli.data.splits import assign_splits
from fercli.models.catalogue import build_model, load_catalogue
from fercli.training.device import resolve_precision, seed_everything
from fercli.training.loop import Faces, _validate, fit, update_batchnorm
from fercli.training.state import TrainingState

#: Faces that are trained on in all, so that small sets get many epochs and large ones few.
BUDGET = 30_000


class Tracked(TrainingState):
    """A training that keeps running statistics of several momenta beside those of the network (momentum 0.1)."""

    def __init__(self, network: nn.Module, recipe: Recipe, faces: int, classes: int) -> None:
        super().__init__(network, recipe, faces, classes)
        norms = [layer for layer in network.modules() if isinstance(layer, nn.modules.batchnorm._BatchNorm)]
        for norm in norms:
            norm.momentum = 0.1
        self.current = [value for norm in norms for value in (norm.running_mean, norm.running_var)]
        self.before = [value.clone() for value in self.current]
        self.slow = [value.clone() for value in self.current]

    def update(self, loss: Tensor) -> None:
        super().update(loss)
        with torch.no_grad():
            for now, before, slow in zip(self.current, self.before, self.slow, strict=True):
                batch = (now - 0.9 * before) / 0.1  # what this step's batch alone had
                slow.lerp_(batch, 0.01)
                before.copy_(now)

    def swap(self, values: Sequence[Tensor]) -> list[Tensor]:
        """Put these statistics into the network; the ones that were there."""
        there = [value.clone() for value in self.current]
        for now, value in zip(self.current, values, strict=True):
            now.copy_(value)
        return there


def drawn(faces: FaceSet, split: str, count: int) -> Faces:
    """At most so many faces of a split, drawn by class in proportion."""
    splits = assign_splits(faces, 0) if faces.splits is None else faces.splits
    chosen = np.random.default_rng(0).permutation(np.flatnonzero(splits == split))
    labels = faces.labels[chosen]
    taken = np.concatenate(
        [chosen[labels == label][: round(count * (labels == label).mean())] for label in set(labels)]
    )
    return Faces(torch.from_numpy(faces.images[taken]), torch.from_numpy(faces.labels[taken]))


def measure(model: str, size: str, root: Path | None) -> dict[str, Any]:
    """One training: accuracy and loss of validation for each way, means over the last third of the epochs."""
    faces = load_faces("cartoon" if size == "cartoon" else "fer2013", root)
    train = drawn(faces, "train", 10**6 if size == "cartoon" else int(size))
    val = drawn(faces, "val", 500)
    entry = load_catalogue()[model]
    epochs = max(3, min(30, BUDGET // len(train)))
    recipe = entry.recipes["paper"].model_copy(
        update={"schedule": Schedule(), "early_stopping_patience": None, "epochs": epochs}
    )
    seed_everything(0)
    state = Tracked(build_model(model), recipe, len(train), len(faces.classes))
    precision = resolve_precision("auto", torch.device("cpu"), entry.bf16_on_cpu)
    last = max(1, epochs // 3)
    found: dict[str, list[tuple[float, float]]] = {"0.01": [], "0.1": [], "anew": []}
    start = time.perf_counter()
    # training itself computes them anew; here it is left with the running ones
    with patch("fercli.training.loop.update_batchnorm"):
        for row in fit(state, train, val, seed=0, precision=precision, compile_network=True, progress=SILENT):
            if row.epoch <= epochs - last:
                continue
            found["0.1"].append((row.val_loss, row.val_accuracy))
            fast = state.swap(state.slow)
            found["0.01"].append(_validate(state.network, val))
            order = torch.randperm(len(train), generator=torch.Generator().manual_seed(row.epoch))
            update_batchnorm(state, train, order, torch.Generator().manual_seed(row.epoch), precision)
            found["anew"].append(_validate(state.network, val))
            state.swap(fast)
    ways = {
        way: {
            "accuracy": round(100 * statistics.fmean(accuracy for _, accuracy in rows), 2),
            "loss": round(statistics.fmean(loss for loss, _ in rows), 3),
            "best accuracy": round(100 * max(accuracy for _, accuracy in rows), 2),
        }
        for way, rows in found.items()
    }
    return {
        "model": model, "faces": len(train), "set": faces.name, "epochs": epochs, "steps": state.steps_per_epoch,
        "train accuracy": round(100 * state.history[-1].train_accuracy, 2), "ways": ways,
        "seconds": round(time.perf_counter() - start),
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", nargs="+", default=["bah-resnet", "xu-rescnn", "mini-xception"])
    parser.add_argument("--sizes", nargs="+", default=["500", "1000", "5000", "28709", "cartoon"])
    parser.add_argument("--root", type=Path)
    options = parser.parse_args()
    print(f"{machine()}", flush=True)
    for model in options.models:
        for size in options.sizes:
            print(json.dumps(measure(model, size, options.root)), flush=True)


if __name__ == "__main__":
    main()
