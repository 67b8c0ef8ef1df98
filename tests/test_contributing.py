"""CONTRIBUTING.md's example of a new model, done as it says."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

#: Runs `fer` with one more folder of architectures, as if the file lay in the package.
PROGRAM = """
import sys
import fercli.models.architectures as architectures
architectures.__path__.append(sys.argv.pop(1))
from fercli.cli.app import main
main()
"""


@pytest.fixture
def example(tmp_path: Path) -> Path:
    """A folder with the file, and models.yaml with the entry."""
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    (entry,) = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    (tmp_path / "pooled.py").write_text(code, encoding="utf-8")
    catalogue = (ROOT / "models.yaml").read_text(encoding="utf-8").rstrip("\n")
    (tmp_path / "models.yaml").write_text(f"{catalogue}\n\n{entry}", encoding="utf-8")
    return tmp_path


def fer(example: Path, *words: str) -> str:
    command = [sys.executable, "-c", PROGRAM, str(example), *words]
    surroundings = {**os.environ, "FER_CATALOGUE": str(example / "models.yaml")}
    run = subprocess.run(command, cwd=example, env=surroundings, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    return run.stdout


def test_one_file_and_one_entry_make_a_model(example):
    (entry,) = json.loads(fer(example, "models", "pooled-8", "--json")).values()
    words = ("train", "--model", "pooled-8", "--recipe", "quick", "--epochs", "1", "--device", "cpu", "--json")
    folder = Path(json.loads(fer(example, *words))["folder"])
    from safetensors.numpy import load_file

    tensors = load_file(example / folder / "model.safetensors")
    floats = {name: value for name, value in tensors.items() if not name.endswith("num_batches_tracked")}
    assert sum(value.size for value in floats.values()) == entry["parameters"]["total"]
    statistics = sum(value.size for name, value in floats.items() if "running" in name)
    assert entry["parameters"]["total"] - statistics == entry["parameters"]["trainable"]
    assert entry["multiply_adds"] == 11 * 11 * 8 * 25 + 9 * 9 * 7 * 8 * 9
