"""Commands as processes of their own: killed at random moments and resumed, or racing for one output.

A killed job must come to the figures of one that nobody disturbed, and leave no temporary file and no lock.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

from benchmarks.faults.inputs import FACES
from benchmarks.faults.worker import Reply, find_fault

_ROOT = Path(__file__).resolve().parents[2]
#: Seconds after which a command hangs.
_LIMIT = 300


@dataclass(frozen=True)
class Job:
    """A command whose output is {out}, the flags that resume it, and what its output comes to, times left out."""

    name: str
    words: str
    out: str
    resume: str
    figures: Callable[[Path], object]
    #: what must be there for `resume`; before, it is started anew
    begun: str = ""


def _content(path: Path) -> object:
    return path.read_bytes()


def _rows(path: Path) -> object:
    import pyarrow.parquet

    return pyarrow.parquet.read_table(path).to_pylist()


def _run(path: Path) -> object:
    """The figures and weights of a run."""
    from safetensors import safe_open

    with safe_open(path / "model.safetensors", framework="numpy") as file:
        weights = {name: file.get_tensor(name).tobytes() for name in file.keys()}  # noqa: SIM118
    metrics = json.loads((path / "metrics.json").read_text())
    return weights, {part: metrics[part] for part in ("val", "test") if part in metrics}, _content(path / "split.csv")


def _tables(path: Path) -> object:
    return {table.relative_to(path).as_posix(): table.read_bytes() for table in sorted(path.rglob("*.csv"))
            if table.name != "history.csv"}  # fmt: skip


_PREDICT = "predict {in}/pictures {in}/jobs/photos {in}/archives/a.zip --faces-are-cropped --device cpu -o {out}"
_TRAIN = f"--data {{in}}/{FACES} --model lenet --recipe quick --device cpu --batch-size 16 --group image"
_CHECK = f"data check {{in}}/{FACES} --group image --fix {{out}}"
JOBS = (
    Job("predict csv", _PREDICT, "rows.csv", "--resume", _content, "rows.csv.job"),
    Job("predict jsonl", _PREDICT, "rows.jsonl", "--resume", _content, "rows.jsonl.job"),
    Job("predict parquet", _PREDICT, "rows.parquet", "--resume", _rows, "rows.parquet.job"),
    Job("train", f"train {_TRAIN} --epochs 3 --out {{out}}", "run", "--resume", _run, "run/config.yaml"),
    Job("crossval", f"crossval {_TRAIN} --epochs 1 --folds 3 -j 1 --out {{out}}", "cv", "", _tables),
    Job("data check", _CHECK, "fixed.safetensors", "--force", _content),
)  # fmt: skip

#: The jobs that race; cross-validations have the lock of trainings, and take minutes.
RACES = ("predict csv", "predict jsonl", "predict parquet", "train")


def start(words: Sequence[str], folder: Path, inputs: Path) -> "subprocess.Popen[str]":
    """`fer WORDS…` in a folder, one thread, with a cache of its own."""
    surroundings = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONUTF8": "1", "FER_CACHE": str(inputs.parent / "cache")}
    surroundings["PYTHONPATH"] = os.pathsep.join(filter(None, [str(_ROOT), os.environ.get("PYTHONPATH", "")]))
    return subprocess.Popen(
        [sys.executable, "-m", "fercli", *words], cwd=folder, env=surroundings, text=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
    )  # fmt: skip


class Processes:
    """Jobs to kill and to race, on the good files in `inputs`; what they come to undisturbed is computed once."""

    def __init__(self, inputs: Path, scratch: Path) -> None:
        self.inputs, self.scratch = inputs, scratch
        self._undisturbed: dict[str, tuple[object, float]] = {}

    def kill(self, draw: Random, jobs: Sequence[Job] = JOBS) -> tuple[str, Reply]:
        """One job killed once to three times at random moments, then resumed to its end."""
        job, begun = draw.choice(jobs), time.monotonic()
        expected, seconds = self._come_to(job)
        folder = self._new_folder()
        for _ in range(draw.randint(1, 3)):
            process = start(self._words(job, folder), folder, self.inputs)
            # rarely while Python still starts; seldom after its end
            time.sleep(seconds * draw.uniform(0.2, 1.05))
            process.send_signal(draw.choice((signal.SIGKILL, signal.SIGTERM)))
            _, told = process.communicate(timeout=_LIMIT)
            if "Traceback" in told:
                return job.name, Reply("exception", told[-1500:], time.monotonic() - begun)
        told = self._finish(job, folder)
        if told is not None:
            return job.name, Reply("exception", told[-1500:], time.monotonic() - begun)
        return job.name, _judge(job, folder, expected, begun)

    def race(self, draw: Random, jobs: Sequence[Job] | None = None) -> tuple[str, Reply]:
        """Two or three processes on one output: one works, the others are told so in one line."""
        chosen = jobs or [job for job in JOBS if job.name in RACES]
        job, begun = draw.choice(chosen), time.monotonic()
        expected, _ = self._come_to(job)
        folder = self._new_folder()
        words = job.words.replace("{in}", str(self.inputs)).replace("{out}", job.out).split()
        processes = [start(words, folder, self.inputs) for _ in range(draw.randint(2, 3))]
        endings = [(process.communicate(timeout=_LIMIT)[1], process.returncode) for process in processes]
        worked = [told for told, code in endings if code in (0, 1)]
        for told, code in endings:
            error = told.strip().rpartition("\n")[2]
            if code not in (0, 1) and (code != 2 or find_fault(error) or "Traceback" in told):
                return job.name, Reply("exception", f"exit code {code}: {told[-1500:]}", time.monotonic() - begun)
        if len(worked) != 1:
            text = f"{len(worked)} of {len(endings)} worked"
            return job.name, Reply("exception", text, time.monotonic() - begun)
        return job.name, _judge(job, folder, expected, begun)

    def _come_to(self, job: Job) -> tuple[object, float]:
        """What a job comes to where nobody disturbs it, and the seconds it takes."""
        if job.name not in self._undisturbed:
            folder, begun = self._new_folder(), time.monotonic()
            told = self._finish(job, folder)
            if told is not None:
                raise RuntimeError(f"{job.name} failed where nobody disturbed it: {told}")
            self._undisturbed[job.name] = (job.figures(folder / job.out), time.monotonic() - begun)
            shutil.rmtree(folder)
        return self._undisturbed[job.name]

    def _finish(self, job: Job, folder: Path) -> str | None:
        """Let it come to its end: what it said where it did not."""
        process = start(self._words(job, folder), folder, self.inputs)
        _, told = process.communicate(timeout=_LIMIT)
        complete = "is complete" in told or "nothing left to do" in told
        return None if process.returncode in (0, 1) or complete else f"exit code {process.returncode}: {told}"

    def _words(self, job: Job, folder: Path) -> list[str]:
        words = job.words.replace("{in}", str(self.inputs)).replace("{out}", job.out)
        begun = (folder / (job.begun or job.out)).exists()
        return f"{words} {job.resume}".split() if begun else words.split()

    def _new_folder(self) -> Path:
        folder = self.scratch / "process"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        return folder


def _judge(job: Job, folder: Path, expected: object, begun: float) -> Reply:
    """Whether a job came to what was expected and left nothing beside it."""
    seconds = time.monotonic() - begun
    if hidden := [path.name for path in folder.rglob(".*")]:
        return Reply("exception", f"left behind: {', '.join(hidden)}", seconds)
    if job.figures(folder / job.out) != expected:
        return Reply("exception", "it came to other figures than undisturbed", seconds)
    return Reply("result", "", seconds)
