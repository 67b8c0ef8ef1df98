"""The cache: found by content, never wrong, never in the way."""

import os
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from fercli.core.errors import DataError
from fercli.data.cache import cache_folder, folder_digest, load_cached


@pytest.fixture
def source(tmp_path) -> Path:
    path = tmp_path / "source.csv"
    path.write_text("content", encoding="utf-8")
    return path


class Builder:
    """Builds a face set and counts how often."""

    def __init__(self, faces):
        self.faces = faces
        self.calls = 0

    def __call__(self):
        self.calls += 1
        return self.faces


@pytest.fixture
def build(make_set) -> Builder:
    faces = make_set([0, 3, 6], ["ann", "bö", "ann"], ["train", "val", "test"])
    faces.images[:] = np.random.default_rng(0).integers(0, 256, faces.images.shape)
    return Builder(replace(faces, ids=("a/ä.png", 'b,"', "c\n"), notes=("a note",)))


def same(faces, other) -> bool:
    return (
        faces.fingerprint == other.fingerprint
        and (faces.name, faces.ids, faces.subjects, faces.notes) == (other.name, other.ids, other.subjects, other.notes)
        and np.array_equal(faces.splits, other.splits)
    )


def test_the_second_load_comes_from_one_file(source, build, cache):
    first = load_cached(source, "x", build)
    second = load_cached(source, "x", build)
    assert build.calls == 1
    assert same(first, second)
    assert second.images.dtype == np.uint8
    assert [file.suffix for file in cache.iterdir()] == [".safetensors"]


def test_none_stays_none(source, build):
    build.faces = replace(build.faces, splits=None, subjects=None)
    load_cached(source, "x", build)
    again = load_cached(source, "x", build)
    assert build.calls == 1
    assert again.splits is None
    assert again.subjects is None


def test_other_content_another_loader_or_name_is_another_set(source, build):
    load_cached(source, "x", build)
    load_cached(source, "y", build)
    assert build.calls == 2
    load_cached(source.rename(source.with_name("other.csv")), "x", build)
    assert build.calls == 3
    source.write_text("CONTENT", encoding="utf-8")
    load_cached(source, "x", build)
    assert build.calls == 4


def test_the_time_of_a_file_does_not_matter_but_that_of_a_folder_s_files_does(source, build):
    load_cached(source, "x", build)
    os.utime(source, (1, 1))
    load_cached(source, "x", build)
    assert build.calls == 1
    before = folder_digest(source.parent)
    os.utime(source, (2, 2))
    assert folder_digest(source.parent) != before


def test_a_folder_s_digest_knows_names_sizes_and_path(tmp_path):
    digests = set()
    for name, file, text in [("a", "1.png", "x"), ("b", "1.png", "x"), ("a2", "2.png", "x"), ("a3", "1.png", "xx")]:
        (tmp_path / name).mkdir()
        path = tmp_path / name / file
        path.write_text(text, encoding="utf-8")
        os.utime(path, (1, 1))
        digests.add(folder_digest(tmp_path / name))
    assert len(digests) == 4


@pytest.mark.parametrize("position", [0.0, 0.01, 0.2, 0.5, 0.9, 0.9999])
def test_one_wrong_byte_and_the_set_is_built_again(source, build, cache, position):
    load_cached(source, "x", build)
    (file,) = cache.iterdir()
    content = bytearray(file.read_bytes())
    content[int(len(content) * position)] ^= 0x01
    file.write_bytes(content)
    again = load_cached(source, "x", build)
    assert build.calls == 2
    assert same(again, build.faces)
    load_cached(source, "x", build)
    assert build.calls == 2, "it was not mended"


@pytest.mark.parametrize("content", [b"", b"x", b"\xff" * 100])
def test_rubbish_in_the_cache_is_built_again(source, build, cache, content):
    load_cached(source, "x", build)
    (file,) = cache.iterdir()
    file.write_bytes(content)
    assert same(load_cached(source, "x", build), build.faces)
    assert build.calls == 2


def test_a_cut_cache_file_is_built_again(source, build, cache):
    load_cached(source, "x", build)
    (file,) = cache.iterdir()
    file.write_bytes(file.read_bytes()[:-10])
    assert same(load_cached(source, "x", build), build.faces)


def test_a_cache_that_cannot_be_written_stops_nothing(source, build, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("no folder", encoding="utf-8")
    monkeypatch.setenv("FER_CACHE", str(tmp_path / "file" / "below"))
    assert same(load_cached(source, "x", build), build.faces)
    assert same(load_cached(source, "x", build), build.faces)
    assert build.calls == 2


def test_two_at_once_leave_one_good_file(source, build, cache):
    barrier = threading.Barrier(4)
    results = []

    def work():
        def together():
            barrier.wait(10)
            return build.faces

        results.append(load_cached(source, "x", together))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 4
    assert len(list(cache.iterdir())) == 1
    assert same(load_cached(source, "x", build), build.faces)
    assert build.calls == 0


def test_a_fault_of_the_source_is_not_kept(source, cache):
    def fail():
        raise DataError("damaged")

    for _ in range(2):
        with pytest.raises(DataError, match="damaged"):
            load_cached(source, "x", fail)
    assert not cache.exists()


def test_where_the_cache_is(monkeypatch, tmp_path):
    assert cache_folder() == tmp_path / "the cache"
    monkeypatch.delenv("FER_CACHE")
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder() == tmp_path / "fercli"
    monkeypatch.setattr("sys.platform", "win32")
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path / "local"))
    assert cache_folder() == tmp_path / "local/fercli"
    monkeypatch.setattr("sys.platform", "darwin")
    assert cache_folder().parts[-3:] == ("Library", "Caches", "fercli")
