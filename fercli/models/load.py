"""Trained networks by name, run folder or file, ready to say probabilities."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from fercli.core.catalogue import Input
from fercli.core.errors import ModelError, reason_of
from fercli.core.text import shorten
from fercli.models.architectures import load_architectures
from fercli.models.catalogue import load_catalogue
from fercli.models.classifier import Classifier, logits
from fercli.models.locate import TrainedModel, member_names, weights_path
from fercli.models.weights import ONNX_SUFFIX, Header, ensemble_header, read_header, read_shapes, read_weights


@dataclass(frozen=True)
class Model(TrainedModel):
    """A trained network with what is needed to use it.

    `path` is its file, or the names joined by '+' of an ensemble. `mirrored` averages each face with its mirror
    image; `raw` leaves the temperature out.
    """

    network: nn.Module
    header: Header
    device: torch.device
    path: Path
    mirrored: bool = False
    raw: bool = False

    def logits(self, faces: NDArray[np.uint8] | Tensor) -> NDArray[np.float32]:
        """Logits [N, classes] before the temperature, for gray faces [N, 1, 48, 48], uint8: a NumPy array, or a tensor
        on any device. Raises ValueError for faces of another type or shape."""
        uint8 = torch.uint8 if isinstance(faces, Tensor) else np.uint8
        if faces.dtype != uint8 or faces.shape[1:] != (1, 48, 48):
            raise ValueError(f"faces are {faces.dtype} {tuple(faces.shape)}, not uint8 (N, 1, 48, 48)")
        if not len(faces):
            return np.empty((0, len(self.classes)), np.float32)
        given = faces if isinstance(faces, Tensor) else torch.from_numpy(np.ascontiguousarray(faces))
        on_device = given.to(self.device)
        out: NDArray[np.float32] = logits(self.network, on_device, self.mirrored).cpu().numpy()
        if not np.isfinite(out).all():
            raise ModelError(f"{self.path} gives outputs that are not finite: train again with a lower --lr")
        return out

    def probabilities(self, faces: NDArray[np.uint8] | Tensor) -> NDArray[np.float32]:
        """One probability a class, [N, classes], rows summing to 1, for the same faces as `logits`."""
        scaled = torch.from_numpy(self.logits(faces)).double() / self.temperature
        out: NDArray[np.float32] = torch.softmax(scaled, dim=1).float().numpy()
        return out


def load_model(
    name: str | None = None,
    device: torch.device | str = "cpu",
    *,
    mirrored: bool = False,
    raw: bool = False,
    runs: Path = Path("runs"),
) -> Model:
    """A trained network: a catalogue name with shipped weights, a run folder, a weights file or one exported to ONNX,
    'last' (the newest finished run under `runs`), or several of these joined by '+': the mean of their calibrated
    logits. None is the catalogue's default. What was exported to ONNX runs on the CPU alone.

    Raises ModelError where there is none of that name, it has no weights, or the file does not fit.
    """
    names = member_names(name)
    if len(names) > 1:
        members = [load_model(member, device, raw=raw, runs=runs) for member in names]
        return _ensemble(members, names, mirrored)
    path = weights_path(name, runs)
    where = torch.device(device)
    exported = path.suffix.lower() == ONNX_SUFFIX
    if exported:
        from fercli.models.onnx_file import read_onnx

    header, network = read_onnx(path) if exported else _read_network(path)
    if exported and where.type != "cpu":
        raise ModelError(f"{path} runs on ONNX Runtime, on the CPU: it cannot be put on {where}")
    if exported and raw and header.is_ensemble:
        raise ModelError(f"the temperatures of its members are part of {path}: they cannot be left out (--raw)")
    return Model(network.to(where).eval(), header, where, path, mirrored, raw)


def _ensemble(members: Sequence[Model], names: Sequence[str], mirrored: bool) -> Model:
    """One model of several on the same device, with the members' temperatures for single views unless they are raw.

    The catalogue has the temperature of the ensemble itself, where all members ship.
    """
    # where there is one network, this is not needed
    from fercli.models.ensemble import Ensemble

    network = Ensemble([member.network for member in members], [member.temperature for member in members])
    header = ensemble_header([member.header for member in members])
    if known := load_catalogue().ensemble(names):
        header = header.set_temperature(known.temperature.model_dump(), f"{known.data} {known.split}")
    return replace(members[0], network=network.eval(), header=header, path=Path("+".join(names)), mirrored=mirrored)


def _read_network(path: Path) -> tuple[Header, nn.Module]:
    """The network of a weights file, on the CPU. Raises ModelError where the file does not fit."""
    if path.suffix.lower() == ".pt2":
        raise ModelError(
            f"{path} is for torch.export.load in programs of your own: export to {ONNX_SUFFIX} to run it here"
        )
    header = read_header(path)
    network = _build(header, path)
    try:
        network.load_state_dict(read_weights(path))
    except RuntimeError as error:
        raise _misfit(path, header, str(error).splitlines()[-1].strip()) from error
    return header, network


def _build(header: Header, path: Path) -> Classifier:
    """The network that a header describes, not yet with its weights. Raises ModelError where there is no such network,
    or the file's tensors are not of its shapes: only then does it take no more memory than the file."""
    architectures = load_architectures()
    if header.architecture not in architectures:
        known = ", ".join(architectures)
        raise ModelError(f"{path} needs the architecture '{shorten(header.architecture, 60)}', there is {known}")

    def build() -> Classifier:
        body = architectures[header.architecture](classes=len(header.classes), **header.arguments)
        return Classifier(body, Input.model_validate(header.input).scaling, header.label_smoothing)

    try:
        with torch.device("meta"):
            shapes = {name: tuple(value.shape) for name, value in build().state_dict().items()}
        found = read_shapes(path)
        if wrong := sorted(name for name in shapes.keys() | found.keys() if shapes.get(name) != found.get(name)):
            first = wrong[0]
            raise _misfit(path, header, f"{first} is {found.get(first, 'missing')}, not {shapes.get(first, 'there')}")
        return build()
    except (TypeError, ValueError, ArithmeticError, RuntimeError) as error:  # of arguments that make no network
        reason = reason_of(error)
        raise ModelError(f"the header of {path} does not fit {header.architecture}: {reason}") from error


def _misfit(path: Path, header: Header, reason: str) -> ModelError:
    return ModelError(f"the weights in {path} do not fit {shorten(header.model, 60)}: {shorten(reason, 200)}")
