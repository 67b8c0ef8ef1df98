"""An exported network in 8-bit integers: static quantisation with real faces, by ONNX Runtime."""

import io
import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fercli.models.onnx_model import FACES

#: Faces that are enough to find the range of each tensor; more take longer and change little.
CALIBRATION_FACES = 512
_AT_ONCE = 64
_LAYERS = ("Conv", "Gemm", "MatMul")


def quantise(source: Path, path: Path, faces: NDArray[np.generic], about: Mapping[str, str]) -> None:
    """Write an ONNX file's network with 8-bit weights and activations.

    `faces` [N, 1, 48, 48], in the number type that the graph takes, show the range of each activation. Weights have
    a scale a channel. The last layer and what follows it stay in float32, so that probabilities are not steps of
    1/256: on FER2013's PublicTest the network that first shipped lost 0.3 points so instead of 0.5. Ranges leave out
    the outermost hundred-thousandth; with the full ones it lost 0.3 points more.
    """
    import onnx
    from onnxruntime.quantization import CalibrationMethod, QuantType, quant_pre_process, quantize_static

    with TemporaryDirectory() as folder, _hushed():
        prepared = Path(folder) / "prepared.onnx"
        quant_pre_process(source, prepared, skip_symbolic_shape=True)
        nodes = list(onnx.load(prepared).graph.node)
        last = max(index for index, node in enumerate(nodes) if node.op_type in _LAYERS)
        quantize_static(
            prepared,
            path,
            _Reader(faces),
            per_channel=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            nodes_to_exclude=[node.name for node in nodes[last:]],
            calibrate_method=CalibrationMethod.Percentile,
        )
    proto = onnx.load(path)
    onnx.helper.set_model_props(proto, dict(about))
    onnx.save(proto, path)


class _Reader:
    """What onnxruntime's calibration asks for batches until there are none."""

    def __init__(self, faces: NDArray[np.generic]) -> None:
        self._batches: Iterator[NDArray[np.generic]] = (
            faces[first : first + _AT_ONCE] for first in range(0, len(faces), _AT_ONCE)
        )

    def get_next(self) -> dict[str, Any] | None:
        batch = next(self._batches, None)
        return None if batch is None else {FACES: batch}


@contextmanager
def _hushed() -> Iterator[None]:
    """Without onnxruntime's remarks on standard output, which is for results, and its advice in the log."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with redirect_stdout(io.StringIO()):
            yield
    finally:
        logging.disable(before)
