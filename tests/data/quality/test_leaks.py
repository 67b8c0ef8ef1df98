"""Pictures on both sides of a split."""

from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from fercli.data.faceset import FaceSet
from fercli.data.quality.leaks import leak_note, shared, without_leaks
from fercli.data.splits import read_split, write_split


def faces_like(pictures):
    """A set whose face n shows picture number pictures[n]."""
    images = np.zeros((len(pictures), 1, 48, 48), np.uint8)
    images[:, 0, 47, 47] = pictures
    labels = np.zeros(len(pictures), np.int64)
    return FaceSet("made", images, labels, ("a", "b"), tuple(f"f{number}" for number in range(len(pictures))))


def test_only_training_faces_are_dropped():
    faces = faces_like([1, 1, 2, 2, 3, 3, 4])
    parts = np.array(["train", "val", "val", "test", "train", "test", "train"])
    assert without_leaks(faces, parts).tolist() == ["dropped", "val", "val", "test", "dropped", "test", "train"]
    assert leak_note(faces, parts, "val").startswith("1 of 2 val faces stand in train too")
    assert leak_note(faces, parts, "test").startswith("1 of 2 test faces")
    assert leak_note(faces, without_leaks(faces, parts), "val") == ""


placed = st.tuples(st.integers(0, 4), st.sampled_from(["train", "val", "test", "spare"]))


@given(st.lists(placed, min_size=1, max_size=12))
def test_against_every_pair(rows):
    faces, parts = faces_like([picture for picture, _ in rows]), np.array([part for _, part in rows])
    expected = [
        part == "train" and any(picture == other and where in ("val", "test") for other, where in rows)
        for picture, part in rows
    ]
    assert shared(faces, parts, "train", "val", "test").tolist() == expected
    left = without_leaks(faces, parts)
    assert (left[np.array(expected)] == "dropped").all()
    assert (left[~np.array(expected)] == parts[~np.array(expected)]).all()


def test_a_split_with_dropped_faces_is_written_and_read(tmp_path):
    faces = faces_like([1, 1, 2])
    parts = without_leaks(faces, np.array(["train", "test", "train"]))
    write_split(tmp_path / "split.csv", faces, parts)
    back = read_split(tmp_path / "split.csv", replace(faces, notes=("x",)))
    assert back.tolist() == ["dropped", "test", "train"]
