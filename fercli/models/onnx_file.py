"""Networks exported to ONNX, run by ONNX Runtime as if they were PyTorch's."""

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from fercli.core.errors import ModelError
from fercli.models.weights import Header, parse_header

#: The names of the graph's input and outputs.
FACES, LOGITS, PROBABILITIES = "faces", "logits", "probabilities"


class OnnxNetwork(nn.Module):
    """A session of ONNX Runtime that looks like any network to those who call it. It lives on the CPU."""

    def __init__(self, session: Any) -> None:
        super().__init__()
        self.session = session
        self._takes_float = session.get_inputs()[0].type == "tensor(float)"

    def forward(self, faces: Tensor) -> Tensor:
        """Faces [N, 1, 48, 48], uint8 or float of 0 to 255, to logits [N, classes]."""
        return self.outputs(faces)[0]

    def outputs(self, faces: Tensor) -> tuple[Tensor, Tensor]:
        """Logits and calibrated probabilities, both [N, classes], as the file gives them."""
        given = faces.to(torch.float32 if self._takes_float else torch.uint8)
        logits, probabilities = self.session.run([LOGITS, PROBABILITIES], {FACES: given.numpy()})
        return torch.from_numpy(logits), torch.from_numpy(probabilities)


def read_onnx(path: Path, threads: int = 0) -> tuple[Header, OnnxNetwork]:
    """The header and network of an exported file; 0 threads are as many as the machine has cores.

    Raises ModelError where the file cannot be read or was not written by `fer export`.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3  # its advice on graphs is of no use to whoever runs one
    try:
        session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # its errors have no class in common
        raise ModelError(f"cannot read {path} as an ONNX file: {' '.join(str(error).split())}") from error
    return parse_header(session.get_modelmeta().custom_metadata_map, path), OnnxNetwork(session)
