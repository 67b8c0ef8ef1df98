"""Milliseconds a face of the classifier alone: eager PyTorch, torch.compile and ONNX Runtime, by batch and threads.

The three take turns batch by batch; each figure is the median of a batch's time, divided by its faces. Gains are
those of the fastest over eager PyTorch. Networks without shipped weights are timed as they are drawn. The last row is
the network that `fer predict` uses, in calls of as many faces as it takes, beside ONNX Runtime with all in one call.

usage: python -m benchmarks.latency [--models xu-rescnn bah-resnet] [--seconds 2] [--json]
"""

import argparse
import os
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import cast

import torch
from torch import nn

from benchmarks.rows import Row, figure, print_rows
from fercli.models.catalogue import build_model, load_catalogue
from fercli.models.export.graph import graph, metadata, write_onnx
from fercli.models.export.verify import Runner, medians, module_runner
from fercli.models.load import Model
from fercli.models.onnx_file import read_onnx
from fercli.models.onnx_model import FACES, LOGITS, load_onnx_model
from fercli.models.weights import Header

MODELS = ("xu-rescnn", "bah-resnet")
BATCHES = (1, 64, 512)


def runners(network: nn.Module, file: Path, threads: int) -> dict[str, Runner]:
    """The three ways to run a network on so many threads."""
    compiled = cast(nn.Module, torch.compile(network, dynamic=True))
    return {
        "eager": module_runner(network),
        "compiled": module_runner(compiled),
        "ONNX Runtime": read_onnx(file, threads=threads)[1].outputs,
    }


def drawn(name: str) -> Model:
    """A network of the catalogue with weights as they are drawn."""
    entry = load_catalogue()[name]
    header = Header(
        model=name,
        architecture=entry.architecture,
        arguments=entry.arguments,
        input=entry.input.model_dump(),
        classes=entry.classes,
        temperature={"single": 1.0, "mirrored": 1.0},
        training={},
    )
    return Model(build_model(name).eval(), header, torch.device("cpu"), Path(name))


def rows_of(name: str, seconds: float) -> list[Row]:
    """A row for each number of threads and size of batch."""
    model, rows = drawn(name), []
    for threads in sorted({1, min(2, os.cpu_count() or 1)}):
        with TemporaryDirectory() as folder:
            file = Path(folder) / "network.onnx"
            write_onnx(model, file, "uint8", metadata(model, "uint8"))
            torch._dynamo.reset()
            times = medians(runners(graph(model), file, threads), BATCHES, seconds, threads)
        for size, taken in times.items():
            each = {way: spent / size for way, spent in taken.items()}
            best = min(each, key=lambda way: each[way])
            others = ", ".join(f"{way} {figure(each[way])}" for way in each if way not in (best, "eager"))
            what = f"`{name}`, batch of {size}, {threads} thread{'s'[: threads > 1]}"
            rows.append(Row(what, each[best], "eager", each["eager"], "ms/face", "less", note=f"{best}; {others}"))
    return rows


def shipped_row(seconds: float, size: int = 64) -> Row:
    """The network that `fer predict` uses, with all that happens around it, beside ONNX Runtime alone."""
    model = load_onnx_model()
    assert model is not None

    def as_used(faces: torch.Tensor) -> list[object]:
        return [model.probabilities(part.numpy()) for part in faces.split(model.faces_per_call)]

    def alone(faces: torch.Tensor) -> list[object]:
        return [model.sessions[0].run([LOGITS], {FACES: faces.numpy()})]

    times = medians({"here": cast(Runner, as_used), "alone": cast(Runner, alone)}, (size,), seconds, 1)[size]
    what = f"`{model.header.model}` in `fer predict`, {size} faces, 1 thread"
    beside = "ONNX Runtime alone, in one call"
    return Row(what, times["here"] / size, beside, times["alone"] / size, "ms/face", "less", 1 / 1.3)


def measure(options: argparse.Namespace) -> list[Row]:
    """All rows."""
    return [*(row for model in options.models for row in rows_of(model, options.seconds)), shipped_row(options.seconds)]


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--models", nargs="+", default=MODELS)
    parser.add_argument("--seconds", type=float, default=2.0, help="of each way at each size")


if __name__ == "__main__":
    print_rows(__doc__, measure, arguments)
