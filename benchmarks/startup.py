"""How long whole commands take, and how much memory, beside importing what they cannot do without.

A command and the bare import take turns; the figures are medians. Memory is the most that the process had resident.

usage: python -m benchmarks.startup [--turns 5] [--json]
"""

import argparse
import statistics
import subprocess
import sys
import time

from benchmarks.rows import Row, print_rows

#: What is timed, the import that it is compared with, and within how many times of it the command should stay.
COMMANDS = (
    ("fer --help", ["--help"], "import typer", 3.0),
    ("fer models", ["models"], "import torch", None),
    ("fer predict --demo", ["predict", "--demo"], "import torch, facenet_pytorch", 1.5),
)
#: Runs a command and prints the most memory that it had resident, in bytes.
_WATCH = """
import resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
unit = 1 if sys.platform == "darwin" else 1024
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * unit)
"""


def seconds(words: list[str]) -> float:
    """The wall time of a Python command."""
    start = time.perf_counter()
    subprocess.run([sys.executable, *words], check=True, capture_output=True)
    return time.perf_counter() - start


def megabytes(words: list[str]) -> float:
    """The most memory that a Python command had resident."""
    told = subprocess.run([sys.executable, "-c", _WATCH, sys.executable, *words], check=True, capture_output=True)
    return int(told.stdout) / 1e6


def measure(options: argparse.Namespace) -> list[Row]:
    """A row of time and one of memory for each command."""
    rows = []
    for name, words, needed, within in COMMANDS:
        command, bare = ["-m", "fercli", *words], ["-c", needed]
        taken = [(seconds(command), seconds(bare)) for _ in range(1 + options.turns)]
        taken = taken[1:]  # the first fills the disk cache
        ours, theirs = (statistics.median(column) for column in zip(*taken, strict=True))
        rows.append(Row(f"`{name}`", ours, needed, theirs, "s", "less", 1 / within if within else None))
        if sys.platform != "win32":
            rows.append(Row(f"`{name}`, memory", megabytes(command), needed, megabytes(bare), "MB", "less"))
    return rows


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--turns", type=int, default=5)


if __name__ == "__main__":
    print_rows(__doc__, measure, arguments)
