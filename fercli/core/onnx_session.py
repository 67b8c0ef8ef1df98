"""Opening a session of ONNX Runtime, the same way wherever one is used."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray


def open_session(
    model: Path | bytes, threads: int = 1, tensors: Mapping[str, NDArray[np.float32]] | None = None
) -> Any:
    """A session on the CPU with a file or its content; with 1 thread each call works in the thread that makes it, with
    0 in as many as the machine has cores.

    `tensors` are put in where the model names them but leaves them out. Raises ONNX Runtime's exceptions, which have no
    class in common but Exception, and ImportError where it is missing.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 4  # what is wrong comes as an error; its lines on standard error say it once more
    if tensors:
        values = [onnxruntime.OrtValue.ortvalue_from_numpy(value) for value in tensors.values()]
        options.add_external_initializers(list(tensors), values)
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
