"""Duplicates and other faults: every check against what was put in, and against the plain way to find it."""

from collections import defaultdict
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fercli.data.cartoon import cartoon
from fercli.data.quality import duplicates
from fercli.data.quality.duplicates import find_near_duplicates, hash_images


def as_lists(groups):
    return [members.tolist() for members in groups]


@given(st.lists(st.integers(0, 5), max_size=30))
def test_identical_groups_are_those_of_a_plain_search(numbers):
    images = np.array([np.full((1, 48, 48), number, np.uint8) for number in numbers], np.uint8).reshape(-1, 1, 48, 48)
    groups = duplicates.group_identical(images)
    assert groups.shape == (len(numbers),)
    for one, first in enumerate(numbers):
        for other, second in enumerate(numbers):
            assert (groups[one] == groups[other]) == (first == second)
    wanted = defaultdict(list)
    for index, number in enumerate(numbers):
        wanted[number].append(index)
    assert as_lists(duplicates.list_duplicates(groups)) == [members for members in wanted.values() if len(members) > 1]


def test_one_pixel_tells_images_apart():
    images = np.zeros((3, 1, 48, 48), np.uint8)
    images[1, 0, 47, 47] = 1
    assert duplicates.group_identical(images).tolist() == [0, 1, 0]
    assert duplicates.group_identical(images[:0]).tolist() == []


def test_groups_that_differ():
    groups = [np.array(members) for members in ([0, 1], [2, 3, 4], [5, 6], [7, 8])]
    splits = np.array(["train", "val", "train", "test", "val", "train", "train", "val", "val"])
    assert as_lists(duplicates.select_differing(groups, splits)) == [[0, 1], [2, 3, 4]]


def test_blank_frames(noise_picture: Callable[..., np.ndarray], cut: Callable[..., np.ndarray]):
    ramp = np.tile(np.arange(48, dtype=np.uint8), (48, 1))
    sign = np.zeros((48, 48), np.uint8)
    sign[:20] = noise_picture(0)[:20, :48]
    half = sign.copy()
    half[:24] = noise_picture(0)[:24, :48] | 1
    faint = (100 + noise_picture(1)[:48, :48] // 32).astype(np.uint8)
    frames = [np.full((48, 48), 7, np.uint8), faint, sign, half, ramp, cut(noise_picture(2))[0]]
    images = np.array(frames)[:, None]
    assert duplicates.find_constant(images).tolist() == [True, False, False, False, False, False]
    assert duplicates.find_blank(images).tolist() == [True, True, True, False, False, False]
    assert duplicates.find_blank(images[:0]).tolist() == duplicates.find_constant(images[:0]).tolist() == []


def test_drawn_faces_are_not_blank():
    assert not duplicates.find_blank(cartoon(subjects=4, each=1).images).any()


def test_small_classes_include_the_empty():
    labels = np.array([0, 0, 2])
    assert duplicates.find_small_classes(labels, ("a", "b", "c"), 2) == {"b": 0, "c": 1}
    assert duplicates.find_small_classes(labels, ("a", "b", "c"), 0) == {}


def test_connected_faces():
    pairs = np.array([[0, 4], [4, 5], [2, 3]])
    assert as_lists(duplicates.connect_pairs(pairs, 7)) == [[0, 4, 5], [2, 3]]
    assert duplicates.connect_pairs(np.empty((0, 2), np.int64), 3) == []


@pytest.fixture(scope="module")
def images(noise_picture: Callable[..., np.ndarray], cut: Callable[..., np.ndarray]) -> np.ndarray:
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


def test_faces_cut_from_one_photograph_are_found_and_no_others(images):
    assert find_near_duplicates(images).tolist() == [[number, 20 + number] for number in range(5)]


@settings(max_examples=10, deadline=None)
@given(st.permutations(range(25)))
def test_near_duplicates_do_not_depend_on_the_order(images, order):
    found = {
        frozenset(order[index] for index in pair) for pair in find_near_duplicates(images[np.array(order)]).tolist()
    }
    assert found == {frozenset((number, 20 + number)) for number in range(5)}


def test_blocks_do_not_change_what_is_found(images, monkeypatch):
    monkeypatch.setattr("fercli.data.quality.duplicates._ROWS", 3)
    monkeypatch.setattr("fercli.data.quality.duplicates._PAIRS", 2)
    assert find_near_duplicates(images).tolist() == [[number, 20 + number] for number in range(5)]


def test_too_few_faces_have_no_near_duplicates(images):
    for count in (0, 1):
        assert find_near_duplicates(images[:count]).shape == (0, 2)


def test_hashes_have_as_many_bits_of_either_kind(images):
    signs = hash_images(images)
    assert signs.shape == (25, 63)
    assert set(np.abs(signs.sum(axis=1)).tolist()) == {1}
