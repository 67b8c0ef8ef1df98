"""A face set made of pictures whose labels, subjects and splits are known."""

import pytest

from fercli.core.errors import DataError
from fercli.data.labelled_pictures import LabelledPicture, read_labelled_pictures


@pytest.fixture
def read(tmp_path, draw):
    """Reads labelled pictures, drawn before unless they are told to be damaged."""

    def read(*pictures, damaged=()):
        for number, picture in enumerate(pictures):
            draw(tmp_path / "set" / picture.name, number)
        for name in damaged:
            (tmp_path / "set" / name).write_bytes(b"no picture")
        return read_labelled_pictures(tmp_path / "set", pictures, lambda name: (tmp_path / "set" / name).read_bytes())

    return read


def test_a_set_has_subjects_where_one_picture_has_and_splits_where_all_have(read):
    faces = read(LabelledPicture("a.png", "happy", "ann", "train"), LabelledPicture("b.png", "sad", "", ""))
    assert (faces.name, faces.ids, faces.labels.tolist()) == ("set", ("a.png", "b.png"), [3, 4])
    assert (faces.subjects, faces.parts) == (("ann", ""), None)
    assert faces.notes == (
        "there are no pictures of angry, disgust, fear, surprise, neutral", "1 of 2 faces have no subject ID"
    )  # fmt: skip
    faces = read(LabelledPicture("a.png", "happy", split="train"), LabelledPicture("b.png", "sad", split="test"))
    assert (faces.subjects, faces.parts.tolist()) == (None, ["train", "test"])


def test_what_belongs_to_a_damaged_picture_goes_with_it(read):
    pictures = [LabelledPicture(f"{name}.png", name, name) for name in ("awake", "bored", "calm")]
    faces = read(*pictures, damaged=["awake.png"])
    assert (faces.ids, faces.subjects) == (("bored.png", "calm.png"), ("bored", "calm"))
    assert [faces.classes[label] for label in faces.labels] == ["bored", "calm"]
    assert faces.notes[0].startswith("left out 1 picture (awake.png (not a picture")


def test_no_set_can_be_made(read):
    with pytest.raises(DataError, match="no pictures with a label in it"):
        read()
    with pytest.raises(DataError, match="all pictures are of one class, 'awake'"):
        read(LabelledPicture("a.png", "awake"))
    with pytest.raises(DataError, match=r"none of 1 pictures can be read; a\.png: "):
        read(LabelledPicture("a.png", "happy"), damaged=["a.png"])
