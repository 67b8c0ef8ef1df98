from pathlib import Path, PureWindowsPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fercli.faces.io.folders import guess_kind, is_hidden, make_safe_path, natural_key

names = st.text(st.characters(), max_size=30) | st.text("./\\:a\0 é", max_size=12)


@given(st.lists(st.text("aB019²é /.", min_size=1, max_size=8), max_size=12))
def test_natural_order_is_total_and_stable(names):
    paths = [Path(name) for name in names]
    backwards = paths[::-1]
    assert sorted(backwards, key=natural_key) == sorted(paths, key=natural_key)


def test_natural_order_compares_numbers_by_value():
    names = ["a10", "a9", "A1", "b", "a1b2", "a1b10"]
    assert sorted(map(Path, names), key=natural_key) == [Path(n) for n in ["A1", "a1b2", "a1b10", "a9", "a10", "b"]]


@given(st.lists(st.integers(0, 10**30), min_size=2, max_size=10))
def test_numbers_come_in_the_order_of_their_values(numbers):
    paths = [Path(f"IMG_{number}.jpg") for number in numbers]
    assert [int(path.stem[4:]) for path in sorted(paths, key=natural_key)] == sorted(numbers)


def test_numbers_of_any_length_have_an_order():
    assert natural_key(Path("9" * 5000)) < natural_key(Path("1" + "0" * 5000))


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("a.jpg", "picture"),
        ("A.HEIC", "picture"),
        ("b.mov", "video"),
        ("c.MKV", "video"),
        ("d.txt", None),
        (".jpg", None),
    ],
)
def test_the_ending_determines_the_kind(name, kind):
    assert guess_kind(name) == kind


@pytest.mark.parametrize("name", [".DS_Store", "a/.hidden/b.jpg", "__MACOSX/a/._b.jpg", ".a.jpg"])
def test_files_that_systems_leave_in_archives_are_hidden(name):
    assert is_hidden(name)


@pytest.mark.parametrize("name", ["a.jpg", "./a.jpg", "../a.jpg", "a/b.c/d.jpg"])
def test_relative_path_parts_are_not_hidden(name):
    assert not is_hidden(name)


@given(st.lists(names, max_size=5).map("/".join))
def test_a_safe_path_stays_inside_its_folder_on_any_system(name):
    path = make_safe_path(name)
    windows = PureWindowsPath(*path.parts)
    assert not path.is_absolute()
    assert not windows.drive
    assert not windows.root
    assert ".." not in path.parts
    for part in path.parts:
        assert 0 < len(part.encode()) <= 200
        assert not set(part) & set('<>:"|?*\\/\0\n')
        assert part == part.rstrip(". ")


@given(st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=300))
def test_a_safe_path_keeps_plain_names_and_endings(stem):
    name = f"{stem}.jpeg"
    assert make_safe_path(f"a/{name}").suffix == ".jpeg"
    if len(name.encode()) <= 200:
        assert make_safe_path(f"a/{name}") == Path("a", name)
