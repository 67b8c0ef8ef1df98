"""fer doctor tells what is there, what is missing and what is broken, and shell completion completes."""

import json
import os
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from fercli.cli.app import app
from fercli.core.errors import MachineError
from fercli.workflows import doctor
from fercli.workflows.doctor import examine


def states(root=None) -> dict[str, str]:
    return {finding.name: finding.state for finding in examine(root)}


@pytest.fixture(autouse=True)
def _here(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("FER_DATA", raising=False)


def test_a_whole_installation_predicts_and_lacks_only_face_sets(tmp_path):
    found = states()
    assert found["prediction"] == found["libraries"] == found["training"] == found["videos"] == "ok"
    assert found["face sets"] == "missing"
    assert "broken" not in found.values()
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "fer2013.csv").write_text("emotion,pixels,Usage\n")
    assert states(tmp_path / "data")["face sets"] == "ok"


def test_what_is_not_installed_comes_with_its_command(monkeypatch):
    monkeypatch.setattr(doctor, "_version_of", lambda package: "" if package in ("ray", "s3fs", "torch") else "1")
    found = {finding.name: finding for finding in examine()}
    assert found["extra ray"].state == found["training"].state == "missing"
    assert found["extra ray"].hint == "pip install ray; for --ray, jobs on a cluster"
    assert found["extra remote"].hint.startswith("pip install fsspec s3fs; ")
    assert found["training"].text == "not installed: torch"
    assert found["extra parquet"].text == "pyarrow 1"
    result = CliRunner().invoke(app, ["doctor"])
    assert (result.exit_code, "everything" in result.stderr) == (0, False)
    assert result.stderr.endswith("the other commands need what training lacks\n")


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (MachineError("OpenCV cannot be loaded (libGL.so.1)"), "OpenCV cannot be loaded (libGL.so.1)"),
        (ValueError("no such tensor\nand more"), "no such tensor"),
    ],
)
def test_what_is_broken_is_told_and_ends_with_1(monkeypatch, error, told):
    def fail(*_, **__):
        raise error

    monkeypatch.setattr("fercli.workflows.predict.api.predict", fail)
    monkeypatch.setattr("fercli.predict", fail, raising=False)
    result = CliRunner().invoke(app, ["doctor", "--json"])
    assert result.exit_code == 1
    (broken,) = [finding for finding in json.loads(result.stdout) if finding["state"] == "broken"]
    assert (broken["name"], broken["text"]) == ("prediction", told)
    result = CliRunner().invoke(app, ["doctor"])
    assert result.exit_code == 1
    assert "broken: prediction" in result.stderr


def test_a_wrong_answer_is_broken(monkeypatch, tmp_path):
    from PIL import Image

    Image.new("RGB", (200, 200)).save(tmp_path / "blank.png")
    monkeypatch.setattr("matplotlib.cbook.get_sample_data", lambda *_, **__: tmp_path / "blank.png")
    (finding,) = [finding for finding in examine() if finding.name == "prediction"]
    assert finding.state == "broken"
    assert "not one neutral face" in finding.text


@pytest.mark.parametrize(
    ("typed", "expected"),
    [("fer pre", "predict"), ("fer predict --expl", "--explain"), ("fer data ch", "check"), ("fer doc", "doctor")],
)
def test_a_shell_completes_commands_and_options(typed, expected):
    given = {"_FER_COMPLETE": "complete_bash", "COMP_WORDS": typed, "COMP_CWORD": str(typed.count(" "))}
    told = subprocess.run(
        [sys.executable, "-m", "fercli"], env=os.environ | given, capture_output=True, text=True, check=False
    )
    assert told.stdout.split() == [expected]
