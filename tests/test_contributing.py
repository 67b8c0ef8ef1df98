"""CONTRIBUTING.md's examples of a new model and of a new data set, done as it says."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

ROOT = Path(__file__).resolve().parent.parent

#: Runs `fer` with one more folder of architectures or loaders, as if the file lay in the package.
PROGRAM = """
import sys
import {package} as package
package.__path__.append(sys.argv.pop(1))
from fercli.cli.app import main
main()
"""


def code_in(title: str, language: str) -> str:
    """The one block of code of this language in a section of CONTRIBUTING.md."""
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    (section,) = re.findall(rf"^## {title}\n(.*?)(?=^## )", text, re.DOTALL | re.MULTILINE)
    (code,) = re.findall(rf"```{language}\n(.*?)```", section, re.DOTALL)
    return code


def fer(package: str, folder: Path, *words: str) -> str:
    """What `fer` prints when a package has the files of `folder` / new too."""
    command = [sys.executable, "-c", PROGRAM.format(package=package), str(folder / "new"), *words]
    environment = {**os.environ, "FER_CATALOGUE": str(folder / "models.yaml"), "FER_DATA": str(folder)}
    run = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    return run.stdout


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a catalogue and an empty package to add to."""
    (tmp_path / "new").mkdir()
    (tmp_path / "models.yaml").write_text((ROOT / "models.yaml").read_text(encoding="utf-8"), encoding="utf-8")
    return tmp_path


def test_one_file_and_one_entry_make_a_model(folder):
    (folder / "new/pooled.py").write_text(code_in("Adding a model", "python"), encoding="utf-8")
    catalogue = (folder / "models.yaml").read_text(encoding="utf-8").rstrip("\n")
    entry = code_in("Adding a model", "yaml")
    (folder / "models.yaml").write_text(f"{catalogue}\n\n{entry}", encoding="utf-8")
    architectures = "fercli.models.architectures"
    (entry,) = json.loads(fer(architectures, folder, "models", "pooled-8", "--json")).values()
    words = ("train", "--model", "pooled-8", "--recipe", "quick", "--epochs", "1", "--device", "cpu", "--json")
    run = Path(json.loads(fer(architectures, folder, *words))["folder"])
    from safetensors.numpy import load_file

    tensors = load_file(folder / run / "model.safetensors")
    floats = {name: value for name, value in tensors.items() if not name.endswith("num_batches_tracked")}
    assert sum(value.size for value in floats.values()) == entry["parameters"]["total"]
    statistics = sum(value.size for name, value in floats.items() if "running" in name)
    assert entry["parameters"]["total"] - statistics == entry["parameters"]["trainable"]
    assert entry["multiply_adds"] == 11 * 11 * 8 * 25 + 9 * 9 * 7 * 8 * 9


def test_one_file_makes_a_data_set(folder):
    (folder / "new/posed.py").write_text(code_in("Adding a data set", "python"), encoding="utf-8")
    (folder / "posed").mkdir()
    random = np.random.default_rng(0)
    for name in ("ann_happy_1", "ann_anger_1", "bob_sad_1", "bob_sad_2"):
        pixels = random.integers(0, 256, (48, 48), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"posed/{name}.png")
    loaders = "fercli.data.loaders"
    assert json.loads(fer(loaders, folder, "data", "list", "--json"))["posed"]["found"] == str(folder / "posed")
    shutil.copytree(folder / "posed", folder / "mine")
    for data in ("posed", "./mine"):
        shown = json.loads(fer(loaders, folder, "data", "show", data, "--json"))
        counts = {name: sum(row.values()) for name, row in shown["counts"].items()}
        assert (shown["faces"], shown["subjects"]) == (4, 2)
        assert {name: count for name, count in counts.items() if count} == {"angry": 1, "happy": 1, "sad": 2}
