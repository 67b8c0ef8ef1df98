"""Nothing is noted in the user's folders but what is ours, and nobody is called."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
#: Refuses every connection, and says so where the test sees it.
GUARD = """
import socket, sys
def refuse(*arguments, **_):
    print("CONNECTION", arguments[1:], file=sys.stderr)
    raise OSError("no network in this test")
socket.socket.connect = socket.socket.connect_ex = refuse
socket.getaddrinfo = refuse
"""


def run(home: Path, code: str) -> str:
    """Run Python with an empty home: what it says."""
    surroundings = {**os.environ, "HOME": str(home), "USERPROFILE": str(home), "PYTHONPATH": str(ROOT)}
    for name in ("XDG_CACHE_HOME", "LOCALAPPDATA", "FER_CACHE", "ORT_DISABLE_TELEMETRY"):
        surroundings.pop(name, None)
    done = subprocess.run(
        [sys.executable, "-c", GUARD + code], env=surroundings, capture_output=True, text=True, check=False, cwd=home
    )
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def foreign(home: Path) -> list[str]:
    """The files in a home that are not ours: matplotlib's cache of fonts and compiled Python aside."""
    files = (file.relative_to(home) for file in home.rglob("*") if file.is_file())
    return [str(file) for file in files if not {"matplotlib", "__pycache__", "fercli"} & {*file.parts}]


FER = "import sys; sys.argv = ['fer', {words}]\nfrom fercli.cli.app import main\nmain()\n"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "made"),
    [
        ("'predict', '--demo', '-o', 'faces.csv'", {"faces.csv", "faces.csv.job"}),
        ("'export', '--model', 'xu-rescnn', '-o', 'net.onnx'", {"net.onnx", "net.onnx.json"}),
    ],
    ids=["predict", "export"],
)
def test_a_command_notes_nothing_in_an_empty_home_and_calls_nobody(tmp_path, words, made):
    said = run(tmp_path, FER.format(words=words))
    assert "CONNECTION" not in said
    assert set(foreign(tmp_path)) <= made | {"net.json"}


def test_onnx_runtime_notes_nothing_once_fercli_is_imported(tmp_path):
    run(tmp_path, "import fercli, onnxruntime; onnxruntime.get_available_providers()")
    assert foreign(tmp_path) == []
