"""The wheel as a stranger gets it: built, unpacked elsewhere, run from another folder."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheel's content, as an installer lays it out."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder / "dist")]
    subprocess.run(build, cwd=REPOSITORY, check=True, capture_output=True)
    (wheel,) = (folder / "dist").glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder / "site")
    return folder / "site"


def run(installed: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """`fer` from the unpacked wheel, in a folder that has nothing to do with the repository."""
    environment = {key: value for key, value in os.environ.items() if key != "FER_CATALOGUE"}
    environment["PYTHONPATH"] = str(installed)
    command = [sys.executable, "-m", "fercli", *words]
    return subprocess.run(command, cwd=installed.parent, env=environment, capture_output=True, text=True, check=False)


def test_the_wheel_holds_catalogue_weights_page_and_type_marker(installed):
    assert (installed / "fercli" / "models.yaml").read_bytes() == (REPOSITORY / "models.yaml").read_bytes()
    assert (installed / "fercli" / "py.typed").is_file()
    assert list((installed / "fercli" / "weights").glob("*.safetensors"))
    assert (installed / "fercli" / "workflows" / "predict" / "visuals" / "report.html").is_file()
    assert not (installed / "tests").exists()


def test_the_wheel_s_catalogue_is_found(installed):
    done = run(installed, "models", "xu-rescnn")
    assert done.returncode == 0, done.stderr
    assert "54,983" in done.stdout


def test_the_wheel_predicts_its_demonstration(installed):
    done = run(installed, "predict", "--demo", "--format", "csv")
    assert done.returncode == 0, done.stderr
    assert "grace_hopper.jpg" in done.stdout
    assert "1 picture, 1 face" in done.stderr
