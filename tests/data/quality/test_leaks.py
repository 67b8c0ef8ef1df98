"""Pictures on both sides of a split."""

from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from fercli.data.faceset import FaceSet
from fercli.data.quality.leaks import describe_leak, drop_leaks, find_divided_subjects, find_leaks, find_shared
from fercli.data.splits import read_split, write_split


def faces_like(pictures):
    """A set whose face n shows picture number pictures[n]."""
    images = np.zeros((len(pictures), 1, 48, 48), np.uint8)
    images[:, 0, 47, 47] = pictures
    labels = np.zeros(len(pictures), np.int64)
    return FaceSet("made", images, labels, ("a", "b"), tuple(f"f{number}" for number in range(len(pictures))))


def test_only_training_faces_are_dropped():
    faces = faces_like([1, 1, 2, 2, 3, 3, 4])
    splits = np.array(["train", "val", "val", "test", "train", "test", "train"])
    assert drop_leaks(faces, splits).tolist() == ["dropped", "val", "val", "test", "dropped", "test", "train"]
    assert describe_leak(faces, splits, "val").startswith("1 of 2 val faces are in train too")
    assert describe_leak(faces, splits, "test").startswith("1 of 2 test faces")
    assert describe_leak(faces, drop_leaks(faces, splits), "val") == ""


placed = st.tuples(st.integers(0, 4), st.sampled_from(["train", "val", "test", "spare"]))


@given(st.lists(placed, min_size=1, max_size=12))
def test_against_every_pair(rows):
    faces, splits = faces_like([picture for picture, _ in rows]), np.array([split for _, split in rows])
    expected = [
        split == "train" and any(picture == other and where in ("val", "test") for other, where in rows)
        for picture, split in rows
    ]
    assert find_shared(faces, splits, "train", "val", "test").tolist() == expected
    left = drop_leaks(faces, splits)
    assert (left[np.array(expected)] == "dropped").all()
    assert (left[~np.array(expected)] == splits[~np.array(expected)]).all()


def test_a_split_with_dropped_faces_is_written_and_read(tmp_path):
    faces = faces_like([1, 1, 2])
    splits = drop_leaks(faces, np.array(["train", "test", "train"]))
    write_split(tmp_path / "split.csv", faces, splits)
    back = read_split(tmp_path / "split.csv", replace(faces, notes=("x",)))
    assert back.tolist() == ["dropped", "test", "train"]


def test_faces_that_leak_go_by_both_splits():
    groups = [np.array(members) for members in ([0, 1], [2, 3, 4], [5, 6], [7, 8])]
    splits = np.array(["train", "val", "train", "test", "val", "train", "train", "val", "val"])
    leaks = {pair: faces.tolist() for pair, faces in find_leaks(groups, splits).items()}
    assert leaks == {("val", "train"): [1, 4], ("test", "train"): [3], ("test", "val"): [3]}


def test_a_face_in_several_pairs_leaks_once():
    splits = np.array(["train", "train", "val"])
    leaks = find_leaks([np.array([0, 2]), np.array([1, 2])], splits)
    assert {pair: faces.tolist() for pair, faces in leaks.items()} == {("val", "train"): [2]}


def test_subjects_in_several_splits():
    subjects = ("ann", "ann", "bob", "bob", "", "")
    splits = np.array(["train", "val", "test", "test", "train", "val"])
    divided = find_divided_subjects(subjects, splits)
    assert {name: faces.tolist() for name, faces in divided.items()} == {"ann": [0, 1]}
