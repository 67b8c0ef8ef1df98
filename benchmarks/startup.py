"""How much CPU time and memory whole commands take, beside importing what they cannot do without.

A command and the bare import take turns; the figures are medians. CPU time counts all threads, so that it says the same
on a busy machine. Memory is the most that the process had resident. The photograph is a portrait of 600 × 400 pixels.

usage: python -m benchmarks.startup [--turns 5] [--json]
"""

import argparse
import statistics
from pathlib import Path
from tempfile import TemporaryDirectory

from matplotlib.cbook import get_sample_data
from PIL import Image

from benchmarks.rows import Row, print_rows
from benchmarks.usage import Usage, run_measured

#: What is run, what it is compared with, and within how many times of its CPU time the command should stay.
COMMANDS = (
    ("fer --help", "import typer", 1.3),
    ("fer models", "import torch", None),
    ("fer predict photo.jpg", "import torch, facenet_pytorch", 1.5),
    ("fer predict photo.jpg --engine torch", "import torch, facenet_pytorch", 1.5),
)


def run(*words: str, folder: Path) -> Usage:
    """What a Python command costs. Raises SystemExit where it fails."""
    used = run_measured(*words, folder=folder)
    if used.code:
        raise SystemExit(f"{' '.join(words)} ended with {used.code}")
    return used


def measure(options: argparse.Namespace) -> list[Row]:
    """A row of CPU time and one of memory for each command."""
    rows = []
    with TemporaryDirectory() as name:
        folder = Path(name)
        with Image.open(get_sample_data("grace_hopper.jpg", asfileobj=False)) as portrait:
            portrait.crop((0, 0, 512, 341)).resize((600, 400)).save(folder / "photo.jpg")
        for command, needed, within in COMMANDS:
            words = ["-m", "fercli", *command.split()[1:]]
            turns = [(run(*words, folder=folder), run("-c", needed, folder=folder)) for _ in range(1 + options.turns)]
            ours, theirs = zip(*turns[1:], strict=True)  # the first fills the disk cache
            seconds = (statistics.median(one.cpu_seconds for one in way) for way in (ours, theirs))
            memory = (statistics.median(one.megabytes for one in way) for way in (ours, theirs))
            target = 1 / within if within else None
            rows.append(Row(f"`{command}`", next(seconds), needed, next(seconds), "s", "less", target))
            rows.append(Row(f"`{command}`, memory", next(memory), needed, next(memory), "MB", "less"))
    return rows


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--turns", type=int, default=5)


if __name__ == "__main__":
    print_rows(__doc__, measure, arguments)
