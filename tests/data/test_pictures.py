"""Pictures whose labels are known, and faces found in photographs: the real detector on a real portrait."""

import time

import numpy as np
import pytest
from PIL import Image

from fercli.core.config import LoadOptions
from fercli.core.errors import DataError, UsageError
from fercli.data import pictures
from fercli.data.load import load_faces
from fercli.data.pictures import NO_FACE, LabelledPicture, find_faces, read_crops, read_labelled_pictures
from fercli.faces.crop import crop_face
from fercli.faces.io import decode
from fercli.faces.io.decode import read_picture
from fercli.faces.mtcnn.detector import Detector


@pytest.fixture
def folder(tmp_path, photograph, draw):
    """Two photographs of a person, one of noise, one damaged."""
    photograph(tmp_path / "set/happy/a.png")
    photograph(tmp_path / "set/sad/b.png", 9)
    draw(tmp_path / "set/sad/noise.png", size=(64, 64))
    (tmp_path / "set/happy/broken.png").write_bytes(b"no picture")
    return tmp_path / "set"


def test_the_face_is_the_one_that_predict_would_cut_out(folder):
    faces = load_faces(str(folder), options=LoadOptions(detect=True))
    assert faces.ids == ("happy/a.png", "sad/b.png")
    for name, image in zip(faces.ids, faces.images, strict=True):
        picture = read_picture(folder / name)
        (found,) = Detector().find(picture)
        assert np.array_equal(image[0], crop_face(picture, found))
    assert "left out 1 picture (sad/noise.png) in which no face is found" in faces.notes
    assert any(note.startswith("left out 1 picture (happy/broken.png (not a picture") for note in faces.notes)
    assert not np.array_equal(load_faces(str(folder)).images[0], faces.images[0])


def test_folders_that_are_no_classes_are_refused_before_any_face_is_looked_for(tmp_path, photograph, monkeypatch):
    photograph(tmp_path / "set/images/a.png")
    monkeypatch.setattr("fercli.data.pictures.find_faces", lambda *_: pytest.fail("looked for faces"))
    with pytest.raises(DataError, match="all pictures are of one class, 'images'"):
        load_faces(str(tmp_path / "set"), options=LoadOptions(detect=True))


def test_the_largest_face_counts(tmp_path, photograph):
    small = Image.open(photograph(tmp_path / "one.png")).convert("RGB")
    both = Image.new("RGB", (400, 320), "white")
    both.paste(small, (0, 0))
    both.paste(small.resize((256, 304)), (140, 0))
    both.save(tmp_path / "two.png")
    (face,) = find_faces(["two.png"], lambda name: (tmp_path / name).read_bytes(), lambda *_: None)
    picture = read_picture(tmp_path / "two.png")
    left, right = Detector().find(picture)
    assert right.box[2] - right.box[0] > left.box[2] - left.box[0]
    assert np.array_equal(face.pixels, crop_face(picture, right))


def test_broken_off_work_goes_on_where_it_was(tmp_path, photograph, monkeypatch):
    names = [photograph(tmp_path / f"{number}.png", number).name for number in range(5)]
    monkeypatch.setattr(pictures, "_CHUNK", 2)
    searched = []

    class Stopping(Detector):
        def find_all(self, pictures):
            for picture in pictures:
                searched.append(picture.shape[1] - 128)
                if len(searched) == 4:
                    raise KeyboardInterrupt
            return super().find_all(pictures)

    monkeypatch.setattr(pictures, "Detector", Stopping)

    def find():
        seen = []
        found = find_faces(names, lambda name: (tmp_path / name).read_bytes(), lambda *step: seen.append(step[:2]))
        assert seen[-1] == (5, 5)
        return found

    with pytest.raises(KeyboardInterrupt):
        find()
    first = find()
    assert searched == [0, 1, 2, 3, 2, 3, 4], "the first two are not looked at again"
    again = find()
    assert searched[7:] == []
    assert all(np.array_equal(one.pixels, other.pixels) for one, other in zip(first, again, strict=True))


def test_a_damaged_chunk_is_found_anew(tmp_path, photograph, cache):
    photograph(tmp_path / "a.png")
    names = ["a.png", "missing.png"]
    first = find_faces(names, lambda name: (tmp_path / name).read_bytes(), lambda *_: None)
    assert first[1] == "No such file or directory"
    (chunk,) = cache.glob("faces-*")
    content = bytearray(chunk.read_bytes())
    content[-7] ^= 255
    chunk.write_bytes(bytes(content))
    again = find_faces(names, lambda name: (tmp_path / name).read_bytes(), lambda *_: None)
    assert np.array_equal(again[0].pixels, first[0].pixels)
    assert again[1] == first[1]


def test_no_face_anywhere(tmp_path, draw):
    draw(tmp_path / "happy/noise.png", size=(64, 64))
    with pytest.raises(DataError, match=f"no face in any of 1 pictures; happy/noise.png: {NO_FACE}"):
        load_faces(str(tmp_path), options=LoadOptions(detect=True))


def test_what_holds_no_photographs(tmp_path, rows, write_csv):
    table = write_csv(tmp_path / "fer2013.csv", rows)
    for data in ("cartoon", str(table), "fer2013"):
        with pytest.raises(UsageError, match="--detect looks for faces in photographs"):
            load_faces(data, tmp_path, LoadOptions(detect=True))


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
    assert (faces.subjects, faces.splits) == (("ann", ""), None)
    assert faces.notes == (
        "there are no pictures of angry, disgust, fear, surprise, neutral", "1 of 2 faces have no subject ID"
    )  # fmt: skip
    faces = read(LabelledPicture("a.png", "happy", split="train"), LabelledPicture("b.png", "sad", split="test"))
    assert (faces.subjects, faces.splits.tolist()) == (None, ["train", "test"])


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


def test_large_pictures_are_squeezed_one_at_a_time(tmp_path, draw, monkeypatch):
    names = [draw(tmp_path / f"{number}.png", size=(64, 64)).name for number in range(8)]
    inside, most = [], []

    def squeeze(pixels):
        inside.append(pixels)
        time.sleep(0.01)
        most.append(len(inside))
        inside.pop()
        return np.zeros((48, 48), np.uint8)

    monkeypatch.setattr(pictures, "squeeze_to_face", squeeze)
    read_crops(names, lambda name: (tmp_path / name).read_bytes())
    assert max(most) > 1  # small ones side by side
    most.clear()
    monkeypatch.setattr(decode, "LARGE_PIXELS", 1000)
    read_crops(names, lambda name: (tmp_path / name).read_bytes())
    assert most == [1] * 8


def test_large_photographs_are_searched_one_at_a_time(tmp_path, draw, monkeypatch):
    names = [draw(tmp_path / f"{number}.png", size=(64, 64)).name for number in range(5)]
    searched = []

    class Counting:
        def find_all(self, found):
            searched.append(len(found))
            return [[] for _ in found]

    monkeypatch.setattr(pictures, "Detector", Counting)
    monkeypatch.setattr(pictures, "BATCH_PIXELS", 5000)
    assert find_faces(names, lambda name: (tmp_path / name).read_bytes(), lambda *_: None) == [NO_FACE] * 5
    assert searched == [2, 2, 1]
