"""Commands as processes of their own: killed at random moments and resumed, or racing for one output.

The processes are forked from one that has imported the program, which spares each of them seconds. A killed job must
come to the figures of one that nobody disturbed, and leave no temporary file and no lock.
"""

import json
import multiprocessing
import os
import shutil
import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

from benchmarks.faults.command import PRELOAD, run_as_process
from benchmarks.faults.inputs import FACES
from benchmarks.faults.worker import Reply, find_fault

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
    #: one of these must be there for `resume`, by default the output; before, it is started anew
    begun: tuple[str, ...] = ()


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
    Job("predict csv", _PREDICT, "rows.csv", "--resume", _content, ("rows.csv.job",)),
    Job("predict jsonl", _PREDICT, "rows.jsonl", "--resume", _content, ("rows.jsonl.job",)),
    Job("predict parquet", _PREDICT, "rows.parquet", "--resume", _rows, ("rows.parquet.job", "rows.parquet")),
    Job("train", f"train {_TRAIN} --epochs 3 --out {{out}}", "run", "--resume", _run, ("run/config.yaml",)),
    Job("crossval", f"crossval {_TRAIN} --epochs 1 --folds 3 -j 1 --out {{out}}", "cv", "", _tables),
    Job("data check", _CHECK, "fixed.safetensors", "--force", _content),
)  # fmt: skip

#: The jobs that race; cross-validations have the lock of trainings, and take minutes.
RACES = ("predict csv", "predict jsonl", "predict parquet", "train")


class HungError(Exception):
    """A command did not end in time."""


class Command:
    """`fer WORDS…` in a folder, as a process that has started."""

    def __init__(self, words: Sequence[str], folder: Path, errors: Path) -> None:
        self._errors = errors
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(["benchmarks.faults.command", *PRELOAD])
        self._process = context.Process(target=run_as_process, args=(words, str(folder), str(errors)))
        self._process.start()

    def send_signal(self, number: int) -> None:
        """Send it a signal, unless it has ended."""
        if self._process.exitcode is None and self._process.pid is not None:
            os.kill(self._process.pid, number)

    def end(self) -> tuple[int, str]:
        """Wait for its end: its exit code, and what it wrote to standard error. Raises HungError."""
        self._process.join(_LIMIT)
        code = self._process.exitcode
        if code is None:
            self._process.kill()
            raise HungError(f"it has not ended after {_LIMIT} s")
        return code, self._errors.read_text(encoding="utf-8", errors="replace") if self._errors.exists() else ""


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
            process = self._start(self._words(job, folder), folder)
            # at any moment of the work; seldom after its end
            time.sleep(seconds * draw.uniform(0.0, 1.05))
            process.send_signal(draw.choice((signal.SIGKILL, signal.SIGTERM)))
            _, told = process.end()
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
        processes = [self._start(words, folder, number) for number in range(draw.randint(2, 3))]
        endings = [process.end() for process in processes]
        worked = [told for code, told in endings if code in (0, 1)]
        for code, told in endings:
            error = told.strip().rpartition("\n")[2]
            if "Traceback" in told or (code not in (0, 1) and (code != 2 or find_fault(error))):
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
        code, told = self._start(self._words(job, folder), folder).end()
        complete = "is complete" in told or "nothing left to do" in told
        well = (code in (0, 1) or complete) and "Traceback" not in told
        return None if well else f"exit code {code}: {told}"

    def _start(self, words: Sequence[str], folder: Path, number: int = 0) -> Command:
        """Start a command; what it writes to standard error goes beside the folder, to a file of that number."""
        errors = self.scratch / f"process-{number}.err"
        errors.unlink(missing_ok=True)
        return Command(words, folder, errors)

    def _words(self, job: Job, folder: Path) -> list[str]:
        words = job.words.replace("{in}", str(self.inputs)).replace("{out}", job.out)
        begun = any((folder / name).exists() for name in job.begun or (job.out,))
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
