"""Pictures that training shares with what is measured: a network that has seen them flatters itself."""

import numpy as np
from numpy.typing import NDArray

from fercli.data.faceset import FaceSet
from fercli.data.quality.duplicates import identical

#: The part of training faces that were taken out because val or test has the same picture.
DROPPED = "dropped"


def shared(faces: FaceSet, parts: NDArray[np.str_], part: str, *others: str) -> NDArray[np.bool_]:
    """Which faces [N] of a part have the same picture, byte by byte, as one of the other parts."""
    groups = identical(faces.images)
    found: NDArray[np.bool_] = (parts == part) & np.isin(groups, groups[np.isin(parts, others)])
    return found


def without_leaks(faces: FaceSet, parts: NDArray[np.str_]) -> NDArray[np.str_]:
    """The split with those training faces 'dropped' whose picture stands in val or test too."""
    out = parts.astype("<U7")
    out[shared(faces, parts, "train", "val", "test")] = DROPPED
    return out


def leak_note(faces: FaceSet, parts: NDArray[np.str_], part: str) -> str:
    """What is to be said of a part whose pictures stand in train too; '' where none does."""
    count = int(shared(faces, parts, part, "train").sum())
    total = int((parts == part).sum())
    if not count:
        return ""
    return (
        f"{count:,} of {total:,} {part} faces stand in train too, pixel by pixel, which flatters: "
        "fer train --drop-leaks takes them out of training"
    )
