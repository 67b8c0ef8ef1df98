"""Trained networks in ONNX Runtime, on the CPU, for prediction without PyTorch."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fercli.core.engine import count_threads
from fercli.core.errors import ModelError, reason_of
from fercli.core.onnx_session import open_session
from fercli.models.catalogue_file import read_catalogue
from fercli.models.locate import TrainedModel, member_names, weights_path
from fercli.models.weights import Header, ensemble_header, read_header

#: The names of a graph's input and outputs; one without a temperature has no probabilities.
FACES, LOGITS, PROBABILITIES = "faces", "logits", "probabilities"


@dataclass(frozen=True)
class OnnxModel(TrainedModel):
    """A trained network, or an ensemble of several, in ONNX Runtime: see fercli.models.load.Model.

    `sessions` are of the members, `temperatures` what the logits of each are divided by, 1 where there is one.
    """

    sessions: tuple[Any, ...]
    temperatures: tuple[float, ...]
    header: Header
    path: Path
    mirrored: bool = False
    raw: bool = False
    device: str = "cpu"

    #: few, since a call that does not fill costs as much as one that does, and a face costs the same in any number
    faces_per_call = 4

    @property
    def threads(self) -> int:
        """How many threads should call at once: each call works in the thread that makes it."""
        return count_threads()

    def logits(self, faces: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Logits [N, classes] before the temperature, for gray faces [N, 1, 48, 48]. Raises ValueError for faces of
        another type or shape, ModelError where the network cannot be run."""
        if faces.dtype != np.uint8 or faces.shape[1:] != (1, 48, 48):
            raise ValueError(f"faces are {faces.dtype} {faces.shape}, not uint8 (N, 1, 48, 48)")
        views = [faces, np.ascontiguousarray(faces[..., ::-1])] if self.mirrored else [faces]
        out: NDArray[np.float32] = np.mean([self._view(view) for view in views], axis=0, dtype=np.float32)
        if not np.isfinite(out).all():
            raise ModelError(f"{self.path} gives outputs that are not finite: train again with a lower --lr")
        return out

    def _view(self, faces: NDArray[np.uint8]) -> NDArray[np.float32]:
        members = zip(self.sessions, self.temperatures, strict=True)
        try:
            each = [session.run([LOGITS], {FACES: faces})[0] / np.float32(value) for session, value in members]
        except Exception as error:  # its errors have no class in common
            raise ModelError(f"{self.path} cannot be run: {reason_of(error)}") from error
        out: NDArray[np.float32] = np.mean(each, axis=0, dtype=np.float32)
        return out

    def probabilities(self, faces: NDArray[np.uint8]) -> NDArray[np.float32]:
        """One probability a class, [N, classes], rows summing to 1, for the same faces as `logits`."""
        scaled = self.logits(faces).astype(float) / self.temperature
        powers = np.exp(scaled - scaled.max(axis=1, keepdims=True, initial=-np.inf))
        out: NDArray[np.float32] = (powers / powers.sum(axis=1, keepdims=True)).astype(np.float32)
        return out


def graph_path(weights: Path) -> Path:
    """Where the graph of shipped weights lies: `python -m benchmarks.onnx_files` writes it."""
    return weights.with_suffix(".graph.onnx")


def load_onnx_model(name: str | None = None, *, mirrored: bool = False, raw: bool = False) -> OnnxModel | None:
    """A network that ships, or several joined by '+' (see fercli.models.load.load_model), in ONNX Runtime. None where
    not all of them have a graph.

    Raises ModelError as `load_model` does.
    """
    names = member_names(name)
    paths = [weights_path(member) for member in names]
    if not all(graph_path(path).is_file() for path in paths):
        return None
    members = [_load_member(path, raw) for path in paths]
    if len(members) == 1:
        return replace(members[0], mirrored=mirrored)
    return _join(members, names, mirrored)


def _join(members: Sequence[OnnxModel], names: Sequence[str], mirrored: bool) -> OnnxModel:
    """The mean of the members' calibrated logits, with the catalogue's temperature for it."""
    header = ensemble_header([member.header for member in members])
    if known := read_catalogue().ensemble(names):
        header = header.set_temperature(known.temperature.model_dump(), f"{known.data} {known.split}")
    return replace(
        members[0],
        sessions=tuple(member.sessions[0] for member in members),
        temperatures=tuple(member.temperature for member in members),
        header=header,
        path=Path("+".join(names)),
        mirrored=mirrored,
    )


def _load_member(path: Path, raw: bool) -> OnnxModel:
    """One network: its graph, with the tensors of the weights file put in."""
    from safetensors.numpy import load_file

    header = read_header(path)
    try:
        # whole numbers count batches, for training alone
        tensors = {
            name: np.ascontiguousarray(value, np.float32)
            for name, value in load_file(path).items()
            if value.dtype.kind == "f"
        }
        session = open_session(graph_path(path).read_bytes(), tensors=tensors)
    except Exception as error:  # ONNX Runtime's errors have no class in common
        raise ModelError(f"cannot load {path} in ONNX Runtime: {reason_of(error)} (--engine torch)") from error
    return OnnxModel((session,), (1.0,), header, path, raw=raw)
