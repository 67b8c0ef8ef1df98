"""CPU time and memory of the table that `fer predict` prints for many faces, without finding them.

usage: python -m benchmarks.table_rows [--rows 100000]
"""

import argparse
from collections.abc import Iterator
from pathlib import Path

from benchmarks.usage import run_measured
from fercli.cli.predict_tables import print_tables
from fercli.core.labels import EXPRESSIONS
from fercli.faces.detection import Detection
from fercli.workflows.predict.results import FacePrediction, PictureResult


def make_results(count: int) -> Iterator[PictureResult]:
    """So many pictures, each with one face."""
    for number in range(count):
        label = EXPRESSIONS[number % len(EXPRESSIONS)]
        probabilities = {name: 0.7 if name == label else 0.05 for name in EXPRESSIONS}
        face = FacePrediction(1, Detection((10.0, 20.0, 90.0, 120.0), (), 0.99), label, 0.7, probabilities)
        yield PictureResult(Path(f"photographs/{number:07}.jpg"), "ok", faces=(face,))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--print", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.print:
        print_tables(make_results(options.rows), EXPRESSIONS)
        return
    used = run_measured("-m", "benchmarks.table_rows", "--rows", str(options.rows), "--print")
    print(f"{options.rows:,} rows: {used.cpu_seconds:.1f} s of CPU time, {used.megabytes:,.0f} MB")


if __name__ == "__main__":
    main()
