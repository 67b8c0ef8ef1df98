"""Duplicates, near duplicates, blank faces and small classes: what is wrong with a set, found without a model.

All functions take and give indices into the set: 0 to N - 1.

Near duplicates are faces cut from one photograph again, shifted a little, scaled, lit or compressed otherwise. A
perceptual hash names candidates, the pixels confirm them. The thresholds below were chosen on FER2013's train and val
splits (32,298 faces), by looking at 24 random pairs in each step of the score. They are for photographs: drawings by
one hand may agree as well as one photograph cut twice.
"""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from fercli.data.faceset import SIDE

#: A frame whose gray values (0 to 255) deviate by less than this is blank. FER2013's emptiest frames lie at 0, 0.7
#: and 4.1, the darkest real face at 9.1.
MIN_DEVIATION = 5.0
#: A frame is blank too when more than this fraction of its pixels have one and the same value. In FER2013 all above are
#: warning signs and 'picture not available'; the first drawing of a face lies at 0.49.
MAX_PLAIN_FRACTION = 0.5
#: Bits of a hash that may differ in a candidate. Two more would add 284 pairs to the 2,655 that are confirmed, for
#: 61,000 candidates instead of 13,000.
MAX_BITS = 10
#: Least agreement of the fine detail, -1 to 1. Among candidates it has two heaps, different people around 0.25 and
#: one photograph around 0.85. From 0.60 to 0.65, 1 of 24 pairs looked at was of two photographs, from 0.55 to 0.60
#: 3 were, above 0.65 none.
MIN_AGREEMENT = 0.6
#: How far two frames may be shifted against each other, in pixels.
SHIFT = 4
#: Light and shade coarser than this (a Gaussian's sigma in pixels) is alike in most faces, and is left out.
_COARSE = 2.0
#: Side of the plane of the Fourier transform: frame and shift fit in, so that nothing wraps around.
_PLANE = 56
#: Rows of the table of all pairs at once, and pairs compared at once: they bound the memory to some 200 MB.
_ROWS, _PAIRS = 512, 4096


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


def find_near_duplicates(images: NDArray[np.uint8]) -> NDArray[np.int64]:
    """The pairs [K, 2] of images that come from one photograph, the lower index first, in rising order.

    `images` [N, 1, 48, 48] should differ from each other and not be blank: leave duplicates out before. Time grows
    with the square of N.
    """
    confirmed = [np.empty((0, 2), np.int64)]
    for pairs in _list_candidates(hash_images(images)):
        confirmed += [
            some[_measure_agreement(images, some) >= MIN_AGREEMENT]
            for some in (pairs[start : start + _PAIRS] for start in range(0, len(pairs), _PAIRS))
        ]
    return np.concatenate(confirmed)


def hash_images(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Perceptual hashes [N, 63] of -1 and 1: which of the lowest frequencies, the mean left out, lie above their
    median."""
    from scipy.fft import dctn

    waves = dctn(images[:, 0].astype(np.float32), axes=(1, 2), norm="ortho")
    low = waves[:, :8, :8].reshape(len(images), 64)[:, 1:]
    return np.where(low > np.median(low, axis=1, keepdims=True), np.float32(1), np.float32(-1))


def _list_candidates(signs: NDArray[np.float32]) -> Iterator[NDArray[np.int64]]:
    """Pairs [K, 2] whose hashes differ in few bits, a block of rows at a time."""
    # equal less unequal signs: a matrix product counts as fast as a popcount, and NumPy 1 has none
    least = signs.shape[1] - 2 * MAX_BITS
    for start in range(0, len(signs), _ROWS):
        first, second = np.nonzero(signs[start : start + _ROWS] @ signs[start:].T >= least)
        pairs = np.stack((first, second), axis=1)[first < second]
        yield pairs + start


def _measure_agreement(images: NDArray[np.uint8], pairs: NDArray[np.int64]) -> NDArray[np.float32]:
    """How well the fine detail of each pair agrees [K], about -1 to 1, at the shift where it agrees best."""
    from scipy.fft import irfft2

    faces, indices = np.unique(pairs, return_inverse=True)
    waves = _transform_detail(images[faces])
    one, other = indices.reshape(pairs.shape).T
    # as the Fourier transform has them: those to the left and above come last
    shifts = np.r_[0 : SHIFT + 1, -SHIFT:0]
    sums = irfft2(waves[one] * waves[other].conj(), (_PLANE, _PLANE))[:, shifts][:, :, shifts]
    overlap = (SIDE - np.abs(shifts)) / SIDE
    best: NDArray[np.float32] = (sums / np.outer(overlap, overlap)).max(axis=(1, 2))
    return best


def _transform_detail(images: NDArray[np.uint8]) -> NDArray[np.complex64]:
    """The spectra of the images' fine detail, each of length 1."""
    from scipy.fft import rfft2
    from scipy.ndimage import gaussian_filter

    pixels = images[:, 0].astype(np.float32)
    pixels -= gaussian_filter(pixels, (0, _COARSE, _COARSE))
    pixels /= np.maximum(np.linalg.norm(pixels, axis=(1, 2), keepdims=True), 1e-6)
    spectra: NDArray[np.complex64] = rfft2(pixels, (_PLANE, _PLANE))
    return spectra
