"""Names of files and classes come from strangers: none moves the cursor, changes colours or begins a line."""

import ast
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import fercli.cli

#: What only the console may use, so that every foreign string goes through it.
RAW = {"print", "sys.stdout.write", "sys.stderr.write", "Console"}
CLI = [file for file in sorted(Path(fercli.cli.__file__).parent.rglob("*.py")) if file.name != "console.py"]


@pytest.fixture
def faces(tmp_path) -> str:
    """A set whose names hold colours, a cleared screen and line ends."""
    draw = np.random.default_rng(0)
    for name in ("hap\x1b[31mpy", "sa\nd", "neu\rtral"):
        folder = tmp_path / "faces" / name
        folder.mkdir(parents=True)
        for number in range(10):
            Image.fromarray(draw.integers(0, 255, (48, 48), np.uint8)).save(folder / f"f\x1b[2J{number}\n.png")
    return "faces"


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such names")
def test_no_command_lets_a_foreign_name_control_the_terminal(fer, faces):
    commands = [
        ("data", "show", faces),
        ("data", "check", faces),
        ("train", "--model", "lenet", "--data", faces, "--recipe", "quick", "--epochs", 1, "--out", "run"),
        ("eval", "--model", "run"),
        ("predict", faces, "-r", "--model", "run", "--faces-are-cropped"),
        ("predict", faces, "nothing\x1b[2J.png", "-r", "--model", "run", "--faces-are-cropped", "-o", "a\x1b[1m.csv"),
        ("data", "show", "nothing\x1b[2J"),
        ("export", "--model", "run", "-o", "net\x1b[1m.onnx"),
    ]
    for words in commands:
        _, out, err = fer(*words)
        assert "Traceback" not in err
        assert (out + err).replace("\n", "").isprintable(), words
    assert "hap�[31mpy" in fer("data", "show", faces)[1]


@pytest.mark.parametrize("file", CLI, ids=lambda file: file.name)
def test_only_the_console_writes_to_the_terminal(file):
    calls = [node.func for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))) if isinstance(node, ast.Call)]
    found = RAW.intersection(map(ast.unparse, calls))
    assert not found, f"{file.name} writes to the terminal itself: {found}"
