"""A long job of `fer predict`, killed in the middle and resumed, beside one that nobody disturbs: the same bytes?

usage: FER_DATA=… python -m benchmarks.killed_job [FOLDER] [--pictures 10000] [--engine onnx] [--engine torch]

The pictures are FOLDER's, else muxspace's in FER_DATA. Each engine does the job twice into a csv file. The second time
the process is killed (SIGKILL) as soon as half of the rows are there, and the same command goes on with --resume.
Prints seconds, CPU seconds and peak memory of the undisturbed job, and in how many faces the two engines differ.
"""

import argparse
import csv
import signal
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.prediction import photographs
from benchmarks.usage import run_measured


def command(pictures: Path, output: Path, engine: str, *more: str) -> list[str]:
    """`fer predict` on a list of pictures, as arguments of Python."""
    words = ["predict", "--from-file", str(pictures), "-o", str(output), "--engine", engine, "--device", "cpu", "-q"]
    return ["-m", "fercli", *words, *more]


def start(words: list[str]) -> subprocess.Popen[bytes]:
    """A Python command in a process of its own."""
    return subprocess.Popen([sys.executable, *words], stderr=subprocess.DEVNULL)


def run_killed(pictures: Path, output: Path, engine: str, size: int) -> None:
    """The job killed when its file has half of `size` bytes, and resumed."""
    job = start(command(pictures, output, engine))
    while not (output.is_file() and output.stat().st_size > size // 2):
        if job.poll() is not None:
            raise SystemExit("the job ended before it could be killed")
        time.sleep(0.02)
    job.send_signal(signal.SIGKILL)
    job.wait()
    start(command(pictures, output, engine, "--resume")).wait()


def compare(first: Path, second: Path) -> str:
    """How far the rows of two engines are apart."""
    rows = [list(csv.DictReader(path.open(newline="", encoding="utf-8"))) for path in (first, second)]
    if len(rows[0]) != len(rows[1]):
        return f"{len(rows[0]):,} rows beside {len(rows[1]):,}"
    pairs = [(a, b) for a, b in zip(*rows, strict=True) if a["status"] == "ok" and b["status"] == "ok"]
    labels = sum(a["label"] != b["label"] for a, b in pairs)
    apart = max((abs(float(a["confidence"]) - float(b["confidence"])) for a, b in pairs), default=0.0)
    return f"{len(pairs):,} faces, {labels} predicted differently, confidences {apart:.6f} apart at most"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path)
    parser.add_argument("--pictures", type=int, default=10_000)
    parser.add_argument("--engine", action="append", choices=("onnx", "torch"))
    options = parser.parse_args()
    with TemporaryDirectory() as name:
        folder = Path(name)
        pictures = folder / "pictures.txt"
        chosen = photographs(options.folder)[: options.pictures]
        pictures.write_text("".join(f"{path.resolve()}\n" for path in chosen), encoding="utf-8")
        wholes = []
        for engine in options.engine or ("onnx", "torch"):
            whole, killed = folder / f"{engine}.csv", folder / f"{engine}-killed.csv"
            used = run_measured(*command(pictures, whole, engine))
            if used.code not in (0, 1):
                raise SystemExit(f"fer predict ended with {used.code}")
            cost = f"{used.seconds:.0f} s, {used.cpu_seconds:.0f} s of CPU time, {used.megabytes:,.0f} MB"
            print(f"{engine}: {len(chosen):,} pictures in {cost}", flush=True)
            run_killed(pictures, killed, engine, whole.stat().st_size)
            same = "the same bytes" if whole.read_bytes() == killed.read_bytes() else "OTHER BYTES"
            print(f"{engine}: killed in the middle and resumed: {same}", flush=True)
            wholes.append(whole)
        if len(wholes) == 2:
            print(f"onnx beside torch: {compare(*wholes)}")


if __name__ == "__main__":
    main()
