"""The wheel and the source archive as a stranger gets them: built, unpacked elsewhere, run from another folder."""

import os
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheel's content, as an installer lays it out."""
    folder = tmp_path_factory.mktemp("wheel")
    with zipfile.ZipFile(build("wheel", REPOSITORY, folder / "dist")) as archive:
        archive.extractall(folder / "site")
    return folder / "site"


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the content of the source archive."""
    folder = tmp_path_factory.mktemp("sdist")
    with tarfile.open(build("sdist", REPOSITORY, folder / "dist")) as archive:
        archive.extractall(folder, filter="data")
    (root,) = folder.glob("fercli-*")
    return root


def build(kind: str, source: Path, folder: Path) -> Path:
    """Build a wheel or a source archive; its path."""
    command = [sys.executable, "-m", "hatchling", "build", "-t", kind, "-d", str(folder)]
    subprocess.run(command, cwd=source, check=True, capture_output=True)
    (package,) = folder.iterdir()
    return package


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


def test_the_source_archive_makes_the_same_wheel(installed, unpacked, tmp_path):
    with zipfile.ZipFile(build("wheel", unpacked, tmp_path)) as archive:
        again = {name: archive.read(name) for name in archive.namelist()}
    direct = {path.relative_to(installed).as_posix(): path for path in installed.rglob("*") if path.is_file()}
    direct = {name: path for name, path in direct.items() if "__pycache__" not in name}  # of the tests that run it
    assert again.keys() == direct.keys()
    assert all(again[name] == path.read_bytes() for name, path in direct.items())


def test_the_source_archive_holds_what_its_tests_and_pages_need(unpacked):
    pages = {path.name for path in REPOSITORY.glob("*.md")}
    assert {*pages, "LICENSE", "models.yaml", "mkdocs.yml", "tests", "docs", "benchmarks", "examples"} <= {
        path.name for path in unpacked.iterdir()
    }


def test_licences_are_in_both_packages(installed, unpacked):
    (folder,) = installed.glob("fercli-*.dist-info/licenses")
    for licence in ("LICENSE", "fercli/weights/mtcnn/LICENSE.md"):
        assert (folder / licence).read_bytes() == (unpacked / licence).read_bytes()
