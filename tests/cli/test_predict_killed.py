"""`fer predict --output` killed for good, as a process of its own, and resumed."""

import os
import random
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from matplotlib.cbook import get_sample_data
from PIL import Image

from fercli.workflows.predict.output.readers import read_predictions

PICTURES = 600


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    """Small pictures of noise without faces, one in fifteen the portrait, some that cannot be read."""
    folder = tmp_path_factory.mktemp("photos")
    portrait = Image.open(get_sample_data("grace_hopper.jpg", asfileobj=False))
    portrait = portrait.resize((160, 188))
    noise = np.random.default_rng(0)
    for number in range(PICTURES):
        path = folder / f"{number}.png"
        if number % 15 == 7:
            portrait.save(path)
        elif number % 40 == 3:
            path.write_text("no picture")
        else:
            Image.fromarray(noise.integers(0, 255, (40, 50, 3), np.uint8)).save(path)
    return folder


def start(photos: Path, output: Path, *flags: str) -> "subprocess.Popen[str]":
    words = ["predict", photos.name, "-o", str(output), "--device", "cpu", *flags]
    surroundings = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONUTF8": "1"}
    return subprocess.Popen(
        [sys.executable, "-m", "fercli", *words], cwd=photos.parent, env=surroundings, stderr=subprocess.PIPE, text=True
    )


def kill_when_it_has(process: "subprocess.Popen[str]", file: Path, lines: int) -> None:
    """SIGKILL (on Windows TerminateProcess) once the file has that many lines."""
    end = time.monotonic() + 120
    while process.poll() is None and time.monotonic() < end:
        if file.exists() and file.read_bytes().count(b"\n") >= lines:
            break
        time.sleep(0.001)
    process.kill()
    process.communicate()


@pytest.fixture(scope="module")
def undisturbed(photos):
    """The file of a job that nobody killed, and its closing line."""
    whole = photos.parent / "whole.csv"
    process = start(photos, whole)
    _, told = process.communicate(timeout=120)
    assert process.returncode == 1
    return whole, told.splitlines()[-2]


@pytest.mark.slow
@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_killed_at_random_moments_it_comes_to_the_same_end(photos, undisturbed, tmp_path, form):
    draw = random.Random(form)
    output = tmp_path / f"a.{form}"
    grows = output if form == "csv" else tmp_path / "a.parquet.part.jsonl"
    first = draw.randrange(5, 30)
    kill_when_it_has(start(photos, output), grows, first)
    kill_when_it_has(start(photos, output, "--resume"), grows, draw.randrange(200, 400))
    assert (tmp_path / f"a.{form}.job").is_file()
    resumed = start(photos, output, "--resume")
    _, told = resumed.communicate(timeout=120)
    assert (resumed.returncode, told.splitlines()[0].split()[0]) == (1, "resuming")
    whole, closing = undisturbed
    faces, failed = len(range(7, PICTURES, 15)), len(range(3, PICTURES, 40))
    assert closing == f"{PICTURES} pictures, {faces} faces: {faces} neutral; {failed} failed"
    assert told.splitlines()[-2] == closing
    assert list(read_predictions(output)) == list(read_predictions(whole))
    if form == "csv":
        assert output.read_bytes() == whole.read_bytes()
    assert not list(tmp_path.glob(".*")), "the killed jobs' locks are gone"


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGTERM to catch")
def test_sigterm_ends_a_job_as_ctrl_c_does(photos, undisturbed, tmp_path):
    output = tmp_path / "a.csv"
    process = start(photos, output)
    while not output.exists() or output.read_bytes().count(b"\n") < 100:
        assert process.poll() is None
        time.sleep(0.01)
    process.terminate()
    _, told = process.communicate(timeout=60)
    assert process.returncode == 143
    assert "--resume continues" in told
    assert "Traceback" not in told
    resumed = start(photos, output, "--resume")
    resumed.communicate(timeout=120)
    assert output.read_bytes() == undisturbed[0].read_bytes()


@pytest.mark.slow
@pytest.mark.parametrize("flags", [(), ("--resume",)], ids=["new", "resumed"])
def test_jobs_that_race_for_one_file_lose_no_row(photos, undisturbed, tmp_path, flags):
    output = tmp_path / "a.parquet"
    if flags:
        kill_when_it_has(start(photos, output), tmp_path / "a.parquet.part.jsonl", 300)
    processes = [start(photos, output, *flags) for _ in range(3)]
    endings = [(process.communicate(timeout=300)[1], process.returncode) for process in processes]
    codes = sorted(code for _, code in endings)
    # one job does the work; the others come while it runs, or find it done
    assert codes[0] in (0, 1)
    assert all(code in (1, 2) for code in codes)
    for told, code in endings:
        assert code == 1 or "is being written by process" in told or "exists already" in told
    assert list(read_predictions(output)) == list(read_predictions(undisturbed[0]))
    assert [file.name for file in tmp_path.iterdir()] == [output.name]
