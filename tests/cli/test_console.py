import subprocess
import sys

import pytest

from fercli.cli import console
from fercli.core.text import to_printable


@pytest.mark.parametrize(("flag", "shown"), [(False, []), (True, ["chatter"])])
def test_what_c_libraries_write_is_silenced_and_nothing_else(flag, shown):
    code = f"""
import os, sys, warnings
from fercli.cli import console
# some versions of Python print the line of a warning in `python -c` below it, others do not
warnings.formatwarning = lambda message, *_: f"{{message}}\\n"
console.debug = {flag}
with console.without_chatter():
    os.write(2, b"chatter\\n")
    console.error("one")
    warnings.warn("two")
    print("three", file=sys.stderr)
os.write(2, b"four\\n")
console.note("five")
assert sys.stderr is sys.__stderr__
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    lines = [line.split()[-1] for line in done.stderr.splitlines()]
    assert lines == [*shown, "one", "two", "three", "four", "five"]
    assert done.stdout == ""


def test_an_error_inside_leaves_standard_error_as_it_was(monkeypatch):
    before = sys.stderr
    with pytest.raises(ValueError, match="inside"), console.without_chatter():
        raise ValueError("inside")
    assert sys.stderr is before


@pytest.mark.parametrize("name", ["new\nline", "\x1b[2Jgone", "caf\udce9", "a\r\tb\u2028"])
def test_a_name_stays_on_its_line(name):
    shown = to_printable(name)
    assert shown.isprintable()
    assert len(shown) == len(name)
    assert "�" in shown


def test_a_name_with_letters_of_any_language_is_left_alone():
    assert to_printable("één bild 画像.jpg") == "één bild 画像.jpg"
