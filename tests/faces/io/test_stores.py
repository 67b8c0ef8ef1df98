"""Pictures in object stores: fsspec's own in memory, and an S3 server on this machine."""

import io
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fercli.core.errors import PictureError, RunError, UsageError
from fercli.faces.io import stores
from fercli.faces.io.pictures import FETCHES, read_pictures
from fercli.faces.io.sources import expand_path, find_sources
from fercli.faces.io.stores import is_address, restore_address
from fercli.workflows.predict.options import PredictOptions
from fercli.workflows.predict.results import source_text
from fercli.workflows.predict.run import run_job
from fercli.workflows.predict.shards import collect_shards

fsspec = pytest.importorskip("fsspec", reason="needs the extra remote")


def fill(png, store, prefix: str, count: int) -> None:
    for number in range(count):
        store.pipe_file(f"{prefix}/{number % 3}/{number:04}.png", png(number))


@pytest.fixture
def memory(png):
    store = fsspec.filesystem("memory")
    fill(png, store, "/bucket/faces", 40)
    store.pipe_file("/bucket/faces/notes.txt", b"no picture")
    store.pipe_file("/bucket/faces/0/broken.png", b"no picture")
    yield store
    store.rm("/bucket", recursive=True)


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("s3://bucket/a b.png", True), ("gs://bucket", True), ("abfss://c@account/x", True), ("s3", False),
        ("photos/s3:/a.png", False), ("C:/photos", False), ("https://host/a.png", False), ("s3:", False),
    ],
)  # fmt: skip
def test_an_address_is_told_from_a_path_and_keeps_its_slashes(text, address):
    assert is_address(Path(text)) is address
    if address:
        assert restore_address(str(Path(text))) == source_text(Path(text)) == text
    else:
        assert source_text(Path(text)) == str(Path(text))


def test_all_pictures_below_a_prefix_are_found_and_read_in_order(memory, png):
    assert FETCHES < 40  # more than are fetched at once
    sources = find_sources([Path("memory://bucket/faces")])
    names = [source_text(source.path) for source in sources]
    assert names == sorted(names)
    assert len(names) == 41
    assert names[0] == "memory://bucket/faces/0/0000.png"
    assert sources[0].relative_path == Path("0/0000.png")
    for source, picture in zip(sources, read_pictures(sources), strict=True):
        assert picture.source == source
        if source.path.name == "broken.png":
            assert "not a picture" in picture.error or picture.error
        else:
            wanted = np.asarray(Image.open(io.BytesIO(png(int(source.path.stem)))))
            np.testing.assert_array_equal(picture.pixels[..., 0], wanted)


def test_objects_and_files_go_together(memory, png, tmp_path):
    (tmp_path / "a.png").write_bytes(png(0))
    paths = [tmp_path / "a.png", Path("memory://bucket/faces/1/0001.png"), tmp_path / "none.png"]
    pictures = list(read_pictures(find_sources(paths)))
    assert [picture.source.path for picture in pictures] == [
        paths[0],
        Path("memory://bucket/faces/1/0001.png"),
        paths[2],
    ]
    assert [bool(picture.error) for picture in pictures] == [False, False, True]


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (PermissionError("arn:secret"), "access denied"),
        (FileNotFoundError("x"), "no such object"),
        (OSError("timed out"), "the store cannot be read: timed out"),
    ],
)
def test_what_cannot_be_read_is_a_row_with_its_reason(memory, monkeypatch, error, message):
    sources = find_sources([Path("memory://bucket/faces")])
    read = type(memory).cat_file

    def cat_file(self, path, **kwargs):
        if path.endswith("0007.png"):
            raise error
        return read(self, path, **kwargs)

    monkeypatch.setattr(type(memory), "cat_file", cat_file)
    errors = {picture.source.path.name: picture.error for picture in read_pictures(sources) if picture.error}
    assert errors.pop("broken.png")
    assert errors == {"0007.png": message}


def test_an_archive_is_left_to_jobs_in_shards(memory):
    memory.pipe_file("/bucket/faces/9.tar", b"")
    *pictures, archive = find_sources([Path("memory://bucket/faces")])
    assert len(pictures) == 41
    assert archive.stored.is_archive
    (picture,) = read_pictures([archive])
    assert "write to a folder (--output faces/)" in picture.error


def test_what_is_not_there_is_a_row(memory):
    (source,) = expand_path(Path("memory://bucket/none"))
    assert source.error
    memory.rm("/bucket/faces/1/0001.png")
    with pytest.raises(PictureError, match="no such object"):
        stores.read_object(Path("memory://bucket/faces/1/0001.png"))


def test_too_large_an_object_is_refused(memory, monkeypatch):
    monkeypatch.setattr(stores, "_MOST_BYTES", 20)
    with pytest.raises(PictureError, match="is no picture"):
        stores.read_object(Path("memory://bucket/faces/1/0001.png"))


def test_without_the_stores_package_one_line_says_what_to_install(monkeypatch):
    def missing(address):
        raise ImportError("Install s3fs to access S3")

    monkeypatch.setattr(fsspec.core, "url_to_fs", missing)
    with pytest.raises(UsageError, match=r"s3://bucket/a\.png .*Install s3fs.*pip install fsspec s3fs"):
        find_sources([Path("s3://bucket/a.png")])


def test_rows_are_not_written_to_a_store(tmp_path):
    with pytest.raises(UsageError, match=r"s3://bucket/faces\.csv: write to a file on this machine"):
        PredictOptions(output=Path("s3://bucket/faces.csv"))


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # of the server's libraries
def test_shards_of_a_bucket_are_the_whole_job_though_one_is_killed(bucket, png, tmp_path):
    count = 400
    bucket.pipe({f"bucket/faces/{number:04}.png": png(number) for number in range(count)})
    listed = tmp_path / "list.txt"
    listed.write_text(
        "".join(f"s3://bucket/faces/{number:04}.png\n" for number in range(count + 1))
    )  # the last is gone
    usual = {"faces_are_cropped": True, "device": "cpu"}

    whole = run_job([Path("s3://bucket/faces")], PredictOptions(output=tmp_path / "whole.csv", **usual))
    assert (whole.inputs, whole.faces, whole.failed) == (count, count, 0)
    assert "s3://bucket/faces/0000.png" in whole.output.read_text()

    output = tmp_path / "faces.csv"
    words = ["predict", "--faces-are-cropped", "--device", "cpu", "--from-file", listed, "--output", output]
    workers = [
        subprocess.Popen([sys.executable, "-m", "fercli", *map(str, words), "--shard", shard], stderr=subprocess.PIPE)
        for shard in ("1/2", "2/2")
    ]
    killed = tmp_path / "faces.1-of-2.csv"
    deadline = time.monotonic() + 60
    while not killed.is_file() or killed.stat().st_size < 5_000:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    workers[0].kill()
    told = [worker.communicate(timeout=60)[1].decode() for worker in workers]
    assert workers[1].returncode == 1, told[1]  # one object is gone
    with pytest.raises(RunError, match="unfinished: 1/2"):
        collect_shards(output)
    assert 0 < len(killed.read_text().splitlines()) < count // 2
    run_job([], PredictOptions(output=output, shard="1/2", from_file=listed, **usual))

    summary = collect_shards(output)
    assert (summary.inputs, summary.faces, summary.failed) == (count + 1, count, 1)
    rows = output.read_text().splitlines()
    assert rows[:-1] == whole.output.read_text().splitlines()
    assert "no such object" in rows[-1]
    assert not [file for file in tmp_path.rglob("*") if file.is_file() and b"hidden-secret" in file.read_bytes()]
    assert "hidden-secret" not in "".join(told)
