"""Faces of another set that a network trains on beside those of its own."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from fercli.core.config import RunConfig
from fercli.core.errors import DataError
from fercli.core.progress import Steps, unheard
from fercli.data.faceset import FaceSet
from fercli.data.leaks import shared
from fercli.data.sets import SETS, load_faces
from fercli.data.splits import split
from fercli.training.loop import Faces

#: The extra set is split by this seed whatever the run's is, so that its test part is the same for every network.
SEED = 0


@dataclass(frozen=True)
class Extra:
    """The training part of another set, its labels those of the network. `record` says which set it is."""

    faces: FaceSet
    record: dict[str, Any]

    def kept(self, own: FaceSet, parts: NDArray[np.str_]) -> FaceSet:
        """Those whose picture does not stand in val or test of the run's own set, byte by byte."""
        both = FaceSet(
            name=own.name,
            images=np.concatenate([own.images, self.faces.images]),
            labels=np.concatenate([own.labels, self.faces.labels]),
            classes=own.classes,
            ids=tuple(map(str, range(len(own) + len(self.faces)))),
        )
        everywhere = np.concatenate([parts, np.full(len(self.faces), "extra")])
        return self.faces.select(~shared(both, everywhere, "extra", "val", "test")[len(own) :])


def load_extra(config: RunConfig, classes: tuple[str, ...], steps: Steps = unheard) -> Extra | None:
    """The extra faces that a run's settings ask for; None where they ask for none.

    Raises DataError where there is no such set, or where it shares no class with the network.
    """
    if config.extra is None:
        return None
    faces = load_faces(config.extra, Path(config.root) if config.root else None, steps=steps)
    order = np.array([classes.index(name) if name in classes else -1 for name in faces.classes], dtype=np.int64)
    labels = order[faces.labels]
    chosen = (split(faces, SEED) == "train") & (labels >= 0)
    if not chosen.any():
        raise DataError(f"--extra {config.extra}: none of its training faces is {', '.join(classes)}")
    if (most := config.recipe.max_extra_per_class) is not None:
        chosen &= _few_of_each(np.where(chosen, labels, -1), most)
    record = {
        "data": faces.name,
        "set": config.extra if config.extra in SETS else None,
        "fingerprint": faces.fingerprint,
        "faces": int(chosen.sum()),
    }
    return Extra(faces.select(chosen).relabel(labels[chosen], classes), record)


def _few_of_each(labels: NDArray[np.int64], most: int) -> NDArray[np.bool_]:
    """At random at most so many faces of each class, the same ones in every run: which of the labels [N] are taken,
    none of those below 0."""
    drawn = np.random.default_rng(SEED).permutation(len(labels))
    taken = np.zeros(len(labels), dtype=np.bool_)
    for label in range(labels.max() + 1):
        taken[drawn[labels[drawn] == label][:most]] = True
    return taken


def joined(own: Faces, extra: FaceSet) -> Faces:
    """The run's own training faces, and the extra ones behind them, on the device of the former."""
    device = own.images.device
    labels = torch.from_numpy(extra.labels).to(device)
    targets: Tensor | None = None
    if own.targets is not None:
        targets = torch.cat([own.targets, F.one_hot(labels, own.targets.shape[1]).float()])
    images = torch.cat([own.images, torch.from_numpy(extra.images).to(device)])
    return Faces(images, torch.cat([own.labels, labels]), targets)
