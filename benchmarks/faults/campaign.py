"""Cases one after the other, counted: each kind for the same time, or to its target. What fails is kept."""

import math
import os
import shutil
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from benchmarks.faults.kinds import KINDS, Kind
from benchmarks.faults.processes import HungError, Processes
from benchmarks.faults.worker import FINE, Reply, Worker

#: The kinds whose faults happen to processes, and the cases that a whole campaign has of them.
PROCESSES = {"kills": 200, "races": 50}
#: So many failures of a kind are told and kept; all are counted.
MAX_KEPT = 30


@dataclass
class Count:
    """What the cases of one kind came to."""

    outcomes: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0
    #: the most bytes that a case took
    memory: int = 0

    @property
    def cases(self) -> int:
        """How many there were."""
        return self.outcomes.total()

    @property
    def failures(self) -> int:
        """How many ended as none should."""
        return sum(number for outcome, number in self.outcomes.items() if outcome not in FINE)


class Campaign:
    """Cases of the kinds named, from a seed. Call `prepare`, then `run` or `run_whole`; `close` at the end."""

    def __init__(self, scratch: Path, out: Path, seed: int, names: Sequence[str]) -> None:
        self.scratch, self.out, self.seed = scratch, out, seed
        self.inputs = scratch / "inputs"
        self.worker = Worker(scratch)
        self.processes = Processes(self.inputs, scratch)
        self.kinds = {kind.name: kind for kind in KINDS if kind.name in names}
        self.targets = {name: kind.cases for name, kind in self.kinds.items()} | PROCESSES
        self.counts = {name: Count() for name in (*self.kinds, *PROCESSES) if name in names}
        self._stopped = False

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
        if "large pictures" in self.kinds and not (large := self.inputs / "large").is_dir():
            made = self.worker.run("make_large", large, cpu=600)
            if made.outcome != "result":
                sys.exit(f"the large pictures cannot be made: {made.text}")
        self.worker.close()  # what making them took is not part of its size

    def run_whole(self) -> None:
        """Cases of each kind to its target, those of files and those of processes side by side."""
        files, processes = list(self.kinds), [name for name in PROCESSES if name in self.counts]
        with ThreadPoolExecutor(2) as pool:
            halves = [pool.submit(self._run, names, math.inf, self.targets) for names in (files, processes)]
            try:
                for half in halves:
                    half.result()
            finally:
                self._stopped = True  # by Ctrl-C, or by an error in one of them

    def run(self, seconds: float, most: int | None = None) -> None:
        """Cases of all kinds, for so many seconds or so many cases each: first of files, then, for a quarter of the
        time, of processes, whose cases take minutes."""
        files, processes = list(self.kinds), [name for name in PROCESSES if name in self.counts]
        share = 0.75 if files and processes else 1.0
        limits = dict.fromkeys(self.counts, math.inf if most is None else most)
        self._run(files, share * seconds, limits)
        self._run(processes, (1.0 - share if files else 1.0) * seconds, limits)

    def _run(self, names: Sequence[str], seconds: float, limits: Mapping[str, float]) -> None:
        """Let whichever kind has had the least time have the next case, until the time, or so many cases each, are
        over. Each has one at least."""
        end = time.monotonic() + seconds
        while (left := [name for name in names if self.counts[name].cases < limits[name]]) and not self._stopped:
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
        count.memory = max(count.memory, reply.memory)
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
        except HungError as error:
            return "a process", Reply("hung", str(error), 0.0)
        except RuntimeError as error:
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
