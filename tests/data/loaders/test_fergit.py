"""FERGIT as it is to be had ready-made, and how it is split wherever it lies."""

import shutil
from dataclasses import replace

import pytest

from fercli.core.config import LoadOptions
from fercli.core.errors import DataError
from fercli.core.labels import EXPRESSIONS
from fercli.core.progress import no_progress
from fercli.data.cartoon import cartoon
from fercli.data.faceset import FRACTIONS
from fercli.data.load import load_faces
from fercli.data.loaders.face_file import write_faces
from fercli.data.loaders.fergit import join_sources, load_fergit
from fercli.data.splits import assign_splits


@pytest.mark.parametrize("splits", [("",), ("train/", "valid/", "test/")])
def test_ready_made_folders_are_read(tmp_path, draw, splits):
    for split in splits:
        for name in EXPRESSIONS:
            draw(tmp_path / "fergit" / f"{split}{name}" / "1.png")
    faces = load_faces("fergit", tmp_path)
    assert faces.name == "fergit"
    assert len(faces) == 7 * len(splits)
    assert (faces.splits is None) == (splits == ("",))
    assert faces.notes == (f"{len(faces)} faces; FERGIT as published has 49,300",)


def test_other_classes_are_refused(tmp_path, draw):
    draw(tmp_path / "fergit/happy/1.png")
    draw(tmp_path / "fergit/contempt/1.png")
    with pytest.raises(DataError, match="classes happy, contempt; FERGIT has angry, disgust"):
        load_fergit(tmp_path / "fergit", LoadOptions(), no_progress)


def test_what_to_do_without_it(tmp_path):
    with pytest.raises(DataError) as fault:
        load_faces("fergit", tmp_path)
    message = str(fault.value)
    for part in (
        str(tmp_path), "fergit.safetensors, fergit/ or fergit.zip",
        "fer data build fergit", "a folder for each class", "train, val and test",
        "uldisvalainis/fergit", "muxspace/facial_expressions", "--root", "FER_DATA",
    ):  # fmt: skip
        assert part in message
    assert "\n" not in message


@pytest.mark.parametrize("built", ["now", "before it held its fractions"])
def test_a_built_set_is_split_alike_by_name_and_by_path(tmp_path, built):
    faces = join_sources(
        replace(cartoon(2, 5), name="fer2013", subjects=None), replace(cartoon(20, 2), name="muxspace")
    )
    write_faces(tmp_path / "fergit.safetensors", faces if built == "now" else replace(faces, fractions=FRACTIONS))
    shutil.copy(tmp_path / "fergit.safetensors", tmp_path / "mine.safetensors")
    by_name = load_faces("fergit", tmp_path)
    assert by_name.fractions == (0.05, 0.05)
    for file in ("fergit.safetensors", "mine.safetensors"):
        by_path = load_faces(str(tmp_path / file))
        assert assign_splits(by_path, 3).tolist() == assign_splits(by_name, 3).tolist()
    # one person of 20, and half a face of the ten of nobody known in each class
    assert (assign_splits(by_name, 3) == "test").sum() == 14 + 7


def test_fractions_of_its_own_stay(tmp_path):
    write_faces(tmp_path / "fergit.safetensors", replace(cartoon(1, 1), name="fergit", fractions=(0.2, 0.3)))
    assert load_faces("fergit", tmp_path).fractions == (0.2, 0.3)
    assert load_faces(str(tmp_path / "fergit.safetensors")).fractions == (0.2, 0.3)


def test_a_ready_made_set_is_known_by_what_it_is_called(tmp_path, draw):
    for name in EXPRESSIONS:
        draw(tmp_path / "fergit" / name / "1.png")
    shutil.make_archive(str(tmp_path / "packed/fergit"), "zip", tmp_path / "fergit")
    shutil.copytree(tmp_path / "fergit", tmp_path / "mine")
    assert load_faces("fergit", tmp_path).fractions == (0.05, 0.05)
    assert load_faces(str(tmp_path / "fergit")).fractions == (0.05, 0.05)
    assert load_faces(str(tmp_path / "packed/fergit.zip")).fractions == (0.05, 0.05)
    assert load_faces(str(tmp_path / "mine")).fractions == (0.1, 0.1)
