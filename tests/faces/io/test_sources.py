import codecs
import glob
import io
import os
import sys
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fercli.core.errors import UsageError
from fercli.faces.io.folders import find_matches
from fercli.faces.io.sources import find_sources, parse_list, read_list


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
    assert [source.relative_path for source in sources] == [
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
    assert [source.error for source in find_sources([album / "notes.txt"])] == [""]


def test_missing_paths_and_empty_folders_do_not_stop_the_rest(album, tmp_path):
    (tmp_path / "empty").mkdir()
    sources = find_sources([tmp_path / "nowhere", album / "img2.JPG", tmp_path / "empty"])
    assert [bool(source.error) for source in sources] == [True, False, True]
    assert "no such file" in sources[0].error
    assert "without pictures" in sources[2].error


def test_pictures_that_are_only_in_subfolders_give_a_hint(album):
    (album / "outer").mkdir()
    (album / "sub").rename(album / "outer" / "sub")
    (source,) = find_sources([album / "outer"])
    assert "--recursive" in source.error
    assert len(find_sources([album / "outer"], recursive=True)) == 1


def test_no_path_at_all_is_a_usage_error():
    with pytest.raises(UsageError, match="no picture given"):
        find_sources([])


@pytest.mark.parametrize("names", [["nowhere.jpg"], ["empty"], ["nowhere.jpg", "empty"]])
def test_inputs_without_a_single_picture_are_sources_with_their_errors(tmp_path, names):
    (tmp_path / "empty").mkdir()
    assert [bool(source.error) for source in find_sources([tmp_path / name for name in names])] == [True] * len(names)


@pytest.mark.parametrize("address", ["https://example.org/a.jpg", "ftp://host/a.jpg", "HTTP://example.org"])
def test_an_address_is_told_that_nothing_is_fetched(address):
    (source,) = find_sources([Path(address)])
    assert source.error == "no such file or folder: nothing is fetched, download it first"


def test_an_unreadable_folder_is_reported(album, monkeypatch):
    real = os.scandir

    def scandir(folder):
        if Path(folder).name == "sub":
            raise PermissionError(13, "Permission denied", str(folder))
        return real(folder)

    monkeypatch.setattr(os, "scandir", scandir)
    first, *others = find_sources([album], recursive=True)
    assert (first.path, first.error) == (album / "sub", "cannot look into this folder: Permission denied")
    assert [source.path.name for source in others] == ["Img1.png", "img2.JPG", "img10.jpg"]


def linked(link: Path, target: Path) -> None:
    try:
        link.symlink_to(target)
    except OSError:
        pytest.skip("links need a privilege here")


def test_links_are_followed_to_files_and_not_to_folders(album):
    linked(album / "a_link.jpg", album / "img2.JPG")
    linked(album / "b_broken.jpg", album / "gone.jpg")
    linked(album / "around", album)
    linked(album / "c_circle.jpg", album / "c_circle.jpg")
    sources = find_sources([album], recursive=True)
    names = [source.path.name for source in sources]
    # the picture behind the link is listed once, under the name that comes first
    assert names == ["a_link.jpg", "b_broken.jpg", "c_circle.jpg", "Img1.png", "img10.jpg", "img3.heic"]


def test_scanning_does_not_resolve_each_file(album, monkeypatch):
    for number in range(50):
        (album / f"more{number}.png").touch()
    asked = []
    real = os.path.realpath
    monkeypatch.setattr(os.path, "realpath", lambda path, **more: asked.append(path) or real(path, **more))
    monkeypatch.setattr(Path, "stat", lambda *_, **__: pytest.fail("asked for a file's status"))
    assert len(find_sources([album], recursive=True)) == 54
    assert len(asked) == 2


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("album/*.png", ["Img1.png"]),
        ("album/[iI]mg?.*", ["Img1.png", "img2.JPG"]),
        ("album/**/*.heic", ["sub/img3.heic"]),
        ("album/s*", ["sub/img3.heic"]),
        ("a*/sub/../*.png", ["Img1.png"]),
    ],
)
def test_a_pattern_is_read_as_a_shell_would(album, monkeypatch, pattern, names):
    monkeypatch.chdir(album.parent)
    sources = find_sources([Path(pattern)])
    assert [source.path.resolve() for source in sources] == [album / name for name in names]
    assert not any(source.error or ".." in source.relative_path.parts for source in sources)


def test_a_pattern_visits_each_folder_once_though_links_lead_around(album, monkeypatch):
    for number in range(12):
        (album / f"in{number}").mkdir()
        (album / f"in{number}/more.png").touch()
    for folder in (album / f"in{number}" for number in range(12)):
        for number in range(12):
            linked(folder / f"link{number}", album / f"in{number}")
    monkeypatch.chdir(album.parent)
    sources = find_sources([Path("album/**/*.png")])
    expected = [f"in{number}/more.png" for number in range(12)]
    assert [source.relative_path.as_posix() for source in sources] == ["Img1.png", *expected]
    found = [source.path.as_posix() for source in find_sources([Path("**/in3/**/m*")])]
    expected = [f"album/in3/link{number}/more.png" for number in range(12) if number != 3]
    assert found == [*expected, "album/in3/more.png"]


@pytest.mark.parametrize(
    "pattern", ["**", "album/**", "**/*", "**/*.heic", "a*/**/i*", "album/**/sub/**", "**/**/*.JPG"]
)
def test_a_pattern_matches_what_glob_matches_where_no_links_are(album, monkeypatch, pattern):
    (album / "[odd]").mkdir()
    (album / "[odd]/img7.heic").touch()
    monkeypatch.chdir(album.parent)
    for start in (Path(), album.parent):
        expected = set(map(Path, glob.glob(str(start / pattern), recursive=True)))  # noqa: PTH207
        assert set(find_matches(start / pattern)) == expected


def test_relative_paths_of_pattern_matches_keep_their_folders(album, monkeypatch):
    monkeypatch.chdir(album)
    (source,) = find_sources([Path("../album/**/*.heic")])
    assert source.relative_path == Path("sub/img3.heic")


def test_a_pattern_without_a_match_does_not_stop_the_rest(album):
    sources = find_sources([album / "*.bmp", album / "img2.JPG"])
    assert [source.error for source in sources] == ["nothing matches this pattern", ""]
    assert sources[0].path == album / "*.bmp"


def test_a_file_whose_name_looks_like_a_pattern_is_that_file(album):
    (album / "img[12].png").touch()
    (album / "img1.png").touch()
    (source,) = find_sources([album / "img[12].png"])
    assert source.path == album / "img[12].png"


def test_listed_paths_are_taken_literally_and_come_last(album):
    listed = [album / "img?.JPG", album / "img2.JPG", album / "sub", album / "Img1.png"]
    sources = find_sources([album / "Img1.png"], listed=listed)
    assert [source.path.name for source in sources] == ["Img1.png", "img?.JPG", "img2.JPG", "img3.heic"]
    assert [bool(source.error) for source in sources] == [False, True, False, False]


def test_videos_are_found_by_their_endings(album):
    for name in ("clip.MP4", "b.webm"):
        (album / name).touch()
    kinds = {source.path.name: source.kind for source in find_sources([album, album / "notes.txt"])}
    assert kinds["clip.MP4"] == kinds["b.webm"] == "video"
    assert kinds["img2.JPG"] == kinds["notes.txt"] == "picture"


def test_an_invalid_path_is_an_error(album):
    (long, _) = find_sources([Path("x" * 5000), album])[:2]
    assert long.error


def test_a_named_archive_gives_its_pictures(album):
    with zipfile.ZipFile(album / "more.zip", "w") as archive:
        for name in ("b/x10.png", "b/x9.png", "C:/up/../a.jpg", "notes.txt"):
            archive.writestr(name, b"")
    (album / "broken.tar").write_bytes(b"no archive" * 100)
    sources = find_sources([album / "more.zip", album, album / "more.zip", album / "broken.tar"])
    found = [source for source in sources if source.member]
    assert [str(source.path) for source in found] == [
        str(Path(f"{album}/more.zip/{name}")) for name in ("b/x9.png", "b/x10.png", "C:/up/../a.jpg")
    ]
    assert [source.relative_path for source in found] == [
        Path("more.zip", *parts) for parts in (("b", "x9.png"), ("b", "x10.png"), ("C_", "up", "a.jpg"))
    ]
    assert len(sources) == len(found) + 4
    assert sources[-1].path == album / "broken.tar"
    assert sources[-1].error.startswith("the archive is damaged or only half there")


def test_an_archive_without_pictures_is_an_error(album):
    zipfile.ZipFile(album / "none.zip", "w").close()
    assert find_sources([album / "none.zip", album])[0].error == "an archive without pictures"


# characters that a path may contain, blanks and unusual separators included
characters = st.characters(exclude_categories=["Cs"], exclude_characters="\0\r\n\ufeff")
path = st.text(characters, min_size=1, max_size=12)
lines = st.lists(path.filter(str.strip), min_size=1, max_size=6)


@given(lines, st.sampled_from(["\n", "\r\n"]), st.booleans(), st.sampled_from(["", "\n", "\r\n", " \n\n"]))
def test_a_list_of_lines_reads_back(names, end, mark, last):
    text = end.join([*names[:1], "", *names[1:]]) + last.replace(" ", end)
    content = codecs.BOM_UTF8 * mark + text.encode()
    assert parse_list(content) == [Path(name) for name in names]


@given(
    st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\ufeff"), min_size=1, max_size=12))
)
def test_a_list_that_find_print0_wrote_reads_back(names):
    content = "".join(f"{name}\0" for name in names).encode()
    assert parse_list(content) == [Path(name) for name in names]


def test_line_ends_belong_to_names_in_nul_separated_lists():
    assert parse_list(b"a\nb.jpg\0c.jpg\r\0") == [Path("a\nb.jpg"), Path("c.jpg\r")]


def test_other_separator_characters_belong_to_names():
    assert parse_list("a\u2028b.jpg\x0cc.jpg".encode()) == [Path("a\u2028b.jpg\x0cc.jpg")]


@pytest.mark.parametrize("order", ["le", "be"])
def test_powershell_s_utf_16_is_read(order):
    mark = codecs.BOM_UTF16_LE if order == "le" else codecs.BOM_UTF16_BE
    content = mark + "één.jpg\r\nb.jpg\r\n".encode(f"utf-16-{order}")
    assert parse_list(content) == [Path("één.jpg"), Path("b.jpg")]


@pytest.mark.skipif(sys.platform == "win32", reason="names are no bytes on Windows")
def test_names_that_are_not_utf_8_are_kept():
    assert [os.fsencode(path) for path in parse_list(b"caf\xe9.jpg\n")] == [b"caf\xe9.jpg"]


def test_a_list_comes_from_a_file_or_from_standard_input(tmp_path, monkeypatch):
    (tmp_path / "list.txt").write_bytes(b"a.jpg\nb c.jpg")
    assert read_list(tmp_path / "list.txt") == [Path("a.jpg"), Path("b c.jpg")]
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"c.jpg\0")))
    assert read_list(Path("-")) == [Path("c.jpg")]


@pytest.mark.parametrize(
    ("content", "reason"),
    [(None, "No such file"), (b"\n \r\n", "no paths"), (codecs.BOM_UTF16_LE + b"a", "UTF-8 is expected")],
)
def test_a_useless_list_gives_one_line(tmp_path, content, reason):
    if content is not None:
        (tmp_path / "list.txt").write_bytes(content)
    with pytest.raises(UsageError, match=reason) as caught:
        read_list(tmp_path / "list.txt")
    assert "list.txt" in str(caught.value)
    assert "\n" not in str(caught.value)
