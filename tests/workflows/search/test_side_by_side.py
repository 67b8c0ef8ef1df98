"""Several processes on one study, one of them killed; and trials on a real Ray cluster of this machine."""

import csv
import subprocess
import sys
import time
from dataclasses import replace

import pytest

from fercli.data.cartoon import cartoon
from fercli.data.loaders.face_file import write_faces

pytestmark = pytest.mark.slow

SPACE = "optimizer.lr: {low: 1e-3, high: 3e-2, log: true}\naugment.rotate: {low: 0, high: 20}\n"
SMALL = ("arguments.width=0.25", "arguments.expansion=0.25", "arguments.head=16")
WORDS = "search --data faces.safetensors --space space.yaml --recipe quick --epochs 3 --trials 6 --top 1 --seeds 1"
FIXED = "--compile off --precision fp32 --device cpu"


@pytest.fixture
def start(tmp_path):
    """Starts `fer search` in a folder with faces and a space."""
    write_faces(tmp_path / "faces.safetensors", replace(cartoon(10, 1), name="small"))
    (tmp_path / "space.yaml").write_text(SPACE)
    settings = [word for setting in SMALL for word in ("--set", setting)]
    command = [sys.executable, "-m", "fercli", *WORDS.split(), *FIXED.split(), *settings]

    def begin(*more: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [*command, *more], cwd=tmp_path, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    return begin


def read_trials(folder):
    with (folder / "trials.csv").open(newline="") as file:
        return [{name: cell for name, cell in row.items() if name != "seconds"} for row in csv.DictReader(file)]


def test_two_processes_share_a_study_and_one_may_be_killed(start, tmp_path):
    first, second = start("--out", "study"), start("--out", "study")
    begun = tmp_path / "study" / "trials"
    while first.poll() is None and len(list(begun.glob("*/history.csv"))) < 2:
        time.sleep(0.05)
    first.kill()
    first.communicate()
    said = second.communicate(timeout=240)[1]
    assert second.returncode == 0, said
    last = start("--out", "study")
    said = last.communicate(timeout=240)[1]
    assert last.returncode == 0, said
    assert [row["trial"] for row in read_trials(tmp_path / "study")] == [str(number) for number in range(6)]
    assert {row["state"] for row in read_trials(tmp_path / "study")} <= {"complete", "given up"}


def test_trials_side_by_side_and_on_a_cluster_are_those_of_one_process_where_chance_draws_them(
    start, tmp_path, start_cluster
):
    cluster = start_cluster()
    ways = {
        "one": (),
        "two": ("--jobs", "2"),
        "ray": ("--ray", cluster.address, "--jobs", "2"),
    }
    drawn = ("--sampler", "random", "--pruner", "none")
    try:
        for name, more in ways.items():
            process = start("--out", name, "--trials", "3", "--top", "0", *drawn, *more)
            said = process.communicate(timeout=240)[1]
            assert process.returncode == 0, said
    finally:
        cluster.shutdown()
    one, two, ray = (read_trials(tmp_path / name) for name in ways)
    assert one == two == ray
