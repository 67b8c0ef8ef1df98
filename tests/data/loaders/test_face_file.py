"""Face sets in files of their own: everything comes back, damage is noticed."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fercli.core.errors import DataError, RunError
from fercli.data.faceset import FaceSet
from fercli.data.loaders.face_file import read_faces, read_facts, write_faces

words = st.text(st.characters(exclude_categories=("Cs",)), max_size=8)


@st.composite
def face_sets(draw):
    count = draw(st.integers(1, 5))
    seed = draw(st.integers(0, 99))
    random = np.random.default_rng(seed)
    splits = draw(st.none() | st.lists(st.sampled_from(["train", "val", "test"]), min_size=count, max_size=count))
    subjects = draw(st.none() | st.lists(words, min_size=count, max_size=count))
    targets = random.random((count, 3)).astype(np.float32) if draw(st.booleans()) else None
    return FaceSet(
        name=draw(words),
        images=random.integers(0, 256, (count, 1, 48, 48), dtype=np.uint8),
        labels=random.integers(0, 3, count),
        classes=("a", "b", "ü"),
        ids=tuple(draw(st.lists(words, min_size=count, max_size=count, unique=True))),
        subjects=None if subjects is None else tuple(subjects),
        splits=None if splits is None else np.array(splits),
        targets=targets,
        notes=tuple(draw(st.lists(words, max_size=2))),
        fractions=(0.05, 0.2),
    )


@given(faces=face_sets())
@settings(max_examples=30, deadline=None)
def test_everything_comes_back(faces, tmp_path_factory):
    path = tmp_path_factory.mktemp("faces") / "set.safetensors"
    write_faces(path, faces, {"why": {"ä": 1}})
    back = read_faces(path)
    assert back.fingerprint == faces.fingerprint
    for name in ("name", "classes", "ids", "subjects", "notes", "fractions"):
        assert getattr(back, name) == getattr(faces, name)
    for name in ("images", "labels", "splits", "targets"):
        assert np.array_equal(getattr(back, name), getattr(faces, name))
    assert read_facts(path) == {"why": {"ä": 1}}


def test_targets_belong_to_the_fingerprint_and_to_a_selection(make_set):
    faces = replace(make_set([0, 1, 2]), targets=np.eye(7, dtype=np.float32)[:3])
    assert faces.fingerprint != make_set([0, 1, 2]).fingerprint
    assert faces.select(np.array([False, True, False])).targets.tolist() == [[0, 1, 0, 0, 0, 0, 0]]
    with pytest.raises(ValueError, match="targets"):
        replace(faces, targets=np.eye(3, dtype=np.float32))


@pytest.mark.parametrize("offset", [-5, 100, 700])
def test_damage_is_noticed(tmp_path, make_set, offset):
    path = tmp_path / "set.safetensors"
    write_faces(path, make_set([0, 1, 2]))
    content = bytearray(path.read_bytes())
    content[offset] ^= 1
    path.write_bytes(bytes(content))
    with pytest.raises(DataError, match="damaged"):
        read_faces(path)


def test_what_is_no_set_is_said(tmp_path, make_set):
    other = tmp_path / "other.safetensors"
    for content in (b"", b"hello", (2).to_bytes(8, "little") + b"{}"):
        other.write_bytes(content)
        with pytest.raises(DataError, match="holds no face set"):
            read_faces(other)
        with pytest.raises(DataError, match="holds no face set"):
            read_facts(other)
    with pytest.raises(DataError, match="cannot read"):
        read_faces(tmp_path / "none.safetensors")
    (tmp_path / "file").write_text("x")
    with pytest.raises(RunError, match="cannot write"):
        write_faces(tmp_path / "file" / "set.safetensors", make_set([0, 1]))
