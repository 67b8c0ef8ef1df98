"""muxspace's pictures and the set that is built of them and FER2013."""

import zipfile

import numpy as np
import pytest

from fercli.core.errors import DataError, UsageError
from fercli.core.labels import EXPRESSIONS
from fercli.data.load import load_faces
from fercli.data.loaders.face_file import read_facts
from fercli.data.loaders.muxspace import parse_subject, read_legend, read_muxspace
from fercli.data.splits import assign_splits
from fercli.workflows.face_sets import build_fergit

LEGEND = """user.id,image,emotion
628,Ann_Lee_0001.jpg,anger
628,Ann_Lee_0002.jpg,HAPPINESS
628,Ann_Lee_0002.jpg,happiness
dwdii,Bob_1.jpg,SURPRISE
dwdii,Bob_1.jpg,sadness
dwdii,Bob_2.jpg,contempt
dwdii,noise_0001.jpg,fear
dwdii,gone_0001.jpg,neutral
dwdii,odd-name_28k.jpg,neutral
"""


@pytest.fixture
def muxspace(tmp_path, photograph, draw):
    """A small repository of the real one's layout."""
    folder = tmp_path / "muxspace"
    for number, name in enumerate(["Ann_Lee_0001", "Ann_Lee_0002", "Bob_1", "Bob_2", "odd-name_28k"]):
        photograph(folder / f"images/{name}.jpg", number)
    draw(folder / "images/noise_0001.jpg", size=(64, 64))
    (folder / "data").mkdir()
    (folder / "data/legend.csv").write_text(LEGEND, encoding="utf-8")
    return folder


@pytest.fixture
def root(tmp_path, rows, write_csv, muxspace):
    write_csv(tmp_path / "fer2013/fer2013.csv", rows)
    return tmp_path


def test_the_legend_is_read_once_and_plainly():
    legend = read_legend(LEGEND.encode(), "legend.csv")
    assert legend.labels == {
        "Ann_Lee_0001.jpg": "angry", "Ann_Lee_0002.jpg": "happy", "noise_0001.jpg": "fear", "gone_0001.jpg": "neutral",
        "odd-name_28k.jpg": "neutral",
    }  # fmt: skip
    assert legend.left_out == {"listed with two labels": ["Bob_1.jpg"], "labelled contempt": ["Bob_2.jpg"]}


@pytest.mark.parametrize("text", [b"", b"a,b\n1,2\n", b"image,emotion\nx\n", b"\xff\xfe"])
def test_a_legend_that_is_none(text):
    if text:
        with pytest.raises(DataError, match="not the repository's legend"):
            read_legend(text, "legend.csv")
    else:
        assert not read_legend(text, "legend.csv").labels


@pytest.mark.parametrize(
    ("name", "person"),
    [
        ("George_W_Bush_0019.jpg", "George_W_Bush"),
        ("Avinash_30.jpg", "Avinash"),
        ("facial-expressions_2868588k.jpg", ""),
        ("12.jpg", ""),
    ],
)
def test_names_name_people(name, person):
    assert parse_subject(name) == person


def test_faces_are_found_and_the_rest_is_named(muxspace):
    faces, left_out = read_muxspace(muxspace)
    assert faces.ids == ("Ann_Lee_0001.jpg", "Ann_Lee_0002.jpg", "odd-name_28k.jpg")
    assert faces.subjects == ("Ann_Lee", "Ann_Lee", "")
    assert [EXPRESSIONS[label] for label in faces.labels] == ["angry", "happy", "neutral"]
    assert left_out == {
        "listed with two labels": ["Bob_1.jpg"], "labelled contempt": ["Bob_2.jpg"],
        "no face found": ["noise_0001.jpg"], "not there": ["gone_0001.jpg"],
    }  # fmt: skip


def test_a_zip_archive_of_the_repository_is_the_same(muxspace, tmp_path):
    archive = tmp_path / "facial_expressions-master.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        for file in muxspace.rglob("*.*"):
            packed.write(file, f"facial_expressions-master/{file.relative_to(muxspace).as_posix()}")
    assert read_muxspace(archive)[0].fingerprint == read_muxspace(muxspace)[0].fingerprint


@pytest.mark.parametrize("said", ["muxspace", "its folder", "a zip archive of it"])
def test_it_is_a_set_of_its_own(root, said):
    path = {"muxspace": "muxspace", "its folder": str(root / "muxspace")}.get(said, str(root / "faces.zip"))
    if said == "a zip archive of it":
        with zipfile.ZipFile(root / "faces.zip", "w") as packed:
            for file in (root / "muxspace").rglob("*.*"):
                packed.write(file, file.relative_to(root / "muxspace").as_posix())
    faces = load_faces(path, root)
    assert (faces.name, faces.splits, len(faces)) == ("muxspace", None, 3)
    assert faces.subjects == ("Ann_Lee", "Ann_Lee", "")
    assert faces.notes[-2:] == (
        "left out 1 picture (gone_0001.jpg), not there", "left out 1 picture (noise_0001.jpg), no face found"
    )  # fmt: skip


def test_class_folders_beside_a_legend_are_class_folders(tmp_path, draw):
    draw(tmp_path / "mine/happy/a.png")
    (tmp_path / "mine/legend.csv").write_text(LEGEND)
    assert load_faces(str(tmp_path / "mine")).ids == ("happy/a.png",)


def test_another_folder_is_refused(tmp_path):
    with pytest.raises(DataError, match=r"no legend\.csv in it: it should be muxspace/facial_expressions"):
        read_muxspace(tmp_path)
    (tmp_path / "legend.csv").write_text(LEGEND)
    with pytest.raises(DataError, match="none of the 5 pictures"):
        read_muxspace(tmp_path)


def test_fergit_is_built_of_both(root):
    built = build_fergit(root=root)
    assert built.path == root / "fergit.safetensors"
    assert built.counts["muxspace"]["happy"] == 1
    assert built.left_out["no face found"] == ["noise_0001.jpg"]
    facts = read_facts(built.path)
    assert facts["left_out"] == built.left_out
    assert sum(facts["counts"]["fergit"].values()) == 15
    faces = load_faces("fergit", root)
    assert faces.fingerprint == built.faces.fingerprint
    assert faces.ids[0] == "fer2013/Training_0"
    assert faces.ids[-1] == "muxspace/odd-name_28k.jpg"
    assert faces.subjects[-3:] == ("Ann_Lee", "Ann_Lee", "")
    assert set(faces.subjects[:12]) == {""}
    assert faces.splits is None
    assert faces.fractions == (0.05, 0.05)
    assert np.array_equal(faces.images[:12], load_faces("fer2013", root).images)


def test_what_is_there_is_not_built_over(root):
    build_fergit(root=root)
    with pytest.raises(UsageError, match="exists already: --force replaces it"):
        build_fergit(root=root)
    first = load_faces("fergit", root).fingerprint
    content = (root / "fergit.safetensors").read_bytes()
    assert build_fergit(root=root, force=True).faces.fingerprint == first
    assert load_faces("fergit", root).fingerprint == first
    other = build_fergit(root=root, output=root / "other.safetensors").path
    assert (root / "fergit.safetensors").read_bytes() == other.read_bytes() == content, "the same bytes every time"
    assert other.name == "other.safetensors"
    assert load_faces(str(other)).fractions == (0.05, 0.05)
    with pytest.raises(UsageError, match=r"must end in \.safetensors"):
        build_fergit(root=root, output=root / "other.npz")


def test_halves_that_are_not_there_are_named(tmp_path, rows, write_csv):
    with pytest.raises(DataError, match=r"no muxspace pictures in .* --muxspace PATH"):
        build_fergit(root=tmp_path)
    with pytest.raises(DataError, match=r"no such file or folder: .*nowhere"):
        build_fergit(tmp_path / "nowhere", root=tmp_path)
    assert not list(tmp_path.glob("*.safetensors"))


def test_persons_stay_together_and_nobody_known_is_drawn_alone(make_set):
    subjects = [f"p{number % 30}" if number % 2 else "" for number in range(600)]
    faces = make_set([number % 7 for number in range(600)], subjects)
    splits = assign_splits(faces, 0)
    sides: dict[str, set[str]] = {}
    for who, split in zip(subjects, splits, strict=True):
        sides.setdefault(who, set()).add(split)
    assert all(len(side) == 1 for who, side in sides.items() if who)
    assert sides[""] == {"train", "val", "test"}
    fraction = np.mean(splits[::2] == "test")
    assert 0.08 < fraction < 0.12


def test_the_real_fergit(real):
    if not (real / "fergit.safetensors").is_file():
        pytest.skip("no fergit.safetensors in FER_DATA: fer data build fergit makes it")
    faces = load_faces("fergit", real)
    splits = assign_splits(faces, 0)
    # persons are whole, and which are drawn is for scikit-learn's version to say
    assert np.mean(splits == "test") == pytest.approx(0.05, abs=0.006)
    assert assign_splits(load_faces(str(real / "fergit.safetensors")), 0).tolist() == splits.tolist()
    people = np.array(faces.subjects)
    assert not set(people[splits == "test"]) & set(people[splits == "train"]) - {""}
