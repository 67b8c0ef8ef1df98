"""An exported network beside the one it was made of: how far its outputs are off, and how fast both are."""

import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from fercli.models.classifier import BATCH
from fercli.models.onnx_file import read_onnx

#: The sizes of batches that outputs are compared at: alone, the example's, an odd one, a large one.
BATCHES = (1, 2, 7, 64)
#: How far a probability may be off in float32.
TOLERANCE = 1e-4
#: The sizes of batches that are timed.
TIMED = (1, 64)
_LEAST_ROUNDS = 5

#: Gray faces [N, 1, 48, 48] uint8 to logits and probabilities, both [N, classes].
Runner = Callable[[Tensor], tuple[Tensor, Tensor]]


def module_runner(module: Callable[[Tensor], tuple[Tensor, Tensor]], float_input: bool = False) -> Runner:
    """A module of PyTorch that gives logits and probabilities."""

    def run(faces: Tensor) -> tuple[Tensor, Tensor]:
        with torch.inference_mode():
            logits, probabilities = module(faces.float() if float_input else faces)
        return logits, probabilities

    return run


def file_runner(path: Path, float_input: bool = False) -> Runner:
    """What an exported .onnx or .pt2 file computes, on one thread of the CPU."""
    if path.suffix.lower() == ".pt2":
        return module_runner(torch.export.load(path).module(), float_input)
    return read_onnx(path, threads=1)[1].outputs


def differences(original: Runner, exported: Runner, faces: Tensor) -> dict[int, float]:
    """The largest difference of a probability at each size of batch, on the first of these faces; sizes that are
    more than there are faces are left out."""
    return {
        size: float((original(faces[:size])[1] - exported(faces[:size])[1]).abs().max())
        for size in BATCHES
        if size <= len(faces)
    }


def probabilities(runner: Runner, faces: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Probabilities [N, classes] of any number of faces, in batches."""
    chunks = [runner(chunk)[1] for chunk in torch.from_numpy(faces).split(BATCH)]
    out: NDArray[np.float32] = torch.cat(chunks).numpy()
    return out


def milliseconds(runners: Mapping[str, Runner], seconds: float = 1.0) -> dict[int, dict[str, float]]:
    """The median time of each runner at each size of TIMED, on one thread; see `medians`."""
    return medians(runners, TIMED, seconds, 1)


def medians(
    runners: Mapping[str, Runner], sizes: Sequence[int], seconds: float, threads: int
) -> dict[int, dict[str, float]]:
    """The median milliseconds of each runner at each size of batch, PyTorch being given so many threads.

    They take turns, so that a machine that slows down slows all of them; each size takes about `seconds` a runner.
    """
    out: dict[int, dict[str, float]] = {}
    with held_to(threads):
        for size in sizes:
            faces = random_faces(size)
            times: dict[str, list[float]] = {name: [] for name in runners}
            for runner in runners.values():
                runner(faces)  # what is made ready on the first call is not counted
            end = time.perf_counter() + seconds * len(runners)
            while len(next(iter(times.values()))) < _LEAST_ROUNDS or time.perf_counter() < end:
                for name, runner in runners.items():
                    start = time.perf_counter()
                    runner(faces)
                    times[name].append(1000 * (time.perf_counter() - start))
            out[size] = {name: statistics.median(taken) for name, taken in times.items()}
    return out


def random_faces(count: int) -> Tensor:
    """Noise [N, 1, 48, 48] uint8, the same each time."""
    return torch.randint(0, 256, (count, 1, 48, 48), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


@contextmanager
def held_to(threads: int) -> Iterator[None]:
    """PyTorch on so many threads for a while."""
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        yield
    finally:
        torch.set_num_threads(before)
