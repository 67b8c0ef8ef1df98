"""--threads: every library that computes obeys it, and a run records it."""

import json
import os
import subprocess
import sys

#: What each library says of its threads, after the command is done.
SHOW = """
import sys
from fercli.cli.app import main
try:
    main()
except SystemExit as end:
    assert not end.code
from fercli.core.engine import count_threads
import cv2, torch
print("threads:", count_threads(), torch.get_num_threads(), cv2.getNumThreads())
"""


def test_every_library_obeys(tmp_path):
    words = ["predict", "--demo", "--engine", "torch", "--device", "cpu", "--threads", "1"]
    environment = {name: value for name, value in os.environ.items() if name != "OMP_NUM_THREADS"}
    done = subprocess.run(
        [sys.executable, "-c", f"import sys\nsys.argv = ['fer', *{words!r}]{SHOW}"],
        capture_output=True, text=True, check=True, env=environment, cwd=tmp_path,
    )  # fmt: skip
    assert done.stdout.splitlines()[-1] == "threads: 1 1 1"


def test_a_run_records_its_threads(tmp_path):
    words = ["train", "--data", "cartoon", "--recipe", "quick", "--epochs", "1", "--device", "cpu", "--threads", "1"]
    environment = {name: value for name, value in os.environ.items() if name != "OMP_NUM_THREADS"}
    command = [sys.executable, "-m", "fercli", *words, "--out", "run"]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, env=environment)
    assert json.loads((tmp_path / "run" / "meta.json").read_text(encoding="utf-8"))["device"] == "cpu, 1 threads"


def test_no_threads_are_refused(fer):
    code, out, err = fer("predict", "x.jpg", "--threads", "0")
    assert (code, out) == (2, "")
    assert "--threads" in err
