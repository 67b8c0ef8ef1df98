"""`fer data check` as it is typed."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

Fer = Callable[..., tuple[int, str, str]]


@pytest.fixture
def fer(fer: Fer, monkeypatch: pytest.MonkeyPatch) -> Fer:
    """The command on a wide terminal."""
    monkeypatch.setenv("COLUMNS", "140")
    return fer


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Class folders in train and val: one face in both, one under two labels, one empty."""

    def draw(path: str, number: int) -> None:
        file = tmp_path / "mine" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        shades = np.random.default_rng(number).integers(0, 256, (48, 48), dtype=np.uint8)
        Image.fromarray(shades if number else np.zeros_like(shades)).save(file)

    for path, number in (
        ("train/happy/a.png", 1), ("val/happy/b.png", 1), ("train/sad/c.png", 2), ("train/happy/d.png", 2),
        ("train/sad/[e].png", 0), ("train/happy/f.png", 3), ("val/sad/g.png", 4), ("train/sad/h.png", 5),
    ):  # fmt: skip
        draw(path, number)
    return tmp_path / "mine"


def test_what_is_wrong_and_what_to_type_next(fer, folder):
    code, out, err = fer("data", "check", folder, "--min-class", 0)
    assert code == 0, err
    assert out.startswith("mine: 8 faces (train 6, val 2)")
    order = [
        "duplicates across splits",
        "duplicates with different labels",
        "constant frames",
        "identical faces",
        "not found:",
    ]
    positions = [out.index(title) for title in order]
    assert positions == sorted(positions)
    assert "1 val face also in train" in out
    assert "train/sad/[e].png" in out, "names are no markup"
    assert "small classes" in out[positions[-1] :]
    assert f"next: fer data check {folder} --sheet mine.png" in err
    assert f"fer data check {folder} --fix mine-clean.safetensors" in err


@pytest.mark.parametrize("width", [40, 60, 109, 110, 140])
def test_the_table_fits_every_terminal(fer, folder, monkeypatch, width):
    monkeypatch.setenv("COLUMNS", str(width))
    _, out, _ = fer("data", "check", folder)
    assert max(map(len, out.splitlines())) <= width
    assert "1 val face also in train" in " ".join(out.split())


def test_everything_written_and_nothing_twice(fer, folder, tmp_path):
    words = ("data", "check", folder, "--csv", "f.csv", "--sheet", "s.png", "--fix", "clean.safetensors")
    code, out, err = fer(*words, "--json")
    assert code == 0, err
    document = json.loads(out)
    assert document["fix"]["removed"] == {"blank": 1, "contradiction": 2, "copy": 1, "near duplicate": 0}
    assert "next: fer train --data clean.safetensors" in err
    assert {"f.csv", "s.png", "clean.safetensors", "clean.removed.csv"} <= {path.name for path in tmp_path.iterdir()}
    for flags in (words[3:5], words[5:7], words[7:9]):
        code, out, err = fer(*words[:3], *flags)
        assert (code, out) == (2, "")
        assert "--force replaces it" in err
        assert fer(*words[:3], *flags, "--force", "--quiet")[0] == 0
    code, out, err = fer("data", "check", "clean.safetensors", "--json")
    assert code == 0, err
    assert json.loads(out)["faces"] == {"train": 2, "val": 2}


def test_a_set_without_faults_says_so(fer):
    code, out, err = fer("data", "check", "cartoon", "--no-near")
    assert code == 0
    assert "split drawn with --seed 0" in out
    assert "nothing is wrong" in out
    assert "next: fer train --data cartoon" in err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["cartoon", "--fix", "clean.csv"], "name it clean.safetensors"),
        (["cartoon", "--sheet", "sheet.jpg"], "name it sheet.png"),
        (["cartoon", "--csv", "faults.txt"], "name it faults.csv"),
        (["cartoons"], "did you mean cartoon?"),
        (["fer2013"], "Looked for: fer2013.csv"),
    ],
)
def test_a_mistake_is_one_line_and_exit_code_2(fer, words, message):
    code, out, err = fer("data", "check", *words)
    assert (code, out) == (2, "")
    assert message in err
    assert len(err.splitlines()) == 1


def test_help(fer):
    assert "check" in fer("data", "--help")[1]
    code, out, _ = fer("data", "check", "-h")
    assert code == 0
    assert "--fix OUT.safetensors" in out
