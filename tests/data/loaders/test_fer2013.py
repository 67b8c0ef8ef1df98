"""FER2013 as folders of pictures, whose names say the split."""

import numpy as np
from PIL import Image

from fercli.core.labels import EXPRESSIONS
from fercli.data.loaders.class_folders import read_class_folders
from fercli.data.loaders.csv_file import read_csv
from fercli.data.loaders.fer2013 import split_by_name


def test_folder_names_say_the_split(tmp_path, draw):
    draw(tmp_path / "train/angry/Training_0.png")
    draw(tmp_path / "test/happy/PublicTest_1.png")
    draw(tmp_path / "test/happy/PrivateTest_2.png")
    faces = split_by_name(read_class_folders(tmp_path))
    splits = dict(zip(faces.ids, faces.splits.tolist(), strict=True))
    assert splits == {
        "test/happy/PrivateTest_2.png": "test",
        "test/happy/PublicTest_1.png": "val",
        "train/angry/Training_0.png": "train",
    }
    assert faces.notes[-1:] == ("there are no pictures of disgust, fear, sad, surprise, neutral",)


def test_a_test_folder_without_such_names_is_all_test(tmp_path, draw):
    draw(tmp_path / "train/angry/im0.png")
    draw(tmp_path / "test/happy/im1.png")
    faces = split_by_name(read_class_folders(tmp_path))
    assert faces.splits.tolist() == ["test", "train"]


def test_class_folders_alone_take_their_splits_from_the_names_only_if_all_have_one(tmp_path, draw):
    draw(tmp_path / "angry/Training_0.png")
    draw(tmp_path / "happy/PublicTest_1.png")
    assert split_by_name(read_class_folders(tmp_path)).splits.tolist() == ["train", "val"]
    draw(tmp_path / "happy/other.png")
    assert split_by_name(read_class_folders(tmp_path)).splits is None


def test_pixels_survive_the_way_through_png(tmp_path, rows, write_csv):

    faces = read_csv(write_csv(tmp_path / "fer2013.csv", rows))
    for face, label, image in zip(faces.ids, faces.labels, faces.images, strict=True):
        path = tmp_path / "folders" / EXPRESSIONS[label] / f"{face}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image[0]).save(path)
    folders = split_by_name(read_class_folders(tmp_path / "folders"))
    for number, face in enumerate(folders.ids):
        index = faces.ids.index(face.split("/")[1].removesuffix(".png"))
        assert np.array_equal(folders.images[number], faces.images[index])
        assert folders.splits[number] == faces.splits[index]
