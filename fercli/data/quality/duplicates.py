"""Identical faces, blank ones and small classes: what can be wrong with a face set, found without a model.

All functions take and give indices into the set: 0 to N - 1.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

#: A frame whose gray values (0 to 255) deviate by less than this is blank. FER2013's emptiest frames lie at 0, 0.7
#: and 4.1, the darkest real face at 9.1.
MIN_DEVIATION = 5.0
#: A frame is blank too when more than this fraction of its pixels have one and the same value. In FER2013 all above are
#: warning signs and 'picture not available'; the first drawing of a face lies at 0.49.
MAX_PLAIN_FRACTION = 0.5


def group_identical(images: NDArray[np.uint8]) -> NDArray[np.int64]:
    """The group [N] of each image: the same number where all bytes are the same, counted from 0 as they come.

    Takes images [N, …]. 30,000 faces take 0.1 s.
    """
    groups: dict[bytes, int] = {}
    return np.array([groups.setdefault(image.tobytes(), len(groups)) for image in images], dtype=np.int64)


def list_duplicates(groups: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    """The faces of every group that has more than one, in rising order; `groups` [N] is from `group_identical`."""
    order = np.argsort(groups, kind="stable")
    starts = np.flatnonzero(np.diff(groups[order])) + 1
    return [members for members in np.split(order, starts) if len(members) > 1]


def select_differing(groups: Sequence[NDArray[np.int64]], values: NDArray[np.generic]) -> list[NDArray[np.int64]]:
    """Those groups of faces whose members do not all have the same value of `values` [N]: a label, a split."""
    return [members for members in groups if (values[members] != values[members[0]]).any()]


def find_constant(images: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Which images [N, 1, 48, 48] have one gray value only [N]."""
    pixels = _flatten(images)
    flat: NDArray[np.bool_] = (pixels == pixels[:, :1]).all(axis=1)
    return flat


def find_blank(images: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Which images [N, 1, 48, 48] show next to nothing [N], constant ones included."""
    pixels = _flatten(images)
    # in blocks, because deviations of all pixels at once would take eight times the set's memory
    blocks = np.array_split(pixels, max(1, len(pixels) // 1024))
    dull = np.concatenate([block.std(axis=1) < MIN_DEVIATION for block in blocks])
    most = int(MAX_PLAIN_FRACTION * pixels.shape[1])
    # a value that more than half the pixels have is their median: no need to count the others
    plain = np.concatenate([_count_median(block) > most for block in blocks])
    empty: NDArray[np.bool_] = dull | plain
    return empty


def _count_median(pixels: NDArray[np.uint8]) -> NDArray[np.int64]:
    """How many pixels of each row [N] have the value of the row's median."""
    middle = np.partition(pixels, pixels.shape[1] // 2, axis=1)[:, pixels.shape[1] // 2]
    count: NDArray[np.int64] = (pixels == middle[:, None]).sum(axis=1)
    return count


def find_small_classes(labels: NDArray[np.int64], classes: Sequence[str], least: int) -> dict[str, int]:
    """The classes with fewer than `least` faces, and how many they have."""
    counts = np.bincount(labels, minlength=len(classes)).tolist()
    return {name: count for name, count in zip(classes, counts, strict=True) if count < least}


def connect_pairs(pairs: NDArray[np.int64], count: int) -> list[NDArray[np.int64]]:
    """The groups of faces that `pairs` [K, 2] join, directly or through others, of `count` faces in all."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    links = coo_array((np.ones(len(pairs), np.int8), (pairs[:, 0], pairs[:, 1])), shape=(count, count))
    _, groups = connected_components(links, directed=False)
    return list_duplicates(groups.astype(np.int64))


def _flatten(images: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Each image's pixels as a row [N, pixels]."""
    return images.reshape(len(images), images[0].size if len(images) else 1)
