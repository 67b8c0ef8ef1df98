"""What needs no PyTorch runs where it is absent, as after the README's small install; the rest says what to install."""

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from matplotlib.cbook import get_sample_data

REPOSITORY = Path(__file__).parents[1]
PORTRAIT = get_sample_data("grace_hopper.jpg", asfileobj=False)

#: Run before anything else in a process: the libraries of training can be neither imported nor asked for a version.
ABSENT = """
import importlib.metadata, sys
ABSENT = {"torch", "torchvision", "facenet_pytorch", "facenet-pytorch", "onnx", "onnxscript", "captum"}
class Nowhere:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ABSENT:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Nowhere())
known = importlib.metadata.version
def version(name):
    if name in ABSENT:
        raise importlib.metadata.PackageNotFoundError(name)
    return known(name)
importlib.metadata.version = version
"""


def run(code: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Python code in a process without PyTorch."""
    return subprocess.run(
        [sys.executable, "-c", ABSENT + code], cwd=folder, capture_output=True, text=True, check=False
    )


def fer(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """`fer` in a process without PyTorch."""
    return run(f"sys.argv = ['fer', *{words!r}]\nfrom fercli.cli.app import main\nmain()", folder)


def test_pictures_are_predicted_annotated_and_reported(tmp_path):
    done = fer(tmp_path, "predict", PORTRAIT, "-o", "faces.csv", "--annotate", "marked", "--report", "page.html")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "marked" / "grace_hopper.jpg").is_file()
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "onnxruntime" in page
    assert "torch" not in page
    code = "import fercli\nprint([face.label for face in next(fercli.predict(sys.argv[1])).faces])\n"
    from_python = run(
        f"sys.argv = ['', {PORTRAIT!r}]\n{code}print(len(list(fercli.read_predictions('faces.csv'))))", tmp_path
    )
    assert from_python.stdout.split() == ["['neutral']", "1"], from_python.stderr


@pytest.mark.parametrize(
    "words",
    [
        ("data", "list"),
        ("data", "show", "cartoon"),
        ("data", "check", "cartoon", "--csv", "issues.csv"),
        ("models",),
        ("models", "xu-rescnn"),
    ],
    ids=" ".join,
)
def test_sets_and_networks_are_shown(words, tmp_path):
    done = fer(tmp_path, *words)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("words", "names"),
    [
        (("train",), "torch torchvision facenet-pytorch"),
        (("crossval",), "torch torchvision facenet-pytorch"),
        (("eval", "--data", "cartoon"), "torch torchvision facenet-pytorch"),
        (("predict", PORTRAIT, "--engine", "torch"), "torch torchvision facenet-pytorch"),
    ],
)
def test_what_needs_pytorch_says_so_in_one_line(words, names, tmp_path):
    done = fer(tmp_path, *words)
    assert (done.returncode, done.stdout) == (2, "")
    assert f"pip install {names}" in done.stderr
    assert len([line for line in done.stderr.splitlines() if line.startswith("error:")]) == 1
    assert "Traceback" not in done.stderr
    assert not list(tmp_path.iterdir())


def test_the_small_install_has_the_bounds_of_the_whole_one():
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))
    whole, small = set(project["project"]["dependencies"]), set(project["dependency-groups"]["small"])
    assert small < whole
    absent = {line.partition(">")[0].partition("=")[0] for line in whole - small}
    assert absent == {"torch", "torchvision", "facenet-pytorch", "onnx", "onnxscript", "threadpoolctl", "optuna"}


def test_no_message_names_an_extra_which_would_bring_pytorch_here():
    sources = (REPOSITORY / "fercli").rglob("*.py")
    named = [path.name for path in sources if "pip install" in (text := path.read_text("utf-8")) and "fercli[" in text]
    assert named == []
