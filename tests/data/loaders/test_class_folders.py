"""Folders of pictures, whole or zipped, and what can be wrong with them."""

import subprocess
import sys
import zipfile

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from fercli.core.errors import DataError
from fercli.core.labels import EXPRESSIONS
from fercli.data.loaders.class_folders import _count_outer, read_class_folders
from fercli.data.sources import has_class_folders


def zipped(folder, path, below=""):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(folder.rglob("*")):
            archive.write(file, f"{below}{file.relative_to(folder).as_posix()}")
    return path


def test_class_names_are_matched_with_the_seven(tmp_path, draw):
    for number, name in enumerate(["Anger", "happiness", "SAD", "Surprised", "neutral", "fearful", "disgust"]):
        draw(tmp_path / name / f"{number}.png", number)
    faces = read_class_folders(tmp_path)
    assert faces.classes == EXPRESSIONS
    assert {face.split("/")[0]: EXPRESSIONS[label] for face, label in zip(faces.ids, faces.labels, strict=True)} == {
        "Anger": "angry", "happiness": "happy", "SAD": "sad", "Surprised": "surprise", "neutral": "neutral",
        "fearful": "fear", "disgust": "disgust",
    }  # fmt: skip
    assert faces.splits is None
    assert faces.subjects is None
    assert faces.notes == ()


def test_a_picture_of_the_right_size_is_taken_as_it_is(tmp_path, draw):
    path = draw(tmp_path / "happy/a.png", 5)
    assert np.array_equal(read_class_folders(tmp_path).images[0, 0], np.asarray(Image.open(path)))


def test_opencv_is_not_needed(tmp_path, draw):
    draw(tmp_path / "happy/a.png", 5)
    draw(tmp_path / "sad/b.png", 5, (96, 96))
    code = (
        "import sys; from pathlib import Path; sys.modules['cv2'] = None; "
        f"from fercli.data.loaders.class_folders import read_class_folders; read_class_folders(Path({str(tmp_path)!r}))"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_larger_pictures_are_averaged_and_smaller_ones_enlarged(tmp_path):
    (tmp_path / "happy").mkdir()
    small = np.random.default_rng(0).integers(0, 256, (48, 48), dtype=np.uint8)
    Image.fromarray(small.repeat(3, 0).repeat(3, 1)).save(tmp_path / "happy/large.png")
    checks = np.indices((96, 96)).sum(0) % 2 * 255
    Image.fromarray(checks.astype(np.uint8)).save(tmp_path / "happy/checks.png")
    Image.fromarray(np.tile(np.arange(0, 240, 10, dtype=np.uint8), (24, 1))).save(tmp_path / "happy/ramp.png")
    faces = read_class_folders(tmp_path)
    checks, large, ramp = faces.images[:, 0]
    assert np.array_equal(large, small)
    assert 127 <= checks.min() <= checks.max() <= 128
    assert (np.diff(ramp[0].astype(int)) <= 6).all(), "enlarged in steps"


def test_colour_becomes_luminance(tmp_path):
    (tmp_path / "happy").mkdir()
    for name, colour in (("blue", (0, 0, 255)), ("green", (0, 255, 0)), ("red", (255, 0, 0))):
        Image.new("RGB", (48, 48), colour).save(tmp_path / f"happy/{name}.png")
    assert read_class_folders(tmp_path).images[:, 0, 0, 0].tolist() == [29, 150, 76]


def test_splits_by_folder_with_their_synonyms(tmp_path, draw):
    for number, split in enumerate(["train", "Validation", "TEST"]):
        draw(tmp_path / split / "happy" / f"{number}.png", number)
        draw(tmp_path / split / "sad" / f"{number}.png", number)
    faces = read_class_folders(tmp_path)
    assert sorted(zip(faces.ids, faces.splits.tolist(), strict=True)) == [
        ("TEST/happy/2.png", "test"), ("TEST/sad/2.png", "test"),
        ("Validation/happy/1.png", "val"), ("Validation/sad/1.png", "val"),
        ("train/happy/0.png", "train"), ("train/sad/0.png", "train"),
    ]  # fmt: skip


def test_unknown_names_make_their_own_classes(tmp_path, draw):
    for name in ("Bored", "happiness", "awake"):
        draw(tmp_path / name / "1.png")
    faces = read_class_folders(tmp_path)
    assert faces.classes == ("happy", "awake", "bored")
    assert dict(zip(faces.ids, faces.labels.tolist(), strict=True)) == {
        "Bored/1.png": 2, "awake/1.png": 1, "happiness/1.png": 0,
    }  # fmt: skip


def test_contempt_gives_the_classes_that_are_there(tmp_path, draw):
    for name in ("anger", "contempt", "sadness"):
        draw(tmp_path / name / "1.png")
    assert read_class_folders(tmp_path).classes == ("angry", "sad", "contempt")


@pytest.mark.parametrize("below", ["", "archive/", "archive/inner/"])
@pytest.mark.parametrize("splits", [True, False])
def test_a_zip_archive_and_folders_around_make_no_difference(tmp_path, draw, below, splits):
    source = tmp_path / "set"
    for number in range(4):
        split = ("train/", "test/")[number % 2] if splits else ""
        draw(source / f"{split}{('angry', 'sad')[number // 2]}/{number}.png", number)
    whole = read_class_folders(source)
    archive = zipped(source, tmp_path / "set.zip", below)
    with zipfile.ZipFile(archive, "a") as more:
        more.writestr("__MACOSX/train/angry/._1.png", "rubbish")
    packed = read_class_folders(archive)
    assert packed.fingerprint == whole.fingerprint
    assert packed.ids == tuple(below + face for face in whole.ids)
    assert (packed.splits == whole.splits) is True or (packed.splits == whole.splits).all()


def test_a_half_written_zip_archive(tmp_path, draw):
    draw(tmp_path / "set/angry/1.png")
    archive = zipped(tmp_path / "set", tmp_path / "set.zip")
    archive.write_bytes(archive.read_bytes()[:-30])
    with pytest.raises(DataError, match=r"set\.zip: the archive is damaged or only half there"):
        read_class_folders(archive)


def test_unreadable_pictures_are_left_out_and_counted(tmp_path, draw):
    draw(tmp_path / "happy/good.png")
    for number in range(5):
        (tmp_path / f"happy/bad{number}.jpg").write_text("no picture", encoding="utf-8")
    faces = read_class_folders(tmp_path)
    assert faces.ids == ("happy/good.png",)
    (note,) = (note for note in faces.notes if "cannot be read" in note)
    assert note.startswith("left out 5 pictures (happy/bad0.jpg (")
    assert "bad2" in note
    assert "bad3" not in note


def test_no_readable_picture_is_an_error_with_the_reason(tmp_path):
    (tmp_path / "happy").mkdir()
    (tmp_path / "happy/a.jpg").write_bytes(b"")
    with pytest.raises(DataError, match=r"none of 1 pictures can be read; happy/a\.jpg: the file is empty"):
        read_class_folders(tmp_path)


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ([], "no pictures in it; expected: a folder for each class"),
        (["notes.txt", ".hidden/a.png", "happy/.b.png"], "no pictures in it"),
        (["a.png", "b.png"], "2 pictures, but not in class folders"),
        (["train/a.png"], "all pictures are of one class, 'train'"),
        (["holiday/a.png", "holiday/b.png"], "all pictures are of one class, 'holiday'"),
    ],
)
def test_folders_of_another_kind(tmp_path, draw, files, message):
    for file in files:
        draw(tmp_path / file) if file.endswith(".png") else (tmp_path / file).write_text("x", encoding="utf-8")
    with pytest.raises(DataError, match=message):
        read_class_folders(tmp_path)


def test_pictures_outside_of_the_folders_are_left_out_and_named(tmp_path, draw):
    for name in ("train/happy/1.png", "test/sad/1.png", "samples/x/1.png", "banner.png", "train/loose.png"):
        draw(tmp_path / name)
    faces = read_class_folders(tmp_path)
    assert faces.ids == ("test/sad/1.png", "train/happy/1.png")
    assert faces.notes[0].startswith("left out 3 pictures (banner.png, samples/x/1.png, train/loose.png) outside")


@pytest.mark.parametrize(
    ("sizes", "warned"),
    [
        ([(48, 48)] * 3, False),
        ([(256, 256)] * 3, False),
        ([(300, 300), (300, 300), (48, 48)], True),
        ([(120, 90), (120, 90), (48, 48)], True),
        ([(100, 90)] * 3, False),
        ([(640, 480), (48, 48), (48, 48)], False),
    ],
)
def test_whole_photographs_are_suspected_by_size_and_shape(tmp_path, draw, sizes, warned):
    for number, size in enumerate(sizes):
        draw(tmp_path / f"happy/{number}.png", number, size)
    assert (
        any("whole photographs" in note and "--detect" in note for note in read_class_folders(tmp_path).notes) == warned
    )


def test_file_names_that_are_no_text_can_still_be_written_down(tmp_path, draw):
    draw(tmp_path / "happy/a.png")
    try:
        (tmp_path / "happy/a.png").rename(tmp_path / "happy" / "a\udcff\n.png")
    except (OSError, UnicodeError):
        pytest.skip("this file system takes names of text only")
    assert read_class_folders(tmp_path).ids[0].encode("utf-8") == b"happy/a\\udcff\\n.png"


def test_what_looks_like_class_folders(tmp_path, draw):
    draw(tmp_path / "data/train/happy/a.png")
    draw(tmp_path / "classes/Anger/a.png")
    (tmp_path / "other/fer2013").mkdir(parents=True)
    assert has_class_folders(tmp_path / "data")
    assert has_class_folders(tmp_path / "classes")
    assert not has_class_folders(tmp_path / "other")
    assert not has_class_folders(tmp_path / "nowhere")
    assert not has_class_folders(tmp_path / "classes/Anger/a.png")


_NAME = st.sampled_from(["train", "test", "angry", "happy", "x", "archive"])


@settings(deadline=None, max_examples=100)
@given(st.lists(st.lists(_NAME, max_size=4).map(tuple), min_size=1, max_size=5))
def test_only_folders_around_all_pictures_are_looked_through(folders):
    depth = _count_outer(folders)
    assert len({parts[:depth] for parts in folders}) == 1
    assert all(len(parts) > depth for parts in folders) or depth == 0
    assert not {"train", "test", "angry", "happy"} & set(folders[0][:depth])
