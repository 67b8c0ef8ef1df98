"""Near duplicates: faces cut from one photograph again, shifted a little, scaled, lit or compressed otherwise.

A perceptual hash names candidates, the pixels confirm them. The thresholds below were chosen on FER2013's train and
val splits (32,298 faces), by looking at 24 random pairs in each step of the score. They are for photographs: drawings
by one hand may agree as well as one photograph cut twice.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from fercli.data.faceset import SIDE

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
