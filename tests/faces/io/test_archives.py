import bz2
import gzip
import io
import lzma
import os
import struct
import sys
import tarfile
import zipfile
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from fercli.core.errors import PictureError
from fercli.faces.io import archive_formats, compression
from fercli.faces.io.archives import MemberReader, archive_format, list_members
from fercli.faces.io.pictures import read_pictures
from fercli.faces.io.sources import find_sources

PACKED = [".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz"]
SHADES = {"b/10.png": 10, "b/9.png": 9, "a.jpg": 200}


def png(shade: int) -> bytes:
    buffer = io.BytesIO()
    Image.new("L", (8, 8), shade).save(buffer, "PNG")
    return buffer.getvalue()


def tar_bytes(members: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, content in members.items():
            header = tarfile.TarInfo(name)
            header.size = len(content)
            archive.addfile(header, io.BytesIO(content))
    return buffer.getvalue()


def pack(path: Path, members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> Path:
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w", method) as archive:
            for name, content in members.items():
                archive.writestr(name, content)
        return path
    packer = {".tar": bytes, ".gz": gzip.compress, ".tgz": gzip.compress, ".bz2": bz2.compress, ".xz": lzma.compress}
    path.write_bytes(packer[path.suffix](tar_bytes(members)))
    return path


def contents(path: Path) -> dict[str, bytes | str]:
    """The content of each picture in an archive, or why it cannot be read."""
    members, _ = list_members(path)
    found: dict[str, bytes | str] = {}
    with closing(MemberReader()) as reader:
        for name, member in members:
            try:
                found[name] = reader.read(member)
            except PictureError as error:
                found[name] = str(error)
    assert not any("\n" in said for said in found.values() if isinstance(said, str))
    return found


@pytest.mark.parametrize("ending", PACKED)
def test_only_pictures_are_read_and_in_order(tmp_path, ending):
    others = {"notes.txt": b"", "b/.hidden.png": b"", "__MACOSX/b/._10.png": b"", "c/": b""}
    path = pack(tmp_path / f"album{ending}", {name: png(shade) for name, shade in SHADES.items()} | others)
    assert archive_format(path) == ("zip" if ending == ".zip" else "tar")
    pictures = list(read_pictures(find_sources([path])))
    order = ["a.jpg", "b/9.png", "b/10.png"] if ending in (".zip", ".tar") else list(SHADES)
    assert [picture.source.path for picture in pictures] == [path / name for name in order]
    assert [picture.pixels[0, 0, 0] for picture in pictures] == [SHADES[name] for name in order]


@pytest.mark.parametrize("ending", PACKED)
def test_members_can_be_read_in_any_order_and_from_several_archives_at_once(tmp_path, ending):
    paths = [pack(tmp_path / f"{n}{ending}", {f"{i}.png": bytes([n, i]) for i in range(5)}) for n in range(2)]
    members = [dict(list_members(path)[0]) for path in paths]
    with closing(MemberReader()) as reader:
        for number, n in [(3, 0), (3, 1), (1, 1), (1, 1), (4, 0), (0, 0)]:
            assert reader.read(members[n][f"{number}.png"]) == bytes([n, number])


@pytest.mark.parametrize("ending", [".tar.gz", ".tar.bz2", ".tar.xz"])
def test_a_compressed_tar_is_decompressed_once_and_never_backwards(tmp_path, ending, monkeypatch):
    # sizes that fill whole blocks and others: at the end of some, tarfile seeks back a byte
    members = {f"{i}.png": bytes([i]) * size for i, size in enumerate([512, 1024, 0, 700, 10_240, 1])}
    path = pack(tmp_path / f"album{ending}", members)
    listed, _ = list_members(path)
    opened = []
    real = archive_formats.open_decompressed

    class OnwardsOnly:
        def __init__(self, path: Path) -> None:
            opened.append(path)
            self.file = real(path)

        def read(self, size: int) -> bytes:
            return self.file.read(size)

        def close(self) -> None:
            self.file.close()

    monkeypatch.setattr(archive_formats, "open_decompressed", OnwardsOnly)
    with closing(MemberReader()) as reader:
        assert [reader.read(member) for _, member in listed] == list(members.values())
    assert len(opened) == 1


@pytest.mark.parametrize("ending", [".tar.gz", ".tar.bz2", ".tar.xz"])
def test_tars_of_several_compressed_streams_are_read_to_the_end(tmp_path, ending):
    packer = {".gz": gzip.compress, ".bz2": bz2.compress, ".xz": lzma.compress}[Path(ending).suffix]
    whole = tar_bytes({"a.png": png(1), "b.png": png(2)})
    path = tmp_path / f"album{ending}"
    path.write_bytes(packer(whole[:700]) + packer(whole[700:]))
    assert contents(path) == {"a.png": png(1), "b.png": png(2)}


@pytest.mark.parametrize("ending", [".tar", ".tar.gz", ".tar.xz"])
def test_a_truncated_tar_gives_its_complete_members(tmp_path, ending):
    noise = np.random.default_rng(0).bytes(30_000)
    path = pack(tmp_path / f"album{ending}", {"a.png": noise, "b.png": noise[::-1], "c.png": noise})
    data = path.read_bytes()
    path.write_bytes(data[: len(data) * 5 // 6])
    members, error = list_members(path)
    assert error.startswith("the archive is damaged or only half there: ")
    found = contents(path)
    assert found["a.png"] == noise
    assert len(members) > 1
    assert str(found[members[-1][0]]).startswith("cannot be unpacked: ")
    assert find_sources([path])[-1].error == error


def test_a_damaged_header_is_not_taken_for_the_archive_s_end(tmp_path):
    data = bytearray(tar_bytes({"a.png": b"a", "b.png": b"b", "c.png": b"c"}))
    data[1024 + 150] ^= 0xFF  # in the checksum of the second member
    (tmp_path / "album.tar").write_bytes(data)
    members, error = list_members(tmp_path / "album.tar")
    assert [name for name, _ in members] == ["a.png"]
    assert error.endswith("at byte 1,024")


@pytest.mark.parametrize("ending", PACKED)
@pytest.mark.parametrize("content", [b"", b"no archive at all" * 100, b"PK\x03\x04" + bytes(3000)])
def test_a_file_that_is_not_an_archive_gives_one_line(tmp_path, ending, content):
    (tmp_path / f"album{ending}").write_bytes(content)
    members, error = list_members(tmp_path / f"album{ending}")
    assert not members
    assert error
    assert "\n" not in error


def test_bad_members_of_a_zip_do_not_stop_the_others(tmp_path, monkeypatch):
    names = ["0_good", "1_locked", "2_large", "3_rare", "4_damaged", "5_lying", "6_last"]
    path = pack(tmp_path / "album.zip", {f"{name}.png": name.encode() * 20 for name in names}, zipfile.ZIP_STORED)
    data = bytearray(path.read_bytes())

    def central(name: str) -> int:
        return data.rindex(b"PK\x01\x02", 0, data.rindex(name.encode()))

    data[central("1_locked") + 8] |= 1
    struct.pack_into("<I", data, central("2_large") + 24, 2_000_000_000)
    struct.pack_into("<H", data, central("3_rare") + 10, 9)  # Deflate64
    data[data.index(b"4_damaged.png") + 20] ^= 0xFF
    path.write_bytes(data)
    found = contents(path)
    assert found["0_good.png"] == b"0_good" * 20
    assert found["6_last.png"] == b"6_last" * 20
    assert found["1_locked.png"] == "locked with a password: unpack the archive first"
    assert found["2_large.png"] == "2,000,000,000 bytes when unpacked; at most 1,073,741,824 are read: unpack it first"
    assert "not supported" in found["3_rare.png"]
    assert "Bad CRC-32" in found["4_damaged.png"]
    monkeypatch.setattr(compression, "MAX_BYTES", 100)
    assert contents(path)["6_last.png"] == "120 bytes when unpacked; at most 100 are read: unpack it first"


def test_reading_a_member_larger_than_its_header_says_stops_at_the_limit(monkeypatch):
    monkeypatch.setattr(compression, "MAX_BYTES", 1 << 20)
    endless = io.BytesIO(bytes(1 << 24))
    stream = compression.limit_size(endless)
    with pytest.raises(PictureError, match="at most 1,048,576"):
        stream.read()
    assert endless.tell() <= (1 << 20) + (1 << 16)


def test_links_and_pipes_in_a_tar_are_reported(tmp_path):
    with tarfile.open(tmp_path / "album.tar", "w") as archive:
        for name, kind in (("a.png", tarfile.SYMTYPE), ("b.png", tarfile.LNKTYPE), ("c.png", tarfile.FIFOTYPE)):
            header = tarfile.TarInfo(name)
            header.type, header.linkname = kind, "/etc/passwd"
            archive.addfile(header)
    assert set(contents(tmp_path / "album.tar").values()) == {"a link or a device in the archive, not a file"}


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("ending", [".zip", ".tar.gz"])
def test_the_last_of_several_members_with_one_name_counts(tmp_path, ending):
    path = tmp_path / f"album{ending}"
    writes = [("./a.png", b"old"), ("b.png", b"b"), ("/a.png", b"new")]
    if ending == ".zip":
        with zipfile.ZipFile(path, "w") as archive:
            for name, content in writes:
                archive.writestr(name, content)
    else:
        with tarfile.open(path, "w:gz") as archive:
            for name, content in writes:
                header = tarfile.TarInfo(name)
                header.size = len(content)
                archive.addfile(header, io.BytesIO(content))
    assert contents(path) == {"a.png": b"new", "b.png": b"b"}


def test_names_in_zips_from_other_systems(tmp_path):
    path = pack(tmp_path / "album.zip", {"xxxxx.png": b"mac", "windows/a.png": b"windows", "yyyy.png": b"dos"})
    data = path.read_bytes().replace(b"xxxxx", "žé?".encode()).replace(b"windows/a", b"windows\\a")
    path.write_bytes(data.replace(b"yyyy", b"caf\x82"))
    assert contents(path) == {"žé?.png": b"mac", "windows/a.png": b"windows", "café.png": b"dos"}


def test_names_in_tars_that_are_not_utf_8_or_have_control_characters(tmp_path):
    data = tar_bytes({"xxxx.png": b"latin"})
    header = bytearray(data[:512])
    header[:4] = b"caf\xe9"
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    (tmp_path / "a.tar").write_bytes(bytes(header) + data[512:])
    assert contents(tmp_path / "a.tar") == {"caf\udce9.png": b"latin"}
    (source,) = find_sources([tmp_path / "a.tar"])
    assert source.relative_path == Path("a.tar", "caf_.png")
    pack(tmp_path / "b.tar", {"\x1b[2Ja\n.png": b"x"})
    assert contents(tmp_path / "b.tar") == {"�[2Ja�.png": b"x"}


part = st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="/\\"), max_size=12)
name = st.lists(part.map(lambda text: f"x{text}"), min_size=1, max_size=3).map(lambda parts: "/".join(parts) + ".png")


@settings(deadline=None, max_examples=40, derandomize=True)
@given(
    members=st.dictionaries(name, st.binary(max_size=2000), min_size=1, max_size=5),
    ending=st.sampled_from([".zip", ".tar.gz"]),
)
def test_any_names_and_contents_are_read_back(tmp_path_factory, members, ending):
    path = pack(tmp_path_factory.mktemp("packed") / f"album{ending}", members)
    assert contents(path) == members


@settings(deadline=None, max_examples=60, derandomize=True)
@given(data=st.data(), ending=st.sampled_from([".zip", ".tar", ".tar.gz"]))
def test_flipped_bytes_give_content_or_a_reason(tmp_path_factory, data, ending):
    path = pack(tmp_path_factory.mktemp("flipped") / f"album{ending}", {f"{i}.png": png(i) for i in range(3)})
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 5))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(content)
    assert all(isinstance(found, bytes | str) for found in contents(path).values())
    find_sources([path, Path(__file__)])


def test_a_video_in_an_archive_says_what_to_do(tmp_path):
    path = pack(tmp_path / "album.zip", {"a.png": png(3), "clip.mp4": b"film"})
    picture, video = find_sources([path])
    assert (picture.error, video.kind, video.path) == ("", "video", path / "clip.mp4")
    assert "unpack it" in video.error


@pytest.mark.parametrize("ending", PACKED)
def test_an_archive_is_told_by_its_first_bytes(tmp_path, ending):
    path = pack(tmp_path / f"album{ending}", {"a.png": png(3)})
    path = path.rename(tmp_path / "album.download")
    (source,) = find_sources([path])
    assert (source.path, source.relative_path) == (path / "a.png", Path("album.download", "a.png"))
    assert [picture.pixels[0, 0, 0] for picture in read_pictures([source])] == [3]


@pytest.mark.parametrize("name", ["note.txt.gz", "photo.jpg", "album"])
def test_other_files_are_no_archives(tmp_path, name):
    (tmp_path / name).write_bytes(gzip.compress(b"text") if name.endswith(".gz") else b"text")
    assert archive_format(tmp_path / name) is None


@pytest.mark.parametrize("ending", [".tar.gz", ".tar.bz2", ".tar.xz"])
def test_no_picture_of_a_compressed_tar_with_a_wrong_checksum_is_taken(tmp_path, ending):
    noise = np.random.default_rng(0).integers(0, 8, 30_000, np.uint8).tobytes()  # bits that compressing keeps
    path = pack(tmp_path / f"album{ending}", {"a.bmp": noise, "b.bmp": noise[::-1], "c.bmp": noise})
    whole = path.read_bytes()
    for offset in np.random.default_rng(1).integers(20, len(whole), 25).tolist():
        path.write_bytes(whole[:offset] + bytes([whole[offset] ^ 16]) + whole[offset + 1 :])
        members, error = list_members(path)
        assert not members, offset
        assert error.startswith("the archive is damaged or only half there: ")


@pytest.mark.parametrize("ending", [".tar.gz", ".tar.bz2", ".tar.xz"])
def test_a_compressed_tar_that_lacks_its_last_bytes_is_not_called_whole(tmp_path, ending):
    path = pack(tmp_path / f"album{ending}", {"a.png": png(3)})
    path.write_bytes(path.read_bytes()[:-3])
    _, error = list_members(path)
    assert error.startswith("the archive is damaged or only half there: Compressed file ended before")


def test_every_file_is_listed_where_the_caller_wants(tmp_path):
    path = pack(tmp_path / "album.zip", dict.fromkeys(("b/a10.txt", "b/.hidden", "b/a9.png", "__MACOSX/c"), b""))
    members, _ = list_members(path, wanted=lambda _: True)
    assert [name for name, _ in members] == ["__MACOSX/c", "b/.hidden", "b/a9.png", "b/a10.txt"]


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() == 0, reason="needs files that cannot be read")
def test_an_archive_that_may_not_be_read_is_not_called_damaged(tmp_path):
    path = pack(tmp_path / "album.zip", {"a.png": png(3)})
    path.chmod(0)
    assert list_members(path) == ([], "the archive cannot be read: Permission denied")
