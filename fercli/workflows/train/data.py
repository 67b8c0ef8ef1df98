"""The faces of a training: the set that the settings name, its split, and both as tensors on the device."""

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
from fercli.core.progress import Listener, ProgressCallback, no_progress
from fercli.data.faceset import FaceSet
from fercli.data.quality.leaks import DROPPED, describe_leak, drop_leaks, find_shared
from fercli.data.sets import SETS, load_faces
from fercli.data.splits import split
from fercli.training.loop import Faces

#: The extra set is split by this seed whatever the run's is, so that its test part is the same for every network.
EXTRA_SEED = 0


def load_set(config: RunConfig, progress: ProgressCallback = no_progress) -> FaceSet:
    """The face set that a run's settings name. Raises DataError where there is none."""
    return load_faces(config.data, Path(config.root) if config.root else None, config.reading, progress)


@dataclass(frozen=True)
class Extra:
    """The training part of another set, its labels those of the network. `record` says which set it is."""

    faces: FaceSet
    record: dict[str, Any]

    def without(self, own: FaceSet, parts: NDArray[np.str_]) -> FaceSet:
        """Its faces, those left out whose picture stands in val or test of the run's own set, byte by byte."""
        both = FaceSet(
            name=own.name,
            images=np.concatenate([own.images, self.faces.images]),
            labels=np.concatenate([own.labels, self.faces.labels]),
            classes=own.classes,
            ids=tuple(map(str, range(len(own) + len(self.faces)))),
        )
        everywhere = np.concatenate([parts, np.full(len(self.faces), "extra")])
        return self.faces.select(~find_shared(both, everywhere, "extra", "val", "test")[len(own) :])


def load_extra(config: RunConfig, classes: tuple[str, ...], progress: ProgressCallback = no_progress) -> Extra | None:
    """The extra faces that a run's settings ask for; None where they ask for none.

    Raises DataError where there is no such set, or where it shares no class with the network.
    """
    if config.extra is None:
        return None
    faces = load_faces(config.extra, Path(config.root) if config.root else None, progress=progress)
    order = np.array([classes.index(name) if name in classes else -1 for name in faces.classes], dtype=np.int64)
    labels = order[faces.labels]
    chosen = (split(faces, EXTRA_SEED) == "train") & (labels >= 0)
    if not chosen.any():
        raise DataError(f"--extra {config.extra}: none of its training faces is {', '.join(classes)}")
    if (most := config.recipe.max_extra_per_class) is not None:
        chosen &= _draw_of_each(np.where(chosen, labels, -1), most)
    record = {
        "data": faces.name,
        "set": config.extra if config.extra in SETS else None,
        "fingerprint": faces.fingerprint,
        "faces": int(chosen.sum()),
    }
    return Extra(faces.select(chosen).relabel(labels[chosen], classes), record)


def _draw_of_each(labels: NDArray[np.int64], most: int) -> NDArray[np.bool_]:
    """At random at most so many faces of each class, the same ones in every run: which of the labels [N] are taken,
    none of those below 0."""
    order = np.random.default_rng(EXTRA_SEED).permutation(len(labels))
    taken = np.zeros(len(labels), dtype=np.bool_)
    for label in range(labels.max() + 1):
        taken[order[labels[order] == label][:most]] = True
    return taken


class TrainingData:
    """A face set, the part of each face, and the train and val parts as tensors on the device."""

    train: Faces
    val: Faces
    parts: NDArray[np.str_]

    def __init__(
        self,
        config: RunConfig,
        device: torch.device,
        listener: Listener,
        faces: FaceSet | None = None,
        parts: NDArray[np.str_] | None = None,
        *,
        validates: bool = True,
    ) -> None:
        """`faces` are the set that the settings name, where it is loaded already; `parts` [N] the part of each face,
        where it is not for the settings to draw them. Without `validates`, val is the train part.

        Raises DataError where there is no such set, or too little to train with.
        """
        self._config, self._device, self._listener = config, device, listener
        self.faces = load_set(config, listener.loading) if faces is None else faces
        for note in self.faces.notes if faces is None else ():
            listener.say(note)
        self.extra = load_extra(config, self.faces.classes, listener.loading)
        self.use_split(self._draw_split() if parts is None else parts, validates=validates)

    def use_split(self, parts: NDArray[np.str_], *, validates: bool = True) -> None:
        """Take this part of each face [N]. Raises DataError where there is too little to train with."""
        self.parts = parts
        self.train = self._part("train")
        if self.extra is not None:
            extra = self.extra.without(self.faces, parts)
            self._listener.say(f"training on {len(extra):,} faces of {extra.name} too")
            self.train = append_faces(self.train, extra)
        self.val = self._part("val") if validates else self.train

    def _draw_split(self) -> NDArray[np.str_]:
        """The split that the settings draw, and a word on pictures that stand on both sides of it."""
        config, faces = self._config, self.faces
        parts = split(faces, config.seed, group=config.group, val_fraction=config.recipe.val_fraction)
        if config.drop_leaks:
            parts = drop_leaks(faces, parts)
            dropped = int((parts == DROPPED).sum())
            self._listener.say(f"left {dropped:,} faces out of training whose picture stands in val or test too")
        for note in filter(None, (describe_leak(faces, parts, part) for part in ("val", "test"))):
            self._listener.say(f"note: {note}")
        return parts

    def _part(self, part: str) -> Faces:
        """A part's faces on the device. Raises DataError where it has fewer than two."""
        positions = np.flatnonzero(self.parts == part)
        if len(positions) < 2:
            raise DataError(
                f"{self._config.data} leaves {len(positions)} faces for the {part} part: too few to train with"
            )
        images = torch.from_numpy(self.faces.images[positions]).to(self._device)
        labels = torch.from_numpy(self.faces.labels[positions]).to(self._device)
        targets = self.faces.targets
        return Faces(images, labels, None if targets is None else torch.from_numpy(targets[positions]).to(self._device))


def append_faces(own: Faces, extra: FaceSet) -> Faces:
    """The run's own training faces, and the extra ones behind them, on the device of the former."""
    device = own.images.device
    labels = torch.from_numpy(extra.labels).to(device)
    targets: Tensor | None = None
    if own.targets is not None:
        targets = torch.cat([own.targets, F.one_hot(labels, own.targets.shape[1]).float()])
    images = torch.cat([own.images, torch.from_numpy(extra.images).to(device)])
    return Faces(images, torch.cat([own.labels, labels]), targets)
