"""CK+ in the two forms that its users have; the pictures are made ones of the real set's shape."""

from collections.abc import Callable
from pathlib import Path, PurePosixPath

import numpy as np
import pytest

from fercli.core.errors import DataError
from fercli.core.labels import EXPRESSIONS
from fercli.data.faceset import FaceSet
from fercli.data.folds import assign_groups
from fercli.data.load import load_faces
from fercli.data.splits import assign_splits


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory, write_ck_plus: Callable[..., Path]) -> Path:
    """A data root with CK+48 in it, all 981 pictures."""
    folder: Path = tmp_path_factory.mktemp("sets")
    write_ck_plus(folder / "CK+48")
    return folder


@pytest.fixture(scope="module")
def faces(root: Path) -> FaceSet:
    return load_faces("ckplus", root)


def sequences(faces: FaceSet) -> np.ndarray:
    """Which sequence each face is of: 'S010_001'."""
    return np.array([PurePosixPath(face).name[:8] for face in faces.ids])


def sides(of: np.ndarray, splits: np.ndarray) -> dict[str, set[object]]:
    """On which sides the faces of each person or sequence are."""
    return {name: set(splits[of == name].tolist()) for name in np.unique(of)}


def test_the_whole_set_is_read(faces, root):
    assert (faces.name, len(faces), faces.splits) == ("ckplus", 981, None)
    assert faces.classes == ("angry", "disgust", "fear", "happy", "sad", "surprise", "contempt")
    assert np.bincount(faces.labels).tolist() == [135, 177, 75, 207, 84, 249, 54]
    assert len(set(faces.subjects)) == 118
    assert faces.subjects == tuple(name[:4] for name in sequences(faces))
    assert "118 subjects in 327 sequences of nearly the same pictures" in faces.notes
    by_path = load_faces(str(root / "CK+48"))
    assert (by_path.fingerprint, by_path.subjects) == (faces.fingerprint, faces.subjects)


@pytest.mark.parametrize("group", ["auto", "subject"])
def test_by_person_all_frames_of_a_person_are_on_one_side(faces, group):
    splits = assign_splits(faces, 0, group=group)
    assert all(len(side) == 1 for side in sides(np.array(faces.subjects), splits).values())
    for split, fraction in (("train", 0.8), ("val", 0.1), ("test", 0.1)):
        assert np.mean(splits == split) == pytest.approx(fraction, abs=0.03)
        assert set(faces.labels[splits == split]) == set(range(7))


def test_by_image_nearly_all_of_test_has_its_like_in_train(faces):
    splits = assign_splits(faces, 0, group="image")
    assert (splits == "test").sum() == 99, "as many as Bah & Xue 2022 have"
    seen = sides(sequences(faces), splits)
    tested = sequences(faces)[splits == "test"]
    assert np.mean(["train" in seen[sequence] for sequence in tested]) > 0.9


def test_ten_folds_by_image_tear_sequences_apart_and_by_person_none(faces):
    groups = assign_groups(faces, 10, 0, "image")
    assert np.ptp(np.bincount(groups)) <= 1
    assert sum(len(side) > 1 for side in sides(sequences(faces), groups).values()) > 250
    groups = assign_groups(faces, 10, 0, "subject")
    assert all(len(side) == 1 for side in sides(np.array(faces.subjects), groups).values())
    for group in range(10):
        assert set(faces.labels[groups == group]) == set(range(7))


def test_the_extended_csv_has_eight_classes(tmp_path, rows, write_csv):
    write_csv(tmp_path / "ckplus/ckextended.csv", [*rows, (7, rows[0][1], "Training")])
    faces = load_faces("ckplus", tmp_path)
    assert faces.classes == (*EXPRESSIONS, "contempt")
    assert faces.labels[-1] == 7
    assert set(faces.splits) == {"train", "val", "test"}
    assert faces.subjects is None
    assert load_faces(str(tmp_path / "ckplus/ckextended.csv")).fingerprint == faces.fingerprint
    write_csv(tmp_path / "ckplus/ckextended.csv", [(8, rows[0][1], "Training")])
    with pytest.raises(DataError, match="not a number from 0 to 7"):
        load_faces("ckplus", tmp_path)
