"""Faces cut from one photograph more than once, among others."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fercli.data.quality.near_duplicates import find_near_duplicates, hash_images


@pytest.fixture(scope="module")
def near(noise_picture: Callable[..., np.ndarray], cut: Callable[..., np.ndarray]) -> np.ndarray:
    """Twenty photographs [25, 1, 48, 48], and five of them once more: shifted, lit otherwise, with a mark, noisier."""
    pictures = [noise_picture(number) for number in range(20)]
    faces = [cut(picture) for picture in pictures]
    marked = pictures[3].copy()
    marked[38:41, 15:30] += 30
    noise = np.random.default_rng(0).normal(0, 4, (60, 60))
    again = [
        cut(pictures[0], 7, 5),
        (cut(pictures[1]) * 0.6 + 20).astype(np.uint8),
        cut(pictures[2], 4, 7),
        cut(marked),
        cut(np.clip(pictures[4] + noise, 0, 255).astype(np.uint8), 7, 6),
    ]
    return np.array([*faces, *again])


def test_faces_cut_from_one_photograph_are_found_and_no_others(near):
    assert find_near_duplicates(near).tolist() == [[number, 20 + number] for number in range(5)]


@settings(max_examples=10, deadline=None)
@given(st.permutations(range(25)))
def test_near_duplicates_do_not_depend_on_the_order(near, order):
    found = {frozenset(order[place] for place in pair) for pair in find_near_duplicates(near[np.array(order)]).tolist()}
    assert found == {frozenset((number, 20 + number)) for number in range(5)}


def test_blocks_do_not_change_what_is_found(near, monkeypatch):
    monkeypatch.setattr("fercli.data.quality.near_duplicates._ROWS", 3)
    monkeypatch.setattr("fercli.data.quality.near_duplicates._PAIRS", 2)
    assert find_near_duplicates(near).tolist() == [[number, 20 + number] for number in range(5)]


def test_too_few_faces_have_no_near_duplicates(near):
    for count in (0, 1):
        assert find_near_duplicates(near[:count]).shape == (0, 2)


def test_hashes_have_as_many_bits_of_either_kind(near):
    signs = hash_images(near)
    assert signs.shape == (25, 63)
    assert set(np.abs(signs.sum(axis=1)).tolist()) == {1}
