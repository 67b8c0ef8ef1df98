"""Folders and archives read alike, and what cannot be read."""

import bz2
import gzip
import io
import lzma
import os
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fercli.core.errors import DataError
from fercli.data.load import load_faces, load_path
from fercli.data.loaders.class_folders import read_class_folders
from fercli.data.loaders.csv_file import read_csv
from fercli.data.sources import list_names, list_pictures, open_source
from fercli.faces.io import compression

COMPRESS: dict[str, Callable[[bytes], bytes]] = {
    ".tar": bytes, ".tar.gz": gzip.compress, ".tar.bz2": bz2.compress, ".tar.xz": lzma.compress,
}  # fmt: skip
FORMS = ["", ".zip", *COMPRESS]


def pack(path: Path, files: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> Path:
    """Files in a folder, if the path has no ending, or in an archive."""
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w", method) as archive:
            for name, content in files.items():
                archive.writestr(name, content)
    elif path.suffix:
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w") as archive:
            for name, content in files.items():
                header = tarfile.TarInfo(name)
                header.size = len(content)
                archive.addfile(header, io.BytesIO(content))
        path.write_bytes(COMPRESS["".join(path.suffixes)](buffer.getvalue()))
    else:
        path.mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            (path / name).parent.mkdir(parents=True, exist_ok=True)
            (path / name).write_bytes(content)
    return path


part = st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters='/\\<>:"|?*'), max_size=12)
# a prefix keeps names of files and of folders apart, so that a folder can have all of them
names = st.tuples(st.lists(part.map("d{}".format), max_size=2), part.map("f{}".format)).map(
    lambda name: "/".join([*name[0], name[1]])
)


@settings(deadline=None, max_examples=25, derandomize=True)
@given(files=st.dictionaries(names, st.binary(max_size=1500), min_size=1, max_size=5))
def test_any_files_are_listed_and_read_alike_in_every_form(tmp_path_factory, files):
    folder = tmp_path_factory.mktemp("forms")
    for form in FORMS:
        path = pack(folder / f"set{form}", files)
        assert sorted(list_names(path)) == sorted(files)
        with open_source(path) as (found, reader):
            assert found == sorted(files)
            assert {name: reader(name) for name in reversed(found)} == files


@pytest.mark.parametrize("form", FORMS)
def test_files_are_read_from_several_threads(tmp_path, form):
    files = {f"{number}.png": np.random.default_rng(number).bytes(20_000) for number in range(40)}
    with open_source(pack(tmp_path / f"set{form}", files)) as (found, reader), ThreadPoolExecutor(4) as pool:
        assert list(pool.map(reader, found)) == [files[name] for name in found]


@pytest.mark.parametrize("form", [".zip", *COMPRESS])
def test_class_folders_in_an_archive_are_those_in_the_folder(tmp_path, draw, form):
    for number in range(6):
        draw(tmp_path / f"set/{('angry', 'sad')[number % 2]}/{number}.png", number)
    folder = load_path(tmp_path / "set")
    files = {name: (tmp_path / "set" / name).read_bytes() for name in reversed(folder.ids)}
    packed = load_path(pack(tmp_path / f"packed{form}", files))
    assert (packed.fingerprint, packed.ids, packed.name) == (folder.fingerprint, folder.ids, "packed")
    (tmp_path / f"packed{form}").rename(tmp_path / "packed")
    assert load_path(tmp_path / "packed").ids == folder.ids, "an archive is told by its first bytes"


@pytest.mark.parametrize("form", [".tar.gz", ".tar.bz2", ".tar.xz"])
def test_a_flipped_bit_in_a_compressed_archive_is_damage(tmp_path, draw, rows, write_csv, form):
    files = {
        "happy/a.bmp": draw(tmp_path / "a.bmp").read_bytes(),
        "sad/b.bmp": draw(tmp_path / "b.bmp", 1).read_bytes(),
    }
    table = {"fer2013.csv": write_csv(tmp_path / "fer2013.csv", rows).read_bytes(), "z.txt": bytes(3000)}
    for content, read in ((files, read_class_folders), (table, read_csv)):
        path = pack(tmp_path / f"set{form}", content)
        whole = path.read_bytes()
        for offset in np.random.default_rng(0).integers(20, len(whole), 15).tolist():
            path.write_bytes(whole[:offset] + bytes([whole[offset] ^ 4]) + whole[offset + 1 :])
            with pytest.raises(DataError, match="damaged or only half there"):
                read(path)


@pytest.mark.parametrize("ending", [".csv.gz", ".csv.bz2", ".csv.xz", ".zip", ".tar", ".tar.gz"])
def test_a_packed_table_is_read_and_its_size_limited(tmp_path, rows, write_csv, monkeypatch, ending):
    plain = write_csv(tmp_path / "fer2013.csv", rows)
    path = tmp_path / f"packed{ending}"
    if ending.startswith(".csv"):
        path.write_bytes(COMPRESS[ending.replace("csv", "tar")](plain.read_bytes()))
    else:
        pack(path, {"a.csv": b"other\n", "fer2013.csv": plain.read_bytes()})
    assert read_csv(path).fingerprint == read_csv(plain).fingerprint
    monkeypatch.setattr(compression, "MAX_BYTES", 50_000)
    with pytest.raises(DataError, match=r"packed.*at most 50,000 are read: unpack it first"):
        read_csv(path)
    assert len(read_csv(plain)) == len(rows), "a plain file has no limit"


def test_a_line_without_end_is_refused_before_it_fills_the_memory(tmp_path):
    path = tmp_path / "fer2013.csv.gz"
    path.write_bytes(gzip.compress(b"emotion,pixels,Usage\n" + b"1" * 5_000_000))
    with pytest.raises(DataError, match="line 2: over 1,048,576 bytes"):
        read_csv(path)


@pytest.mark.parametrize("form", FORMS)
def test_a_picture_over_the_limit_is_left_out(tmp_path, draw, monkeypatch, form):
    files = {"happy/a.png": draw(tmp_path / "a.png").read_bytes(), "happy/b.png": bytes(9000)}
    monkeypatch.setattr(compression, "MAX_BYTES", 5000)
    faces = read_class_folders(pack(tmp_path / f"set{form}", files))
    assert faces.ids == ("happy/a.png",)
    assert "happy/b.png (9,000 bytes" in faces.notes[0]


def test_a_zip_archive_compressed_by_lzma_is_read_and_its_damage_said(tmp_path, draw):
    files = {f"happy/{number}.png": draw(tmp_path / f"{number}.png", number).read_bytes() for number in range(3)}
    path = pack(tmp_path / "set.zip", files, zipfile.ZIP_LZMA)
    assert read_class_folders(path).ids == tuple(files)
    content = bytearray(path.read_bytes())
    content[60:90] = bytes(30)
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"set\.zip: the archive is damaged or only half there \(") as fault:
        read_class_folders(path)
    assert "\n" not in str(fault.value)


def test_a_locked_picture_in_a_zip_archive_says_what_to_do(tmp_path, draw):
    path = pack(tmp_path / "set.zip", {"happy/a.png": draw(tmp_path / "a.png").read_bytes()})
    content = bytearray(path.read_bytes())
    content[content.rindex(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"happy/a\.png: locked with a password: unpack the archive first"):
        read_class_folders(path)


def test_names_in_zip_archives_of_other_systems(tmp_path, draw):
    picture = draw(tmp_path / "a.png").read_bytes()
    path = pack(tmp_path / "set.zip", {"happy/xxxx.png": picture, "xxxxx/b.png": picture, "./sad/c.png": picture})
    content = path.read_bytes().replace(b"happy/xxxx", b"happy\\caf\x82").replace(b"xxxxx/b", "žé?".encode() + b"/b")
    path.write_bytes(content)
    faces = read_class_folders(path)
    assert set(faces.classes) == {"happy", "sad", "žé?"}
    assert faces.ids == ("happy/café.png", "sad/c.png", "žé?/b.png")


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_the_last_of_two_files_with_one_name_counts(tmp_path, draw):
    path = tmp_path / "set.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for number in range(2):
            archive.write(draw(tmp_path / "a.png", number), "happy/a.png")
    draw(tmp_path / "set/happy/a.png", 1)
    assert read_class_folders(path).fingerprint == read_class_folders(tmp_path / "set").fingerprint


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE])
def test_links_and_pipes_in_a_tar_archive(tmp_path, draw, kind):
    with tarfile.open(tmp_path / "set.tar.gz", "w:gz") as archive:
        archive.add(draw(tmp_path / "a.png"), "happy/a.png")
        header = tarfile.TarInfo("happy/b.png")
        header.type, header.linkname = kind, "nowhere.png"
        archive.addfile(header)
    faces = load_path(tmp_path / "set.tar.gz")
    assert faces.ids == ("happy/a.png",)
    assert "happy/b.png (a link or a device in the archive, not a file)" in faces.notes[0]
    with tarfile.open(tmp_path / "table.tar.gz", "w:gz") as archive:
        header.name = "fer2013.csv"
        archive.addfile(header)
    with pytest.raises(DataError, match=r"table\.tar\.gz \(fer2013\.csv\): a link or a device in the archive"):
        load_path(tmp_path / "table.tar.gz")


@pytest.mark.skipif(sys.platform == "win32", reason="names are no bytes on Windows")
@pytest.mark.parametrize("form", ["", ".tar.gz"])
def test_class_folders_whose_names_are_not_utf_8(tmp_path, draw, form):
    picture = draw(tmp_path / "a.png").read_bytes()
    try:
        path = pack(tmp_path / f"caf\udce9{form}", {"fr\udce9\udce9/a.png": picture, "happy/b.png": picture})
    except (OSError, UnicodeError):
        pytest.skip("this file system takes names of text only")
    faces = load_path(path)
    assert faces.classes == ("happy", "fr\ufffd\ufffd")
    assert faces.name.startswith("caf\\udce9")
    assert load_path(path).fingerprint == faces.fingerprint
    shown = subprocess.run(
        [sys.executable, "-m", "fercli", "data", "show", path], capture_output=True, env={**os.environ, "LC_ALL": "C"}
    )
    assert (shown.returncode, shown.stderr.count(b"Traceback")) == (0, 0), shown.stderr


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes here")
@pytest.mark.parametrize("name", ["pipe", "ckextended.csv", "faces.safetensors", "fer2013.zip"])
def test_a_pipe_is_refused_before_it_is_opened(tmp_path, name):
    os.mkfifo(tmp_path / name)
    with pytest.raises(DataError, match=f"{name}: not a regular file"):
        load_faces(str(tmp_path / name))


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="there are no devices here")
def test_an_endless_file_is_refused():
    with pytest.raises(DataError, match="/dev/zero: not a regular file"):
        load_faces("/dev/zero")


def test_links_to_folders_are_followed_but_not_around(tmp_path, draw):
    draw(tmp_path / "set/happy/a.png")
    draw(tmp_path / "elsewhere/b.png", 1)
    try:
        (tmp_path / "set/sad").symlink_to(tmp_path / "elsewhere")
        for name in ("set/around", "set/happy/up", "elsewhere/up"):
            (tmp_path / name).symlink_to(tmp_path / "set")
    except OSError:
        pytest.skip("links need a privilege here")
    assert sorted(list_pictures(tmp_path / "set")) == ["happy/a.png", "sad/b.png"]


def test_a_file_of_another_kind_is_no_source(tmp_path):
    (tmp_path / "a.txt").write_text("text")
    with pytest.raises(DataError, match="neither a folder nor a zip or tar archive"), open_source(tmp_path / "a.txt"):
        pass
