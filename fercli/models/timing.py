"""How long a network takes for one face on this machine."""

import time
from statistics import median

import torch

from fercli.core.catalogue import ModelEntry
from fercli.models.catalogue import build

_WARM_UPS, _RUNS = 3, 15


def measure_milliseconds(entry: ModelEntry) -> float:
    """The median of some passes of one face, on one thread, without ONNX Runtime."""
    threads = torch.get_num_threads()
    network, face = build(entry).eval(), torch.zeros(1, 1, 48, 48)
    seconds = []
    torch.set_num_threads(1)
    try:
        with torch.inference_mode():
            for _ in range(_WARM_UPS + _RUNS):
                start = time.perf_counter()
                network(face)
                seconds.append(time.perf_counter() - start)
    finally:
        torch.set_num_threads(threads)
    return 1000 * median(seconds[_WARM_UPS:])
