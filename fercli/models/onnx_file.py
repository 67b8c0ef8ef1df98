"""Networks exported to ONNX, run by ONNX Runtime as if they were PyTorch's."""

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from fercli.core.errors import ModelError, reason_of
from fercli.core.files import check_regular
from fercli.core.onnx_session import open_session
from fercli.core.text import shorten
from fercli.models.onnx_model import FACES, LOGITS, PROBABILITIES
from fercli.models.weights import Header, parse_header


class OnnxNetwork(nn.Module):
    """A session of ONNX Runtime that looks like any network to those who call it. It lives on the CPU.

    `path` is its file, for messages, `classes` the number of classes that it should give.
    """

    def __init__(self, session: Any, path: Path, classes: int) -> None:
        super().__init__()
        self.session = session
        self._path, self._classes = path, classes
        self._takes_float = session.get_inputs()[0].type == "tensor(float)"

    def forward(self, faces: Tensor) -> Tensor:
        """Faces [N, 1, 48, 48], uint8 or float of 0 to 255, to logits [N, classes]. Raises ModelError where the file's
        graph cannot take them, or gives anything else."""
        return self.outputs(faces)[0]

    def outputs(self, faces: Tensor) -> tuple[Tensor, Tensor]:
        """Logits and calibrated probabilities, both [N, classes], as the file gives them."""
        given = faces.to(torch.float32 if self._takes_float else torch.uint8)
        try:
            logits, probabilities = self.session.run([LOGITS, PROBABILITIES], {FACES: given.numpy()})
        except Exception as error:  # its errors have no class in common
            raise ModelError(f"the graph in {self._path} cannot be run: {reason_of(error)}") from error
        expected = (len(faces), self._classes)
        if logits.shape != expected or probabilities.shape != expected:
            raise ModelError(
                f"the graph in {self._path} gives {LOGITS} {logits.shape} and {PROBABILITIES} {probabilities.shape} "
                f"where its header says {expected}: it is damaged"
            )
        return torch.from_numpy(logits), torch.from_numpy(probabilities)


def read_onnx(path: Path, threads: int = 0) -> tuple[Header, OnnxNetwork]:
    """The header and network of an exported file; 0 threads are as many as the machine has cores.

    Raises ModelError where the file cannot be read or was not written by `fer export`.
    """
    check_regular(path, "the ONNX file", ModelError)
    try:
        session = open_session(path, threads)
        metadata = session.get_modelmeta().custom_metadata_map
    except Exception as error:  # its errors have no class in common
        raise ModelError(f"cannot read {path} as an ONNX file: {reason_of(error)}") from error
    header = parse_header(metadata, path)
    if fault := _find_fault(session):
        raise ModelError(f"{path} is no network that fer export writes: {fault}")
    return header, OnnxNetwork(session, path, len(header.classes))


def _find_fault(session: Any) -> str | None:
    """What the inputs and outputs of a graph are that they should not be."""
    inputs = {each.name: each.type for each in session.get_inputs()}
    outputs = {each.name: each.type for each in session.get_outputs()}
    if list(inputs) != [FACES] or inputs[FACES] not in ("tensor(float)", "tensor(uint8)"):
        return f"its inputs are {_list(inputs)}, not {FACES} alone (float or uint8)"
    if any(outputs.get(name) != "tensor(float)" for name in (LOGITS, PROBABILITIES)):
        return f"its outputs are {_list(outputs)}, not {LOGITS} and {PROBABILITIES} (float)"
    return None


def _list(values: dict[str, str]) -> str:
    return shorten(", ".join(f"{name} {kind}" for name, kind in values.items()) or "none", 100)
