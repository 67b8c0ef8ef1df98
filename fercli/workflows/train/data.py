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
from fercli.core.progress import Progress, ProgressCallback, no_progress
from fercli.core.text import format_count
from fercli.data.faceset import FaceSet
from fercli.data.load import SETS, load_faces
from fercli.data.quality.leaks import DROPPED, describe_leak, drop_leaks, find_shared
from fercli.data.splits import EXTRA_RULE, EXTRA_SEED, assign_splits, split_extra
from fercli.training.loop import Faces

#: Validation faces below which the choice of an epoch says little: one face is more than two points of accuracy.
_FEW = 50


def load_set(config: RunConfig, progress: ProgressCallback = no_progress) -> FaceSet:
    """The face set that a run's settings name. Raises DataError where there is none."""
    return load_faces(config.data, Path(config.root) if config.root else None, config.load_options, progress)


def load_training_faces(config: RunConfig, progress: Progress) -> tuple[FaceSet, "Extra | None"]:
    """The face set that a run's settings name, and the extra one if they name one. Raises DataError where one is not
    there."""
    faces = load_set(config, progress.update)
    for note in faces.notes:
        progress.say(note)
    return faces, load_extra(config, faces.classes, progress.update)


@dataclass(frozen=True)
class Extra:
    """The training split of another set, its labels those of the network. `record` says which set it is."""

    faces: FaceSet
    record: dict[str, Any]

    def without(self, own: FaceSet, splits: NDArray[np.str_]) -> FaceSet:
        """Its faces, those left out whose picture stands in val or test of the run's own set, byte by byte."""
        both = FaceSet(
            name=own.name,
            images=np.concatenate([own.images, self.faces.images]),
            labels=np.concatenate([own.labels, self.faces.labels]),
            classes=own.classes,
            ids=tuple(map(str, range(len(own) + len(self.faces)))),
        )
        everywhere = np.concatenate([splits, np.full(len(self.faces), "extra")])
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
    chosen = (split_extra(faces) == "train") & (labels >= 0)
    if not chosen.any():
        raise DataError(f"--extra {config.extra}: none of its training faces is {', '.join(classes)}")
    if (most := config.recipe.max_extra_per_class) is not None:
        chosen &= _sample_per_class(np.where(chosen, labels, -1), most)
    record = {
        "data": faces.name,
        "set": config.extra if config.extra in SETS else None,
        "fingerprint": faces.fingerprint,
        "rule": EXTRA_RULE,
        "faces": int(chosen.sum()),
    }
    return Extra(faces.select(chosen).relabel(labels[chosen], classes), record)


def _sample_per_class(labels: NDArray[np.int64], most: int) -> NDArray[np.bool_]:
    """At random at most so many faces of each class, the same ones in every run: which of the labels [N] are taken,
    none of those below 0."""
    order = np.random.default_rng(EXTRA_SEED).permutation(len(labels))
    taken = np.zeros(len(labels), dtype=np.bool_)
    for label in range(labels.max() + 1):
        taken[order[labels[order] == label][:most]] = True
    return taken


def draw_split(config: RunConfig, faces: FaceSet) -> NDArray[np.str_]:
    """The split of each face [N], drawn as the settings say."""
    splits = assign_splits(faces, config.seed, group=config.group, val_fraction=config.recipe.val_fraction)
    return drop_leaks(faces, splits) if config.drop_leaks else splits


def note_splits(config: RunConfig, faces: FaceSet, splits: NDArray[np.str_], progress: Progress) -> None:
    """Say which pictures stand in val or test and in train too, how many were left out for it, and that there are few
    faces to validate on."""
    if config.drop_leaks:
        dropped = int((splits == DROPPED).sum())
        progress.say(f"left {format_count(dropped, 'face')} out of training whose picture stands in val or test too")
    for note in filter(None, (describe_leak(faces, splits, split) for split in ("val", "test"))):
        progress.say(f"note: {note}")
    if 1 < (count := int((splits == "val").sum())) < _FEW:
        progress.say(f"note: only {count} validation faces: which epoch is best depends on chance")


@dataclass(frozen=True)
class TrainingData:
    """A face set, the split of each face [N], the extra faces if there are any, and the train and val splits as tensors
    on the device."""

    faces: FaceSet
    splits: NDArray[np.str_]
    extra: Extra | None
    device: torch.device
    train: Faces
    val: Faces


def prepare_data(
    config: RunConfig,
    faces: FaceSet,
    splits: NDArray[np.str_],
    device: torch.device,
    progress: Progress,
    *,
    extra: Extra | None = None,
    validates: bool = True,
) -> TrainingData:
    """Move the train and val splits of a face set to the device. Without `validates`, val is the train split.

    Raises DataError where there is too little to train with.
    """
    train = _move_split(config, faces, splits, "train", device)
    if extra is not None:
        added = extra.without(faces, splits)
        progress.say(f"training on {len(added):,} faces of {added.name} too")
        train = append_faces(train, added)
    val = _move_split(config, faces, splits, "val", device) if validates else train
    return TrainingData(faces, splits, extra, device, train, val)


def _move_split(config: RunConfig, faces: FaceSet, splits: NDArray[np.str_], split: str, device: torch.device) -> Faces:
    """A split's faces on the device. Raises DataError where it has fewer than two."""
    positions = np.flatnonzero(splits == split)
    if len(positions) < 2:
        count = format_count(len(positions), "face")
        raise DataError(f"{config.data} leaves {count} for the {split} split: too few to train with")
    images = torch.from_numpy(faces.images[positions]).to(device)
    labels = torch.from_numpy(faces.labels[positions]).to(device)
    targets = None if faces.targets is None else torch.from_numpy(faces.targets[positions]).to(device)
    return Faces(images, labels, targets)


def append_faces(own: Faces, extra: FaceSet) -> Faces:
    """The run's own training faces, and the extra ones behind them, on the device of the former."""
    device = own.images.device
    labels = torch.from_numpy(extra.labels).to(device)
    targets: Tensor | None = None
    if own.targets is not None:
        targets = torch.cat([own.targets, F.one_hot(labels, own.targets.shape[1]).float()])
    images = torch.cat([own.images, torch.from_numpy(extra.images).to(device)])
    return Faces(images, torch.cat([own.labels, labels]), targets)
