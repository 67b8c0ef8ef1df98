"""What one GPU does, beside what was aimed at for an H200: whole commands, their start and their evaluation included.

bah_resnet: `fer train --model bah-resnet`, 100 epochs on FERGIT. xu_rescnn: seconds of training until `xu-rescnn` first
has 66.29 % on FER2013's PublicTest, as the run's own history tells. crossval: `fer crossval` of li-resnet50, ten folds,
ten runs, 30 epochs each, on the drawn faces. together: `fer crossval` of xu-rescnn on them, --jobs 8 beside --jobs 1.
What another device or fewer epochs take is said in the rows; the aims are not for them.

usage: python -m benchmarks.gpu [--only PART …] [--fergit SET] [--fer2013 SET] [--device cuda] [--epochs N] [--json]
"""

import argparse
import csv
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.rows import Row, print_rows

#: What the paper reports, and what `xu-rescnn` should have after half a minute.
WANTED = 0.6629
AIM = "the aim"


def seconds(words: Sequence[str]) -> float:
    """The wall time of a `fer` command. Raises CalledProcessError where it fails."""
    start = time.perf_counter()
    subprocess.run([sys.executable, "-m", "fercli", *words], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


def reached(history: Path, accuracy: float) -> tuple[int, float] | None:
    """The first epoch of a run's history.csv with that accuracy, 0 to 1, on validation and the seconds until its end;
    None where none has it."""
    spent = 0.0
    with history.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            spent += float(row["seconds"])
            if float(row["val_accuracy"]) >= accuracy:
                return int(row["epoch"]), spent
    return None


def bah_resnet(options: argparse.Namespace, folder: Path) -> Iterator[Row]:
    """A hundred epochs of the paper's network on the paper's set."""
    epochs = options.epochs or 100
    words = ["train", "--model", "bah-resnet", "--data", options.fergit, "--epochs", str(epochs), "--set"]
    taken = seconds([*words, "early_stopping_patience=null", "--device", options.device, "--out", str(folder)])
    yield Row(f"`bah-resnet`, {epochs} epochs of FERGIT, on {options.device}", taken, AIM, 60, "s", "less", 1.0)


def xu_rescnn(options: argparse.Namespace, folder: Path) -> Iterator[Row]:
    """Until the paper's accuracy; compiling and loading come on top and are in the note."""
    words = ["train", "--model", "xu-rescnn", "--data", options.fer2013, "--device", options.device]
    taken = seconds([*words, *(["--epochs", str(options.epochs)] if options.epochs else []), "--out", str(folder)])
    found = reached(folder / "history.csv", WANTED)
    what = f"`xu-rescnn` to {100 * WANTED:.2f} % on PublicTest, on {options.device}"
    if found is None:
        yield Row(what, taken, AIM, 30, "s", "less", 1.0, "never reached; the whole command's time")
    else:
        yield Row(what, found[1], AIM, 30, "s", "less", 1.0, f"in epoch {found[0]}; the whole command {taken:.0f} s")


def crossval(options: argparse.Namespace, folder: Path) -> Iterator[Row]:
    """A hundred trainings of a large network on 700 faces."""
    epochs, runs = options.epochs or 30, 1 if options.epochs else 10
    words = ["crossval", "--model", "li-resnet50", "--data", "cartoon", "--no-pretrained", "--epochs", str(epochs)]
    taken = seconds([*words, "--runs", str(runs), "--device", options.device, "--out", str(folder)])
    what = f"`li-resnet50`, {runs} × 10 folds of 700 faces, {epochs} epochs each, on {options.device}"
    yield Row(what, taken, AIM, 300, "s", "less", 1.0)


def together(options: argparse.Namespace, folder: Path) -> Iterator[Row]:
    """Several small networks at once on one device, each in a process of its own."""
    words = ["crossval", "--model", "xu-rescnn", "--data", "cartoon", "--recipe", "quick", "--device", options.device]
    words += ["--epochs", str(options.epochs)] if options.epochs else []
    alone, beside = (seconds([*words, "--jobs", jobs, "--out", str(folder / jobs)]) for jobs in ("1", "8"))
    yield Row(f"`xu-rescnn`, ten folds, 8 at once, on {options.device}", beside, "one by one", alone, "s", "less")


PARTS: Mapping[str, Callable[[argparse.Namespace, Path], Iterator[Row]]] = {
    part.__name__: part for part in (bah_resnet, xu_rescnn, crossval, together)
}


def measure(options: argparse.Namespace) -> list[Row]:
    """All rows of the parts asked for."""
    with TemporaryDirectory() as folder:
        return [row for name in options.only for row in PARTS[name](options, Path(folder) / name)]


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--only", nargs="+", choices=list(PARTS), default=list(PARTS))
    parser.add_argument("--fergit", default="fergit", help="its name, or a face set's file")
    parser.add_argument("--fer2013", default="fer2013", help="its name, or a face set's file")
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--epochs", type=int, help="other than the aims', to try the benchmark itself")


if __name__ == "__main__":
    print_rows(__doc__, measure, arguments)
