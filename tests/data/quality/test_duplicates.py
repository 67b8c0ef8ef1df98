"""What is wrong with a set: every check against what was put in, and against the plain way to find it."""

from collections import defaultdict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fercli.data.cartoon import cartoon
from fercli.data.quality import duplicates as checks
from fercli.data.quality.near_duplicates import hashes, near_duplicates


def photograph(number: int, side: int = 60) -> np.ndarray:
    """Something as detailed and uneven as a photograph [side, side], another one for every number."""
    from scipy.ndimage import gaussian_filter

    noise = np.random.default_rng(number).normal(size=(3, side, side))
    layers = zip(noise, ((1, 30), (4, 160), (12, 2000)), strict=True)
    smooth = sum(gaussian_filter(layer, sigma) * weight for layer, (sigma, weight) in layers)
    return np.clip(128 + smooth, 0, 255).astype(np.uint8)


def cut(picture: np.ndarray, down: int = 6, across: int = 6) -> np.ndarray:
    """A face [1, 48, 48] out of a photograph."""
    return picture[None, down : down + 48, across : across + 48]


def as_lists(groups):
    return [members.tolist() for members in groups]


@given(st.lists(st.integers(0, 5), max_size=30))
def test_identical_groups_are_those_of_a_plain_search(numbers):
    images = np.array([np.full((1, 48, 48), number, np.uint8) for number in numbers], np.uint8).reshape(-1, 1, 48, 48)
    groups = checks.identical(images)
    assert groups.shape == (len(numbers),)
    for one, first in enumerate(numbers):
        for other, second in enumerate(numbers):
            assert (groups[one] == groups[other]) == (first == second)
    wanted = defaultdict(list)
    for place, number in enumerate(numbers):
        wanted[number].append(place)
    assert as_lists(checks.copies(groups)) == [members for members in wanted.values() if len(members) > 1]


def test_one_pixel_tells_images_apart():
    images = np.zeros((3, 1, 48, 48), np.uint8)
    images[1, 0, 47, 47] = 1
    assert checks.identical(images).tolist() == [0, 1, 0]
    assert checks.identical(images[:0]).tolist() == []


def test_groups_that_differ_and_faces_that_leak():
    groups = [np.array(members) for members in ([0, 1], [2, 3, 4], [5, 6], [7, 8])]
    parts = np.array(["train", "val", "train", "test", "val", "train", "train", "val", "val"])
    assert as_lists(checks.differing(groups, parts)) == [[0, 1], [2, 3, 4]]
    leaked = {pair: faces.tolist() for pair, faces in checks.leaked(groups, parts).items()}
    assert leaked == {("val", "train"): [1, 4], ("test", "train"): [3], ("test", "val"): [3]}


def test_a_face_in_several_pairs_leaks_once():
    parts = np.array(["train", "train", "val"])
    leaked = checks.leaked([np.array([0, 2]), np.array([1, 2])], parts)
    assert {pair: faces.tolist() for pair, faces in leaked.items()} == {("val", "train"): [2]}


def test_blank_frames():
    ramp = np.tile(np.arange(48, dtype=np.uint8), (48, 1))
    sign = np.zeros((48, 48), np.uint8)
    sign[:20] = photograph(0)[:20, :48]
    half = sign.copy()
    half[:24] = photograph(0)[:24, :48] | 1
    faint = (100 + photograph(1)[:48, :48] // 32).astype(np.uint8)
    frames = [np.full((48, 48), 7, np.uint8), faint, sign, half, ramp, cut(photograph(2))[0]]
    images = np.array(frames)[:, None]
    assert checks.constant(images).tolist() == [True, False, False, False, False, False]
    assert checks.nearly_blank(images).tolist() == [True, True, True, False, False, False]
    assert checks.nearly_blank(images[:0]).tolist() == checks.constant(images[:0]).tolist() == []


def test_drawn_faces_are_not_blank():
    assert not checks.nearly_blank(cartoon(subjects=4, each=1).images).any()


def test_small_classes_include_the_empty():
    labels = np.array([0, 0, 2])
    assert checks.small_classes(labels, ("a", "b", "c"), 2) == {"b": 0, "c": 1}
    assert checks.small_classes(labels, ("a", "b", "c"), 0) == {}


def test_people_in_several_parts():
    subjects = ("ann", "ann", "bob", "bob", "", "")
    parts = np.array(["train", "val", "test", "test", "train", "val"])
    assert {name: faces.tolist() for name, faces in checks.divided(subjects, parts).items()} == {"ann": [0, 1]}


def test_connected_faces():
    pairs = np.array([[0, 4], [4, 5], [2, 3]])
    assert as_lists(checks.connected(pairs, 7)) == [[0, 4, 5], [2, 3]]
    assert checks.connected(np.empty((0, 2), np.int64), 3) == []


@pytest.fixture(scope="module")
def near() -> np.ndarray:
    """Twenty photographs [25, 1, 48, 48], and five of them once more: shifted, lit otherwise, with a mark, noisier."""
    pictures = [photograph(number) for number in range(20)]
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
    assert near_duplicates(near).tolist() == [[number, 20 + number] for number in range(5)]


@settings(max_examples=10, deadline=None)
@given(st.permutations(range(25)))
def test_near_duplicates_do_not_depend_on_the_order(near, order):
    found = {frozenset(order[place] for place in pair) for pair in near_duplicates(near[np.array(order)]).tolist()}
    assert found == {frozenset((number, 20 + number)) for number in range(5)}


def test_blocks_do_not_change_what_is_found(near, monkeypatch):
    monkeypatch.setattr("fercli.data.quality.near_duplicates._ROWS", 3)
    monkeypatch.setattr("fercli.data.quality.near_duplicates._PAIRS", 2)
    assert near_duplicates(near).tolist() == [[number, 20 + number] for number in range(5)]


def test_too_few_faces_have_no_near_duplicates(near):
    for count in (0, 1):
        assert near_duplicates(near[:count]).shape == (0, 2)


def test_hashes_have_as_many_bits_of_either_kind(near):
    signs = hashes(near)
    assert signs.shape == (25, 63)
    assert set(np.abs(signs.sum(axis=1)).tolist()) == {1}
