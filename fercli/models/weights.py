"""Weights files: safetensors whose header says what network they belong to and what they reached.

A shared file never runs code: only tensors and one JSON document are read from it.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
from torch import Tensor

from fercli.core.catalogue import Input
from fercli.core.errors import ModelError
from fercli.core.files import written_whole

#: The ending of a network that was exported to ONNX.
ONNX_SUFFIX = ".onnx"
#: Under what name a file's metadata hold the header.
HEADER_KEY = "fercli"
_FORMAT = 1


@dataclass(frozen=True)
class Header:
    """What a weights file says of itself. Enough to build its network without a catalogue.

    `input` is the catalogue's: size, channels and scaling of what the network takes. `temperature` divides the
    logits for calibrated confidence: 'single' for one view, 'mirrored' for the average of a face and its mirror
    image. `training` and `metrics` are for people and tests: command, recipe, data and its fingerprint; accuracy
    by part and views.
    """

    model: str
    architecture: str
    arguments: Mapping[str, Any]
    input: Mapping[str, Any]
    classes: tuple[str, ...]
    temperature: Mapping[str, float] = field(default_factory=lambda: {"single": 1.0, "mirrored": 1.0})
    training: Mapping[str, Any] = field(default_factory=dict)
    metrics: Mapping[str, Any] = field(default_factory=dict)


def save_weights(path: Path, state: Mapping[str, Tensor], header: Header, *, half: bool = False) -> None:
    """Write weights and header whole, floats in `half` precision where asked: half the size, and a network that takes
    them back computes in float32 all the same. Raises RunError where the file cannot be written."""
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in state.items()}
    if half:
        tensors = {name: tensor.half() if tensor.is_floating_point() else tensor for name, tensor in tensors.items()}
    with written_whole(path) as temporary:
        # safetensors' own writer makes files that only their owner may read
        temporary.write_bytes(safetensors.torch.save(tensors, metadata={HEADER_KEY: dump_header(header)}))


def read_header(path: Path) -> Header:
    """The header of a weights file. Raises ModelError where it is missing, damaged or another program's."""
    try:
        with safetensors.safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
    except (OSError, safetensors.SafetensorError) as error:
        raise ModelError(f"cannot read {path} as a weights file: {error}") from error
    return parse_header(metadata, path)


def dump_header(header: Header) -> str:
    """A header as the text that files hold under HEADER_KEY."""
    return json.dumps({"format": _FORMAT, **asdict(header)}, ensure_ascii=False)


def parse_header(metadata: Mapping[str, str], path: Path) -> Header:
    """The header in a file's metadata. Raises ModelError where it is missing, damaged or another program's."""
    if HEADER_KEY not in metadata:
        raise ModelError(f"{path} holds no fercli header: its network is unknown (fer train and fer export write one)")
    try:
        document = json.loads(metadata[HEADER_KEY])
        if document.pop("format") != _FORMAT:
            raise ModelError(f"{path} was written by a newer fercli: update with pip install -U fercli")
        header = Header(**{**document, "classes": tuple(document["classes"])})
        Input.model_validate(header.input)
        if len(set(header.classes)) != len(header.classes) or not all(isinstance(name, str) for name in header.classes):
            raise ValueError(f"its class names are {list(header.classes)}: each must be text and stand once")
        if not all(header.temperature[views] > 0 for views in ("single", "mirrored")):
            raise ValueError("a temperature is not above 0")
        return header
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelError(f"the header of {path} is damaged: {error}") from error


def read_weights(path: Path) -> dict[str, Tensor]:
    """The tensors of a weights file, on the CPU. Raises ModelError where it cannot be read."""
    try:
        state: dict[str, Tensor] = safetensors.torch.load_file(path)
    except (OSError, safetensors.SafetensorError) as error:
        raise ModelError(f"cannot read {path} as a weights file: {error}") from error
    return state
