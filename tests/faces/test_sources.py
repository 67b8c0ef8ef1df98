from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fercli.core.errors import UsageError
from fercli.faces.sources import find_sources, natural_key


@pytest.fixture
def album(tmp_path: Path) -> Path:
    for name in (
        "img10.jpg",
        "img2.JPG",
        "Img1.png",
        "notes.txt",
        ".hidden.jpg",
        "sub/img3.heic",
        ".git/x.png",
    ):
        path = tmp_path / "album" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return tmp_path / "album"


def test_a_folders_pictures_come_in_natural_order(album):
    assert [source.path.name for source in find_sources([album])] == ["Img1.png", "img2.JPG", "img10.jpg"]


def test_recursive_looks_into_folders_and_keeps_their_names(album):
    sources = find_sources([album], recursive=True)
    assert [source.inside for source in sources] == [
        Path("Img1.png"),
        Path("img2.JPG"),
        Path("img10.jpg"),
        Path("sub/img3.heic"),
    ]


def test_videos_are_found_and_known_by_their_endings(album):
    for name in ("clip.MP4", "film.mov", "sound.mp3", ".hidden.mkv"):
        (album / name).touch()
    found = {source.path.name: source.kind for source in find_sources([album, album / "notes.txt"])}
    assert {name for name, kind in found.items() if kind == "video"} == {"clip.MP4", "film.mov"}
    assert found["notes.txt"] == "picture"
    assert "sound.mp3" not in found


def test_arguments_keep_their_order_and_no_picture_comes_twice(album, monkeypatch):
    monkeypatch.chdir(album)
    paths = [Path("img10.jpg"), album, Path("sub/../img2.JPG")]
    assert [source.path.name for source in find_sources(paths)] == ["img10.jpg", "Img1.png", "img2.JPG"]


def test_a_named_file_is_taken_whatever_its_ending(album):
    assert [source.fault for source in find_sources([album / "notes.txt"])] == [""]


def test_missing_paths_and_empty_folders_do_not_stop_the_rest(album, tmp_path):
    (tmp_path / "empty").mkdir()
    sources = find_sources([tmp_path / "nowhere", album / "img2.JPG", tmp_path / "empty"])
    assert [bool(source.fault) for source in sources] == [True, False, True]
    assert "no such file" in sources[0].fault
    assert "without pictures" in sources[2].fault


def test_pictures_only_deeper_down_are_hinted_at(album):
    (album / "outer").mkdir()
    (album / "sub").rename(album / "outer" / "sub")
    with pytest.raises(UsageError, match="--recursive"):
        find_sources([album / "outer"])
    assert len(find_sources([album / "outer"], recursive=True)) == 1


@pytest.mark.parametrize("names", [[], ["nowhere.jpg"], ["empty"], ["nowhere.jpg", "empty"]])
def test_nothing_to_work_on_is_an_error_of_usage(tmp_path, names):
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError) as caught:
        find_sources([tmp_path / name for name in names])
    assert caught.value.exit_code == 2
    assert "\n" not in str(caught.value)


def test_a_folder_that_may_not_be_read_is_reported(album, monkeypatch):
    import os

    real = os.walk

    def walk(top, onerror):
        onerror(PermissionError(13, "Permission denied", str(top)))
        return real(top / "none")

    monkeypatch.setattr(os, "walk", walk)
    (source, _) = find_sources([album, Path(__file__)])
    assert source.fault == "cannot look into this folder: Permission denied"


@given(st.lists(st.text("aB019²é /.", min_size=1, max_size=8), max_size=12))
def test_natural_order_is_total_and_stable(names):
    paths = [Path(name) for name in names]
    backwards = paths[::-1]
    assert sorted(backwards, key=natural_key) == sorted(paths, key=natural_key)


def test_natural_order_counts():
    names = ["a10", "a9", "A1", "b", "a1b2", "a1b10"]
    assert sorted(map(Path, names), key=natural_key) == [Path(n) for n in ["A1", "a1b2", "a1b10", "a9", "a10", "b"]]
