"""A simulation of independent tasks on many workers: how busy they are, with failures and slow workers.

Nothing here was run on more than one machine. Tasks take times drawn from a log-normal distribution with a mean and a
spread that were measured on two cores; a worker fails at a given rate, which costs its task what was done of it and
the worker some minutes; some workers are slow. Two ways to give out tasks: 'queue', in which whoever is free takes the
next one (`--workers`, `--ray`, and the tasks of a job array), and 'fixed', in which each worker has an equal share
from the start (one `--shard I/N` a worker).

Efficiency is the work there is, on workers of full speed, divided by workers × the time until the last task is done.

usage: python -m benchmarks.scaling [--workers 8 64 512] [--failures 0.01] [--slow 0.05] [--times RUN] [--seed 0]

`--times` takes the folder of a cross-validation, whose folds' times it draws from.
"""

import argparse
import csv
import heapq
import random
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

#: Simulations for each line of a table, of which the median is shown.
_REPEATS = 21


@dataclass(frozen=True)
class Load:
    """Independent tasks: `mean` seconds each and their spread, as the standard deviation of the times' logarithms.
    `start` is what a task costs besides: imports, the network, the data."""

    what: str
    tasks: int
    mean: float
    spread: float
    start: float


#: Means and spreads are those of docs/scaling.md, which says how they were measured.
LOADS = (
    Load("crossval, 100 folds of 10 minutes", 100, 600, 0.1, 4),
    Load("crossval, 1,000 folds of 10 minutes", 1000, 600, 0.1, 4),
    Load("predict, 1,000 shards of 10,000 photographs", 1000, 225, 0.15, 1.5),
    Load("predict, 64 shards of 156,250 photographs", 64, 3516, 0.15, 1.5),
)


@dataclass(frozen=True)
class Trouble:
    """Failures of a worker an hour, the seconds that each costs it, and the fraction of workers that take `slowdown`
    times as long."""

    failures: float = 0.0
    repair: float = 300.0
    slow: float = 0.0
    slowdown: float = 2.0


def draw_times(load: Load, rng: random.Random, measured: Sequence[float] = ()) -> list[float]:
    """The seconds of each task."""
    if measured:
        return [rng.choice(measured) + load.start for _ in range(load.tasks)]
    noise = [rng.lognormvariate(-(load.spread**2) / 2, load.spread) for _ in range(load.tasks)]
    return [load.mean * each + load.start for each in noise]


def simulate(times: Sequence[float], workers: int, trouble: Trouble, rng: random.Random, fixed: bool = False) -> float:
    """Seconds until the last task is done."""
    slow = set(rng.sample(range(workers), round(trouble.slow * workers)))
    paces = [trouble.slowdown if worker in slow else 1.0 for worker in range(workers)]
    if fixed:
        return max(sum(_attempts(times[worker::workers], paces[worker], trouble, rng)) for worker in range(workers))
    free = [(0.0, worker) for worker in range(workers)]
    end = 0.0
    for seconds in times:
        start, worker = heapq.heappop(free)
        done = start + sum(_attempts([seconds], paces[worker], trouble, rng))
        heapq.heappush(free, (done, worker))
        end = max(end, done)
    return end


def _attempts(times: Sequence[float], pace: float, trouble: Trouble, rng: random.Random) -> Iterator[float]:
    """What a worker's tasks take, lost attempts and repairs included."""
    for seconds in times:
        while trouble.failures:
            until = rng.expovariate(trouble.failures / 3600)
            if until >= seconds * pace:
                break
            yield until + trouble.repair
        yield seconds * pace


def efficiency(load: Load, workers: int, trouble: Trouble, fixed: bool, seed: int, measured: Sequence[float]) -> float:
    """The median over several simulations, 0 to 1."""
    found = []
    for repeat in range(_REPEATS):
        rng = random.Random(f"{seed} {repeat} {load.what} {workers}")
        times = draw_times(load, rng, measured)
        found.append((sum(times) - load.start * load.tasks) / workers / simulate(times, workers, trouble, rng, fixed))
    return statistics.median(found)


def read_times(folder: Path) -> list[float]:
    """The seconds of each fold of a cross-validation."""
    times = []
    for history in sorted(folder.rglob("history.csv")):
        with history.open(encoding="utf-8", newline="") as file:
            times.append(sum(float(row["seconds"]) for row in csv.DictReader(file)))
    if not times:
        raise SystemExit(f"{folder} has no fold with a history.csv")
    return times


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workers", type=int, nargs="+", default=[8, 64, 512])
    parser.add_argument("--failures", type=float, default=0.01, help="of a worker an hour")
    parser.add_argument("--slow", type=float, default=0.05, help="the fraction of workers that take twice as long")
    parser.add_argument("--times", type=Path, help="a cross-validation's folder")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    measured = read_times(options.times) if options.times else []
    troubles = (Trouble(), Trouble(options.failures), Trouble(options.failures, slow=options.slow))
    print(
        f"| tasks | workers | all well | {options.failures:g} failures an hour | and {options.slow:.0%} slow | fixed |"
    )
    print("|---|--:|--:|--:|--:|--:|")
    for load in LOADS:
        for workers in options.workers:
            found = [efficiency(load, workers, trouble, False, options.seed, measured) for trouble in troubles]
            found.append(efficiency(load, workers, troubles[-1], True, options.seed, measured))
            print(f"| {load.what} | {workers:,} | " + " | ".join(f"{each:.0%}" for each in found) + " |")


if __name__ == "__main__":
    main()
