"""Cases one after the other, each kind given the same time, counted; failures kept as files with their seeds."""

import os
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from benchmarks.faults.kinds import KINDS, Kind
from benchmarks.faults.processes import Processes
from benchmarks.faults.worker import FINE, Reply, Worker

#: The kinds whose faults happen to processes.
PROCESSES = ("kills", "races")
#: So many failures of a kind are told and kept; all are counted.
MAX_KEPT = 30


@dataclass
class Count:
    """What the cases of one kind came to."""

    outcomes: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0

    @property
    def cases(self) -> int:
        """How many there were."""
        return self.outcomes.total()

    @property
    def failures(self) -> int:
        """How many ended as none should."""
        return sum(number for outcome, number in self.outcomes.items() if outcome not in FINE)


class Campaign:
    """Cases of the kinds named, from a seed. Call `prepare`, then `run`; `close` at the end."""

    def __init__(self, scratch: Path, out: Path, seed: int, names: Sequence[str]) -> None:
        self.scratch, self.out, self.seed = scratch, out, seed
        self.inputs = scratch / "inputs"
        self.worker = Worker(scratch)
        self.processes = Processes(self.inputs, scratch)
        self.kinds = {kind.name: kind for kind in KINDS if kind.name in names}
        self.counts = {name: Count() for name in (*self.kinds, *PROCESSES) if name in names}

    def prepare(self) -> None:
        """Make the good files, in the worker, which has the libraries for it."""
        # the caches of whoever runs this stay as they are, and nothing is fetched
        ours = {"FAULTS_INPUTS": str(self.inputs), "FER_CACHE": str(self.scratch / "cache"), "OMP_NUM_THREADS": "1"}
        os.environ.update(ours, TORCH_HOME=str(self.scratch / "torch"), CUDA_VISIBLE_DEVICES="", HF_HUB_OFFLINE="1")
        os.environ.pop("FER_CATALOGUE", None)
        if not self.inputs.is_dir():
            made = self.worker.run("make_inputs", self.inputs, cpu=600)
            if made.outcome != "result":
                sys.exit(f"the good files cannot be made: {made.text}")

    def run(self, seconds: float, most: int | None = None) -> None:
        """Cases of all kinds, for so many seconds or so many cases each: first of files, then, for a quarter of the
        time, of processes, whose cases take minutes."""
        files, processes = list(self.kinds), [name for name in PROCESSES if name in self.counts]
        share = 0.75 if files and processes else 1.0
        self._run(files, share * seconds, most)
        self._run(processes, (1.0 - share if files else 1.0) * seconds, most)

    def _run(self, names: Sequence[str], seconds: float, most: int | None) -> None:
        """Let whichever kind has had the least time have the next case, until the time, or so many cases each, are
        over. Each has one at least."""
        end = time.monotonic() + seconds
        while left := [name for name in names if most is None or self.counts[name].cases < most]:
            waiting = [name for name in left if not self.counts[name].cases]
            if time.monotonic() > end and not waiting:
                return
            name = waiting[0] if waiting else min(left, key=lambda each: self.counts[each].seconds)
            self._count(name, self.counts[name].cases)

    def _count(self, name: str, number: int) -> None:
        """Do one case; its seed is the campaign's, the kind and its number."""
        begun = time.monotonic()
        seed = f"{self.seed}/{name}/{number}"
        what, reply = self.do(name, seed)
        count = self.counts[name]
        count.outcomes[reply.outcome] += 1
        count.seconds += time.monotonic() - begun
        if reply.outcome not in FINE:
            self._keep(seed, what, reply)

    def do(self, name: str, seed: str) -> tuple[str, Reply]:
        """The case of that seed: the file or job it is about, and how it ended."""
        draw = Random(seed)
        jobs: dict[str, Callable[[Random], tuple[str, Reply]]] = {
            "kills": self.processes.kill,
            "races": self.processes.race,
        }
        if name not in jobs:
            return self._mutated(self.kinds[name], draw)
        try:
            return jobs[name](draw)
        except (RuntimeError, subprocess.TimeoutExpired) as error:
            return "a process", Reply("exception", str(error), 0.0)

    def _mutated(self, kind: Kind, draw: Random) -> tuple[str, Reply]:
        good = draw.choice(kind.files(self.inputs))
        bad = kind.mutate(good, good.read_bytes(), draw)
        place = self.scratch / "case"
        shutil.rmtree(place, ignore_errors=True)
        origin = self.inputs / kind.inputs
        if kind.whole:
            shutil.copytree(origin, place)
        path = place / good.relative_to(origin)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(bad)
        return path.name, self.worker.run(kind.call, path, kind.lines, kind.seconds)

    def _keep(self, seed: str, what: str, reply: Reply) -> None:
        """Keep what failed: the file, its seed and what happened. Of many alike, the first are enough."""
        if self.counts[seed.split("/")[1]].failures > MAX_KEPT:
            return
        told = reply.text.strip().splitlines() or [""]
        print(f"{seed} ({what}): {reply.outcome}: {told[-1][:200]}", flush=True)
        self.out.mkdir(parents=True, exist_ok=True)
        name = seed.replace("/", "-").replace(" ", "-")
        (self.out / f"{name}.txt").write_text(f"{seed}\n{what}\n{reply.outcome}\n{reply.text}\n", encoding="utf-8")
        case = next((self.scratch / "case").rglob(what), None)
        if case and case.is_file() and seed.split("/")[1] in self.kinds:
            shutil.copyfile(case, self.out / f"{name}-{what}")

    def close(self) -> None:
        """End the worker."""
        self.worker.close()
