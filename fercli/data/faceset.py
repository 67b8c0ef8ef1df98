"""The face set: what every loader gives and everything else takes."""

import hashlib
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

#: The side of a face in pixels.
SIDE = 48
#: Fractions of val and of test where a split has to be drawn and the set says nothing of it.
FRACTIONS = (0.1, 0.1)


@dataclass(frozen=True)
class FaceSet:
    """Labelled faces in memory.

    images [N, 1, 48, 48] uint8; labels [N] int64, indices into `classes`; `ids` name each face for people
    (a row or a file) and are unique; `subjects` are subject IDs where these are known, '' for a face without one;
    `splits` is the split that the set itself comes with ('train', 'val' or 'test' per face), None where it has none;
    `targets` [N, classes] float32 are what training aims at where that is more than the label: probabilities that
    sum to 1.
    `notes` are lines the user should read once (what was missing, left out, guessed).

    Raises ValueError where the arrays do not fit each other: that is a loader's bug, not a user's mistake.
    """

    name: str
    images: NDArray[np.uint8]
    labels: NDArray[np.int64]
    classes: tuple[str, ...]
    ids: tuple[str, ...]
    subjects: tuple[str, ...] | None = None
    splits: NDArray[np.str_] | None = None
    targets: NDArray[np.float32] | None = None
    notes: tuple[str, ...] = field(default=())
    #: fractions of val and of test where a split has to be drawn
    fractions: tuple[float, float] = FRACTIONS

    def __post_init__(self) -> None:
        count = len(self.labels)
        if self.images.shape != (count, 1, SIDE, SIDE) or self.images.dtype != np.uint8:
            raise ValueError(f"images are {self.images.dtype} {self.images.shape}, not uint8 ({count}, 1, 48, 48)")
        if len(self.ids) != count or len(set(self.ids)) != count:
            raise ValueError(f"{len(set(self.ids))} distinct ids for {count} faces")
        for other in (self.subjects, self.splits):
            if other is not None and len(other) != count:
                raise ValueError(f"{len(other)} subjects or splits for {count} faces")
        if self.targets is not None and self.targets.shape != (count, len(self.classes)):
            raise ValueError(f"targets are {self.targets.shape}, not {(count, len(self.classes))}")
        if count and not 0 <= self.labels.min() <= self.labels.max() < len(self.classes):
            raise ValueError(f"labels reach {self.labels.max()} with {len(self.classes)} classes")

    def __len__(self) -> int:
        return len(self.labels)

    def select(self, chosen: NDArray[np.bool_]) -> "FaceSet":
        """The faces where `chosen` [N] is true, in the same order."""
        indices = np.flatnonzero(chosen)
        return replace(
            self,
            images=self.images[indices],
            labels=self.labels[indices],
            ids=tuple(self.ids[index] for index in indices),
            subjects=None if self.subjects is None else tuple(self.subjects[index] for index in indices),
            splits=None if self.splits is None else self.splits[indices],
            targets=None if self.targets is None else self.targets[indices],
        )

    def relabel(self, labels: NDArray[np.int64], classes: tuple[str, ...]) -> "FaceSet":
        """The same faces with other labels [N] that index other class names, and without targets."""
        return replace(self, labels=labels, classes=classes, targets=None)

    @cached_property
    def fingerprint(self) -> str:
        """The SHA-256 of images, labels, class names and targets: equal sets in equal order have equal ones."""
        digest = hashlib.sha256(np.ascontiguousarray(self.images).data)
        digest.update(np.ascontiguousarray(self.labels).data)
        digest.update("\n".join(self.classes).encode())
        if self.targets is not None:
            digest.update(np.ascontiguousarray(self.targets).data)
        return digest.hexdigest()
