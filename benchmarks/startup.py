"""How long commands take to start, as ratios to importing what they cannot do without.

usage: python -m benchmarks.startup [--repeats 9]
"""

import argparse
import json
import statistics
import subprocess
import sys
import time

#: what is timed, and the import that it is compared with
PAIRS = {
    "fer --help": (["-m", "fercli", "--help"], "import typer"),
    "fer models": (["-m", "fercli", "models"], "import torch"),
    "fer predict --demo": (["-m", "fercli", "predict", "--demo"], "import torch, facenet_pytorch"),
}


def seconds(words: list[str], repeats: int) -> float:
    """The median wall time of a Python command."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        subprocess.run([sys.executable, *words], check=True, capture_output=True)
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=9)
    repeats = parser.parse_args().repeats
    result = {}
    for name, (command, needed) in PAIRS.items():
        ours, bare = seconds(command, repeats), seconds(["-c", needed], repeats)
        ratio = round(ours / bare, 2)
        result[name] = {"seconds": round(ours, 3), "beside": needed, "its_seconds": round(bare, 3), "ratio": ratio}
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
