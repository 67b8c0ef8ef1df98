"""Names and paths: what `--data` finds, where, and what it says when it doesn't."""

import gzip
import time
import zipfile
from pathlib import Path

import numpy as np
import pytest

from fercli.core.errors import DataError
from fercli.data.load import SETS, data_root, load_faces, load_path, share_faces
from fercli.data.splits import assign_splits


def zipped(path, *files):
    with zipfile.ZipFile(path, "w") as archive:
        for file in files:
            archive.write(file, file.name)
    return path


@pytest.mark.parametrize(
    "relative", ["fer2013.csv", "icml_face_data.csv", "fer2013/fer2013.csv", "fer2013/icml_face_data.csv"]
)
@pytest.mark.parametrize("ending", ["", ".zip", ".gz"])
def test_fer2013_is_found_wherever_its_users_have_it(tmp_path, rows, write_csv, relative, ending):
    path = write_csv(tmp_path / "root" / relative, rows)
    if ending == ".gz":
        path.with_name(path.name + ".gz").write_bytes(gzip.compress(path.read_bytes()))
    elif ending:
        zipped(path.with_name(path.name + ".zip"), path)
    if ending:
        path.unlink()
    faces = load_faces("fer2013", tmp_path / "root")
    assert faces.name == "fer2013"
    assert faces.ids[0] == "Training_0"


@pytest.mark.parametrize("relative", [".", "fer2013", "fer2013-folders"])
def test_fer2013_as_class_folders(tmp_path, draw, relative):
    draw(tmp_path / relative / "train/angry/Training_0.png")
    draw(tmp_path / relative / "test/happy/PublicTest_1.png")
    faces = load_faces("fer2013", tmp_path)
    assert faces.name == "fer2013"
    assert faces.splits.tolist() == ["val", "train"]


def test_the_table_goes_before_the_folders(tmp_path, rows, write_csv, draw):
    draw(tmp_path / "fer2013/train/angry/Training_0.png")
    write_csv(tmp_path / "fer2013/fer2013.csv", rows)
    assert len(load_faces("fer2013", tmp_path)) == len(rows)


def test_where_the_root_is(tmp_path, monkeypatch):
    monkeypatch.delenv("FER_DATA", raising=False)
    assert data_root() == Path("data")
    monkeypatch.setenv("FER_DATA", str(tmp_path))
    assert data_root() == tmp_path
    assert data_root(Path("other")) == Path("other")


def test_a_set_that_is_not_there(tmp_path, monkeypatch):
    monkeypatch.setenv("FER_DATA", str(tmp_path / "nowhere"))
    with pytest.raises(DataError) as fault:
        load_faces("fer2013")
    message = str(fault.value)
    for part in (
        f"no fer2013 in {tmp_path / 'nowhere'} (no such folder)", "fer2013.csv", "icml_face_data.csv", "train/",
        "msambare/fer2013", "--root", "FER_DATA",
    ):  # fmt: skip
        assert part in message
    assert "\n" not in message


def test_a_folder_of_other_things_is_not_fer2013(tmp_path):
    (tmp_path / "fer2013").mkdir()
    (tmp_path / "fer2013/fer2013new.csv").write_text("votes", encoding="utf-8")
    with pytest.raises(DataError, match="no fer2013 in"):
        load_faces("fer2013", tmp_path)


@pytest.mark.parametrize("name", ["fer2031", "FER2013", "fer-2013"])
def test_an_unknown_name_suggests_the_nearest(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DataError, match=f"no data set or path '{name}': did you mean fer2013"):
        load_faces(name)


def test_a_name_like_none_lists_all(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DataError, match=r"there is cartoon, ckplus, fer2013, fergit, muxspace\. A path"):
        load_faces("zzzzz")


@pytest.mark.parametrize("path", ["nowhere/fer2013", "nowhere.csv", "./fer2013"])
def test_a_path_that_is_not_there(path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DataError, match="no such file or folder"):
        load_faces(path)


def test_paths_are_told_apart_by_their_content(tmp_path, rows, write_csv, draw):
    table = write_csv(tmp_path / "tables/my.table", rows)
    assert load_faces(str(table)).name == "my"
    draw(tmp_path / "mine/happy/a.png")
    assert load_faces(str(tmp_path / "mine")).name == "mine"
    packed = zipped(tmp_path / "tables/packed", table.rename(table.with_name("fer2013.csv")))
    assert len(load_faces(str(packed))) == len(rows)
    assert load_faces(str(tmp_path / "tables")).name == "fer2013", "a folder with the table in it"
    with zipfile.ZipFile(tmp_path / "faces.zip", "w") as archive:
        archive.write(tmp_path / "mine/happy/a.png", "happy/a.png")
        archive.writestr("legend.csv", "a,b\n")
    faces = load_faces(str(tmp_path / "faces.zip"))
    assert (faces.name, len(faces)) == ("faces", 1)


def test_a_file_that_is_no_face_set(tmp_path, draw):
    np.savez(tmp_path / "a.npz", a=np.zeros(3))
    for path, message in [
        (draw(tmp_path / "a.png"), "no column emotion"),
        (tmp_path / "a.npz", "no csv file and no pictures"),
    ]:
        with pytest.raises(DataError, match=message) as fault:
            load_path(path)
        assert str(fault.value).isprintable()


def test_a_set_comes_from_the_cache_the_second_time(tmp_path, rows, write_csv, draw, monkeypatch):
    table = write_csv(tmp_path / "fer2013.csv", rows)
    draw(tmp_path / "mine/happy/a.png")
    first = [load_path(path).fingerprint for path in (table, tmp_path / "mine")]

    def fail(*_, **__):
        raise AssertionError("read again")

    monkeypatch.setattr("fercli.data.loaders.csv_file.read_csv", fail)
    monkeypatch.setattr("fercli.data.loaders.class_folders.read_class_folders", fail)
    assert [load_path(path).fingerprint for path in (table, tmp_path / "mine")] == first
    draw(tmp_path / "mine/happy/b.png")
    with pytest.raises(AssertionError, match="read again"):
        load_path(tmp_path / "mine")


def test_sets_that_share_faces_are_known():
    assert share_faces("fergit", "fer2013+ferplus")
    assert share_faces("fer2013", "fergit")
    assert share_faces("muxspace", "fergit")
    assert not share_faces("fer2013", "muxspace")
    assert not share_faces("fer2013", "fer2013")
    assert not share_faces("cartoon", "someone's")


def test_cartoon_needs_no_files(tmp_path):
    faces = load_faces("cartoon", tmp_path / "nowhere")
    assert (faces.name, len(faces)) == ("cartoon", 700)


def test_every_set_says_what_it_is():
    assert list(SETS) == ["cartoon", "ckplus", "fer2013", "fergit", "muxspace"]
    for name in SETS:
        assert all((SETS[name].summary, SETS[name].source, SETS[name].layout, SETS[name].terms))
        assert 0 < sum(SETS[name].fractions) < 0.5
    assert SETS["fergit"].fractions == (0.05, 0.05)
    assert load_faces("cartoon").fractions == (0.1, 0.1)


TRAIN = [3995, 436, 4097, 7215, 4830, 3171, 4965]
VAL = [467, 56, 496, 895, 653, 415, 607]


def test_the_real_fer2013(real):
    faces = load_faces("fer2013", real)
    assert np.bincount(faces.labels[faces.splits == "train"]).tolist() == TRAIN
    assert np.bincount(faces.labels[faces.splits == "val"]).tolist() == VAL
    assert faces.ids[28709] == "PublicTest_28709"
    assert (assign_splits(faces, 0) == faces.splits).all()
    start = time.perf_counter()
    again = load_faces("fer2013", real)
    assert time.perf_counter() - start < 5, "the cache is no faster than the file"
    assert again.fingerprint == faces.fingerprint


def test_the_real_fer2013_as_folders(real):
    if not (real / "fer2013-folders").is_dir():
        pytest.skip("no fer2013-folders in FER_DATA")
    faces = load_path(real / "fer2013-folders")
    assert np.bincount(faces.labels[faces.splits == "train"]).tolist() == TRAIN
    assert np.bincount(faces.labels[faces.splits == "val"]).tolist() == VAL
