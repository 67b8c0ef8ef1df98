"""Which loader a path is given to, and where named sets are looked for."""

import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from fercli.core.config import LoadOptions
from fercli.core.errors import DataError, UsageError
from fercli.data.loaders import FORMATS, DataSet, find_loader, load_loaders, refuse_detection

SETS = load_loaders()


def pack(folder: Path, archive: Path) -> Path:
    """All files below a folder in a zip archive."""
    with zipfile.ZipFile(archive, "w") as packed:
        for file in sorted(folder.rglob("*.*")):
            packed.write(file, file.relative_to(folder).as_posix())
    return archive


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize(
    ("files", "loader"),
    [
        (["fer2013.csv"], "fer2013"),
        (["fer2013.csv", "ckextended.csv"], "fer2013"),
        (["train/happy/Training_1.png"], "fer2013"),
        (["happy/a.png", "happy/PublicTest_7.png"], "fer2013"),
        (["ckextended.csv"], "ckplus"),
        (["anger/S010_004_00000017.png", "happy/S010_005_00000009.png"], "ckplus"),
        (["anger/S010_004_00000017.png", "happy/other.png"], "class folders"),
        (["happy/a.png"], "class folders"),
        (["happy/a.png", "legend.csv"], "class folders"),
        (["images/a.png", "data/legend.csv"], "muxspace"),
    ],
)
def test_a_path_is_told_by_the_names_in_it(tmp_path, files, loader, packed):
    folder = tmp_path / "set"
    for file in files:
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        (folder / file).write_bytes(b"x")
    path = pack(folder, tmp_path / "set.zip") if packed else folder
    assert find_loader(path) is {**SETS, **FORMATS}[loader]


@pytest.mark.parametrize(
    ("name", "loader"),
    [
        ("fer2013.csv", "csv file"),
        ("any.thing", "csv file"),
        ("CKextended.csv.gz", "ckplus"),
        ("faces.safetensors", "face file"),
        ("fergit.safetensors", "face file"),
    ],
)
def test_a_file_is_told_by_its_name_where_its_content_does_not_tell(tmp_path, name, loader):
    (tmp_path / name).write_bytes(b"x")
    assert find_loader(tmp_path / name) is {**SETS, **FORMATS}[loader]


def test_what_is_not_there_has_no_loader(tmp_path):
    with pytest.raises(DataError, match="nowhere is not there"):
        find_loader(tmp_path / "nowhere")


def test_a_set_lies_at_the_first_of_its_paths(tmp_path: Path, draw: Callable[..., Path]):
    known = DataSet(summary="", source="", layout="", terms="", load=SETS["fergit"].load, paths=("a.csv", "b", "c"))
    assert known.find(tmp_path) is None
    (tmp_path / "b").mkdir()
    draw(tmp_path / "c/happy/1.png")
    assert known.find(tmp_path) == tmp_path / "c", "a folder without class folders is not the set"
    (tmp_path / "a.csv").write_text("x")
    assert known.find(tmp_path) == tmp_path / "a.csv"


def test_a_set_of_faces_refuses_to_look_for_them():
    refuse_detection(LoadOptions(), "cartoon")
    with pytest.raises(UsageError, match="photographs, and cartoon holds 48×48 faces"):
        refuse_detection(LoadOptions(detect=True), "cartoon")
