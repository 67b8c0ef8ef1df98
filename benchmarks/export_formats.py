"""Size, accuracy and latency of each export format of a trained network, measured in one run.

Accuracy is top-1 of a single view on the set's val (FER2013's PublicTest). Latency is the median of a batch's time on
one thread; the formats take turns batch by batch, so that a machine that slows down slows all of them. pt2 is run by
PyTorch, onnx by ONNX Runtime.

usage: python -m benchmarks.export_formats [--model xu-rescnn] [--data fer2013] [--root DIR] [--seconds 5]
"""

import argparse
import os
import platform
from pathlib import Path
from tempfile import TemporaryDirectory

import onnxruntime
import torch

from fercli.models.export.graph import graph
from fercli.models.export.verify import Runner, file_runner, milliseconds, module_runner
from fercli.models.load import load_model
from fercli.workflows.export.run import export
from fercli.workflows.export.verify import SUFFIXES, Export


def row(done: Export, name: str, times: dict[int, dict[str, float]]) -> str:
    """A line of the table."""
    accuracy = done.check.accuracy
    assert accuracy is not None
    cells = [
        f"`{done.form}`",
        f"{done.size / 1e3:.0f} KB",
        f"{100 * accuracy.exported:.2f} %",
        f"{len(accuracy.differing)} of {accuracy.faces:,}",
        f"{done.check.largest_difference:.0e}",
        *(f"{taken[name]:.2f} ms" for taken in times.values()),
    ]
    return f"| {' | '.join(cells)} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="xu-rescnn")
    parser.add_argument("--data", default="fer2013")
    parser.add_argument("--root", type=Path)
    parser.add_argument("--seconds", type=float, default=5.0)
    options = parser.parse_args()
    with TemporaryDirectory() as folder:
        made: list[Export] = []
        runners: dict[str, Runner] = {}
        for form, suffix in SUFFIXES.items():
            path = Path(folder) / f"{form}{suffix}"
            made.append(
                export(options.model, form, path, data=options.data, root=options.root, max_drop=100, seconds=0)
            )
            safe = form.startswith("safetensors")  # which are weights: PyTorch's own network runs with them
            runners[form] = module_runner(graph(load_model(str(path)))) if safe else file_runner(path)
        times = milliseconds(runners, options.seconds)
    print("| format | size | accuracy | predicted differently | largest difference | 1 face | 64 faces |")
    print("|---|---|---|---|---|---|---|")
    for done in made:
        print(row(done, done.form, times))
    versions = f"torch {torch.__version__}, onnxruntime {onnxruntime.__version__}"
    print(f"\n{platform.machine()}, one thread of {os.cpu_count()}, {versions}; safetensors is PyTorch's own network")


if __name__ == "__main__":
    main()
