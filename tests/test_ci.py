"""What continuous integration runs is what the README and pyproject.toml promise."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parent.parent
WORKFLOW = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text(encoding="utf-8"))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def script(job: str, name: str) -> str:
    """The commands of the step whose name begins so."""
    return next(step["run"] for step in WORKFLOW["jobs"][job]["steps"] if step.get("name", "").startswith(name))


def test_the_pythons_that_are_promised_are_tried():
    promised = [name.rpartition(" ")[2] for name in PROJECT["classifiers"] if re.search(r":: 3\.\d+$", name)]
    assert WORKFLOW["jobs"]["tests"]["strategy"]["matrix"]["python"] == promised
    assert PROJECT["requires-python"] == f">={promised[0]}"


def test_all_three_systems_are_tried():
    for job in ("tests", "package"):
        systems = WORKFLOW["jobs"][job]["strategy"]["matrix"]["os"]
        assert systems == ["ubuntu-latest", "macos-latest", "windows-latest"]


@pytest.mark.skipif(sys.platform == "win32", reason="needs a POSIX shell")
@pytest.mark.parametrize("system", ["Linux", "Windows"])
def test_the_command_is_the_readme_s_own(system):
    (line,) = re.findall(r"^python3? .*\[test\].*pytest.*$", (ROOT / "README.md").read_text(encoding="utf-8"), re.M)
    shown = script("tests", "The README").replace('bash -euo pipefail -c "$command"', "")
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", shown], cwd=ROOT, env={"RUNNER_OS": system, "PATH": "/usr/bin:/bin"},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    if system == "Windows":
        line = line.replace("python3 ", "python ", 1).replace(".venv/bin", ".venv/Scripts")
    assert done.stdout == f"+ {line}\n"


def test_no_step_can_write_to_the_repository():
    assert WORKFLOW["permissions"] == {"contents": "read"}
