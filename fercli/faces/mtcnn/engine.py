"""The two engines that run MTCNN's networks: ONNX Runtime on the CPU, PyTorch anywhere. All else is NumPy."""

from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from fercli.core.engine import Engine, count_threads
from fercli.core.errors import MachineError, UsageError, reason_of
from fercli.core.onnx_session import open_session

Pixels = NDArray[np.float32]

#: The files of the engine 'onnx', written by `python -m benchmarks.onnx_files`.
FILES = Path(__file__).resolve().parents[2] / "weights" / "mtcnn"


class Networks(Protocol):
    """MTCNN's three networks. Pixels are scaled: (value - 127.5) / 128. Offsets are fractions of a box's width and
    height, landmarks five x then five y as such fractions, probabilities those of no face and of a face.

    Several threads may call at once. RNet and ONet are given `crops_per_batch` crops in each call, and PNet
    `canvases_per_batch` canvases or, in the last call, fewer.
    """

    #: how many threads should call, and with how many canvases and crops
    threads: int
    canvases_per_batch: int
    crops_per_batch: int

    def pnet(self, canvases: Pixels) -> Pixels:
        """From canvases [N, 4, CANVAS_SIDE, CANVAS_SIDE] (see fercli.faces.mtcnn.pnet) to two logits and four offsets
        for each cell, [N, 6, CANVAS_CELLS, CANVAS_CELLS]."""
        ...

    def rnet(self, crops: Pixels) -> tuple[Pixels, ...]:
        """From crops [N, 3, 24, 24] to offsets [N, 4] and probabilities [N, 2]."""
        ...

    def onet(self, crops: Pixels) -> tuple[Pixels, ...]:
        """From crops [N, 3, 48, 48] to offsets [N, 4], landmarks [N, 10] and probabilities [N, 2]."""
        ...


def load_networks(engine: Engine, device: str) -> Networks:
    """The networks on an engine; 'auto' is ONNX Runtime for the CPU, else PyTorch. `device` is the name of a PyTorch
    device; with 'mps' the networks run on the CPU.

    Raises UsageError for ONNX Runtime on another device than the CPU, MachineError where it cannot be loaded.
    """
    on_cpu = device == "cpu" or device.startswith("mps")
    if engine == "torch" or (engine == "auto" and not on_cpu):
        from fercli.faces.mtcnn.torch_networks import TorchNetworks

        return TorchNetworks("cpu" if on_cpu else device)
    if not on_cpu:
        raise UsageError(f"the engine onnx runs on the CPU, not on {device}: choose torch")
    return OnnxNetworks()


class OnnxNetworks:
    """The networks in ONNX Runtime, on the CPU, each call in the thread that makes it."""

    canvases_per_batch, crops_per_batch = 2, 16

    def __init__(self) -> None:
        self.threads = count_threads()
        try:
            self._pnet, self._rnet, self._onet = (
                open_session(FILES / f"{name}.onnx") for name in ("pnet", "rnet", "onet")
            )
        except Exception as error:  # ONNX Runtime's errors have no class in common
            raise MachineError(
                f"MTCNN cannot be loaded in ONNX Runtime: {reason_of(error)} (--engine torch uses PyTorch)"
            ) from error

    def pnet(self, canvases: Pixels) -> Pixels:
        """See `Networks`."""
        return _run(self._pnet, canvases)[0]

    def rnet(self, crops: Pixels) -> tuple[Pixels, ...]:
        """See `Networks`."""
        return _run(self._rnet, crops)

    def onet(self, crops: Pixels) -> tuple[Pixels, ...]:
        """See `Networks`."""
        return _run(self._onet, crops)


def _run(session: Any, pixels: Pixels) -> tuple[Pixels, ...]:
    """All outputs of a session. Raises RuntimeError, in place of exceptions that have no class in common."""
    try:
        return tuple(session.run(None, {"pixels": pixels}))
    except Exception as error:
        raise RuntimeError(reason_of(error)) from error
