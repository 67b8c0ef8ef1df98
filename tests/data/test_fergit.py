"""FERGIT as it is to be had ready-made."""

import pytest

from fercli.core.config import Reading
from fercli.core.errors import DataError
from fercli.core.labels import EXPRESSIONS
from fercli.core.progress import unheard
from fercli.data.fergit import load_fergit
from fercli.data.sets import load_faces


@pytest.mark.parametrize("parts", [("",), ("train/", "valid/", "test/")])
def test_ready_made_folders_are_read(tmp_path, draw, parts):
    for part in parts:
        for name in EXPRESSIONS:
            draw(tmp_path / "fergit" / f"{part}{name}" / "1.png")
    faces = load_faces("fergit", tmp_path)
    assert faces.name == "fergit"
    assert len(faces) == 7 * len(parts)
    assert (faces.parts is None) == (parts == ("",))
    assert faces.notes == (f"{len(faces)} faces; FERGIT as published has 49,300",)


def test_other_classes_are_refused(tmp_path, draw):
    draw(tmp_path / "fergit/happy/1.png")
    draw(tmp_path / "fergit/contempt/1.png")
    with pytest.raises(DataError, match="classes happy, contempt; FERGIT has angry, disgust"):
        load_fergit(tmp_path / "fergit", Reading(), unheard)


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
