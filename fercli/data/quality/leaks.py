"""Pictures and subjects that training shares with what is measured: they make figures look better than they are."""

from collections import defaultdict
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from fercli.data.faceset import FaceSet
from fercli.data.quality.duplicates import group_identical

#: The split of training faces that were taken out because val or test has the same picture.
DROPPED = "dropped"
#: The splits from the one that is trained on to the one that is measured last.
LEAK_ORDER = ("train", "spare", "val", "test")


def find_leaks(
    groups: Sequence[NDArray[np.int64]], splits: NDArray[np.str_]
) -> dict[tuple[str, str], NDArray[np.int64]]:
    """Faces that an earlier split has too, by (their split, the earlier one): ('val', 'train') and so on.

    `groups` are from `list_duplicates`, `splits` [N] from `data.splits.assign_splits`. Pairs of splits without such
    faces are left out.
    """
    found: dict[tuple[str, str], list[int]] = defaultdict(list)
    for members in groups:
        present = [split for split in LEAK_ORDER if (splits[members] == split).any()]
        for position, later in enumerate(present):
            for earlier in present[:position]:
                found[later, earlier] += members[splits[members] == later].tolist()
    return {pair: np.unique(np.array(faces, dtype=np.int64)) for pair, faces in found.items()}


def find_divided_subjects(subjects: Sequence[str], splits: NDArray[np.str_]) -> dict[str, NDArray[np.int64]]:
    """The subjects with faces in more than one split, and their faces. '', an unknown subject, is left out."""
    faces: dict[str, list[int]] = defaultdict(list)
    for face, subject in enumerate(subjects):
        if subject:
            faces[subject].append(face)
    groups = {subject: np.array(members, dtype=np.int64) for subject, members in faces.items()}
    return {subject: members for subject, members in groups.items() if len(np.unique(splits[members])) > 1}


def find_shared(faces: FaceSet, splits: NDArray[np.str_], split: str, *others: str) -> NDArray[np.bool_]:
    """Which faces [N] of a split have the same picture, byte by byte, as one of the other splits."""
    groups = group_identical(faces.images)
    shared: NDArray[np.bool_] = (splits == split) & np.isin(groups, groups[np.isin(splits, others)])
    return shared


def drop_leaks(faces: FaceSet, splits: NDArray[np.str_]) -> NDArray[np.str_]:
    """The splits [N] with those training faces 'dropped' whose picture is in val or test too."""
    out = splits.astype("<U7")
    out[find_shared(faces, splits, "train", "val", "test")] = DROPPED
    return out


def describe_leak(faces: FaceSet, splits: NDArray[np.str_], split: str) -> str:
    """What is to be said of a split whose pictures are in train too; '' where none is."""
    count = int(find_shared(faces, splits, split, "train").sum())
    total = int((splits == split).sum())
    if not count:
        return ""
    return (
        f"{count:,} of {total:,} {split} faces are in train too, pixel by pixel, which makes the figures look better: "
        "fer train --drop-leaks takes them out of training"
    )
