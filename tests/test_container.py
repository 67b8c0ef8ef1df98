"""The Dockerfile and the development container, as far as they can be checked without Docker.

`python -m benchmarks.container` does the build stage's steps for real.
"""

import fnmatch
import importlib.util
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "Dockerfile").read_text(encoding="utf-8")
SPEC = importlib.util.spec_from_file_location("container", ROOT / "benchmarks" / "container.py")


@pytest.fixture(scope="module")
def steps() -> tuple[list[str], list[str]]:
    assert SPEC is not None
    assert SPEC.loader is not None
    module = importlib.util.module_from_spec(SPEC)
    SPEC.loader.exec_module(module)
    found: tuple[list[str], list[str]] = module.build_steps(TEXT)
    return found


def test_what_is_copied_is_there_and_not_ignored(steps):
    kept = {
        line[1:] for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines() if line.startswith("!")
    }
    assert kept == set(steps[0])
    assert all((ROOT / name).exists() for name in kept)


def test_everything_that_a_build_of_the_package_reads_is_copied(steps):
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    for name in re.findall(r'^(?:readme = |"models.yaml" = |license-files = \[)"?([\w.]+)', project, re.MULTILINE):
        assert name.split("/")[0] in {*steps[0], "fercli"}


def test_the_install_has_no_pytorch_and_is_tried_in_the_build(steps):
    commands = steps[1]
    assert any("--group small" in command for command in commands)
    assert any("--no-deps ." in command for command in commands)
    assert commands[-1].endswith("fer predict --demo")


def test_the_image_runs_fer_as_a_user_without_rights():
    last = TEXT.rpartition("FROM ")[2]
    assert re.search(r"^USER fer$", last, re.MULTILINE)
    assert 'ENTRYPOINT ["fer"]' in last
    assert not fnmatch.filter(last.splitlines(), "RUN *pip*")


def test_the_development_container_installs_as_the_readme_says():
    settings = json.loads((ROOT / ".devcontainer" / "devcontainer.json").read_text(encoding="utf-8"))
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert settings["postCreateCommand"] in readme
    assert settings["onCreateCommand"].rpartition("--yes ")[2] in readme


def test_what_needs_scikit_learn_says_so_in_one_line(tmp_path):
    code = (
        "import sys; sys.modules['sklearn'] = None; sys.argv = ['fer', 'data', 'show', 'cartoon']\n"
        "from fercli.cli.app import main\nmain()"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode != 0
    assert "pip install scikit-learn" in done.stderr
    assert "Traceback" not in done.stderr
