import codecs
import io
import os
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fercli.core.errors import UsageError
from fercli.faces.lists import listed_paths, read_list

# what a file's path may hold, blanks and the odd separators included
characters = st.characters(exclude_categories=["Cs"], exclude_characters="\0\r\n\ufeff")
path = st.text(characters, min_size=1, max_size=12)
lines = st.lists(path.filter(str.strip), min_size=1, max_size=6)


@given(lines, st.sampled_from(["\n", "\r\n"]), st.booleans(), st.sampled_from(["", "\n", "\r\n", " \n\n"]))
def test_a_list_of_lines_reads_back(names, end, mark, last):
    text = end.join([*names[:1], "", *names[1:]]) + last.replace(" ", end)
    content = codecs.BOM_UTF8 * mark + text.encode()
    assert listed_paths(content) == [Path(name) for name in names]


@given(
    st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\ufeff"), min_size=1, max_size=12))
)
def test_a_list_that_find_print0_wrote_reads_back(names):
    content = "".join(f"{name}\0" for name in names).encode()
    assert listed_paths(content) == [Path(name) for name in names]


def test_line_ends_belong_to_names_where_each_ends_with_nul():
    assert listed_paths(b"a\nb.jpg\0c.jpg\r\0") == [Path("a\nb.jpg"), Path("c.jpg\r")]


def test_separators_that_are_no_line_ends_belong_to_names():
    assert listed_paths("a\u2028b.jpg\x0cc.jpg".encode()) == [Path("a\u2028b.jpg\x0cc.jpg")]


@pytest.mark.parametrize("order", ["le", "be"])
def test_powershell_s_utf_16_is_read(order):
    mark = codecs.BOM_UTF16_LE if order == "le" else codecs.BOM_UTF16_BE
    content = mark + "één.jpg\r\nb.jpg\r\n".encode(f"utf-16-{order}")
    assert listed_paths(content) == [Path("één.jpg"), Path("b.jpg")]


@pytest.mark.skipif(sys.platform == "win32", reason="names are no bytes on Windows")
def test_names_that_are_no_utf_8_are_kept():
    assert [os.fsencode(path) for path in listed_paths(b"caf\xe9.jpg\n")] == [b"caf\xe9.jpg"]


def test_a_list_comes_from_a_file_or_from_standard_input(tmp_path, monkeypatch):
    (tmp_path / "list.txt").write_bytes(b"a.jpg\nb c.jpg")
    assert read_list(tmp_path / "list.txt") == [Path("a.jpg"), Path("b c.jpg")]
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"c.jpg\0")))
    assert read_list(Path("-")) == [Path("c.jpg")]


@pytest.mark.parametrize(
    ("content", "reason"),
    [(None, "No such file"), (b"\n \r\n", "no paths"), (codecs.BOM_UTF16_LE + b"a", "UTF-8 is expected")],
)
def test_a_list_that_is_of_no_use_is_one_line(tmp_path, content, reason):
    if content is not None:
        (tmp_path / "list.txt").write_bytes(content)
    with pytest.raises(UsageError, match=reason) as caught:
        read_list(tmp_path / "list.txt")
    assert "list.txt" in str(caught.value)
    assert "\n" not in str(caught.value)
