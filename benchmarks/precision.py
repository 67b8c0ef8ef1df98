"""Faces a second of `fer train`'s loop in bf16 autocast beside fp32, network by network, in one run on the CPU.

Both are compiled and take turns of some seconds, each in a process of its own; the figures are medians after a first
turn of each. Networks that gain carry `bf16_on_cpu` in models.yaml: `fer train` then takes bf16 for them on a CPU
that multiplies in it, unless --precision says otherwise.

usage: python -m benchmarks.precision [--models bah-resnet …] [--root DIR] [--seconds 5] [--turns 3] [--json]
"""

import argparse
import statistics
from pathlib import Path

from benchmarks.rows import Row, print_rows
from benchmarks.training import ours
from benchmarks.turns import Turns
from fercli.models.catalogue import load_catalogue
from fercli.training.device import multiplies_in_bf16


def compare(model: str, options: argparse.Namespace) -> Row:
    """One network's row."""
    works = [(ours, (model, options.root, precision, options.seconds)) for precision in ("fp32", "bf16")]
    with Turns(*works) as turns:
        taken = [(turns.take(0)[0], turns.take(1)[0]) for _ in range(1 + options.turns)][1:]
    fp32, bf16 = (statistics.median(rates) for rates in zip(*taken, strict=True))
    note = "taken by itself" if load_catalogue()[model].bf16_on_cpu else ""
    return Row(f"`{model}`, bf16", bf16, "fp32", fp32, "faces/s", "more", note=note)


def measure(options: argparse.Namespace) -> list[Row]:
    """A row a network; none on a processor that would only pretend to multiply in bf16."""
    return [compare(model, options) for model in options.models] if multiplies_in_bf16() else []


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--models", nargs="+", default=list(load_catalogue().models))
    parser.add_argument("--root", type=Path)
    parser.add_argument("--seconds", type=float, default=5.0, help="of a turn")
    parser.add_argument("--turns", type=int, default=3)


if __name__ == "__main__":
    print_rows(__doc__, measure, arguments)
