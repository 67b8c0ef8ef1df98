"""Weights files: safetensors whose header says what network they belong to and what they reached.

A shared file never runs code: only tensors and one JSON document are read from it.
"""

import json
import math
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import safetensors
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from fercli.core.catalogue import Input
from fercli.core.errors import ModelError, reason_of
from fercli.core.files import check_regular, written_whole
from fercli.core.parse import parse_json
from fercli.core.text import shorten

if TYPE_CHECKING:
    from torch import Tensor

#: The ending of a network that was exported to ONNX.
ONNX_SUFFIX = ".onnx"
#: Under what name a file's metadata hold the header.
HEADER_KEY = "fercli"
_FORMAT = 1
#: What the header of an ensemble names as its architecture.
ENSEMBLE = "average"
#: Where the header's `training` says on which faces the temperatures of an ensemble itself were fitted.
_FITTED_ON = "temperature_fitted_on"
#: How the file begins that a clone has in place of a large one until that is fetched.
_LFS_POINTER = b"version https://git-lfs"
#: The largest number that an architecture takes as an argument.
MAX_ARGUMENT = 4096


@dataclass(frozen=True)
class Header:
    """What a weights file says of itself. Enough to build its network without a catalogue.

    `input` is the catalogue's: size, channels and scaling of what the network takes. `temperature` divides the
    logits for calibrated confidence: 'single' for one view, 'mirrored' for the average of a face and its mirror
    image. `training` and `metrics` are for people and tests: command, recipe, data and its fingerprint; accuracy
    by split and views. `label_smoothing` is undone in the logits (fercli.models.classifier.undo_smoothing).
    """

    model: str
    architecture: str
    arguments: Mapping[str, Any]
    input: Mapping[str, Any]
    classes: tuple[str, ...]
    temperature: Mapping[str, float] = field(default_factory=lambda: {"single": 1.0, "mirrored": 1.0})
    training: Mapping[str, Any] = field(default_factory=dict)
    metrics: Mapping[str, Any] = field(default_factory=dict)
    label_smoothing: float = 0.0

    @property
    def is_ensemble(self) -> bool:
        """Whether it is of several networks: see fercli.models.ensemble."""
        return self.architecture == ENSEMBLE

    @property
    def trainings(self) -> list[dict[str, Any]]:
        """What is recorded of each training behind a network: its own, or one for each member of an ensemble, and those
        of what it started from."""
        members = self.training.get("members") if self.is_ensemble else None
        behind = (self.training.get("start") or {}).get("trainings", [])
        return list(members) if members else [{"model": self.model, **self.training}, *behind]

    @property
    def data_sets(self) -> tuple[str, ...]:
        """The sets that a network was trained on, by name where they have one, its own first; empty where the file
        does not say."""
        names: list[str] = []
        for training in self.trainings:
            for learned in (training, training.get("extra") or {}):
                names += [str(name) for name in [learned.get("set") or learned.get("data")] if name]
        return tuple(dict.fromkeys(names))

    @property
    def lacks_temperature(self) -> bool:
        """Whether it is of an ensemble to which no temperature was fitted."""
        return self.is_ensemble and _FITTED_ON not in self.training

    def set_temperature(self, temperature: Mapping[str, float], fitted_on: str) -> "Header":
        """The header of an ensemble with temperatures, by views, that were fitted on the faces named."""
        return replace(self, temperature=dict(temperature), training={**self.training, _FITTED_ON: fitted_on})


def ensemble_header(headers: Sequence[Header]) -> Header:
    """The header of an ensemble of two or more. Raises ModelError where their classes differ.

    Its own temperature is 1 until one is fitted: an ensemble's confidence does not follow from its members'.
    """
    first = headers[0]
    for other in headers[1:]:
        if other.classes != first.classes:
            raise ModelError(
                f"{first.model} knows {', '.join(first.classes)}; {other.model} knows {', '.join(other.classes)}: "
                "only networks of the same classes, in the same order, can be averaged"
            )
    members = [training for header in headers for training in header.trainings]
    return Header(
        model="+".join(header.model for header in headers),
        architecture=ENSEMBLE,
        arguments={},
        input={},
        classes=first.classes,
        training={"members": members},
    )


class _Part(BaseModel):
    """A part of a header; what it says beside is for people."""

    model_config = ConfigDict(strict=True)


class _Extra(_Part):
    """What a header says of an extra set that was trained on too."""

    data: str
    fingerprint: str
    #: how it was split (fercli.data.splits.split_extra)
    rule: Literal[1, 2] = 1


class _Start(_Part):
    """What a header says of the trained network that a training started from."""

    model: str
    trainings: "list[_Training]" = Field(default_factory=list)


class _Training(_Part):
    """The kinds of what a header says of a training, as far as the program goes by it. All of it may be missing."""

    data: str | None = None
    set: str | None = None
    fingerprint: str | None = None
    seed: int = 0
    group: Literal["auto", "subject", "image"] | None = None
    val_fraction: Annotated[float, Field(gt=0, lt=1)] | None = None
    split: str | None = None
    remark: Annotated[str, Field(max_length=400)] | None = None
    reading: dict[str, Any] = Field(default_factory=dict)
    extra: _Extra | None = None
    start: _Start | None = None
    members: list["_Training"] = Field(default_factory=list)


class _Document(_Part):
    """The kinds of a header's fields: see `Header`."""

    model_config = ConfigDict(extra="forbid")

    model: str
    architecture: str
    arguments: dict[str, bool | int | float | str]
    input: Input
    classes: Annotated[list[str], Field(min_length=1)]
    temperature: dict[str, float] = Field(default_factory=lambda: {"single": 1.0, "mirrored": 1.0})
    training: _Training = Field(default_factory=_Training)
    metrics: dict[str, Any] = Field(default_factory=dict)
    label_smoothing: Annotated[float, Field(ge=0, lt=1)] = 0.0


def save_weights(path: Path, state: "Mapping[str, Tensor]", header: Header, *, half: bool = False) -> None:
    """Write weights and header whole, floats in `half` precision where asked: half the size, and a network that takes
    them back computes in float32 all the same. Raises RunError where the file cannot be written."""
    import safetensors.torch

    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in state.items()}
    if half:
        tensors = {name: tensor.half() if tensor.is_floating_point() else tensor for name, tensor in tensors.items()}
    with written_whole(path) as temporary:
        # safetensors' own writer makes files that only their owner may read
        temporary.write_bytes(safetensors.torch.save(tensors, metadata={HEADER_KEY: dump_header(header)}))


def read_header(path: Path) -> Header:
    """The header of a weights file. Raises ModelError where it is missing, damaged or another program's."""
    check_regular(path, "the weights file", ModelError)
    try:
        with safetensors.safe_open(path, framework="np") as file:
            metadata = file.metadata() or {}
    except (OSError, safetensors.SafetensorError) as error:
        raise _unreadable(path, error) from error
    return parse_header(metadata, path)


def dump_header(header: Header) -> str:
    """A header as the text that files hold under HEADER_KEY."""
    document = {"format": _FORMAT, **asdict(header)}
    if not header.label_smoothing:  # versions before it can read what does not need it
        del document["label_smoothing"]
    return json.dumps(document, ensure_ascii=False)


def parse_header(metadata: Mapping[str, str], path: Path) -> Header:
    """The header in a file's metadata. Raises ModelError where it is missing, damaged or another program's."""
    if HEADER_KEY not in metadata:
        raise ModelError(f"{path} holds no fercli header: its network is unknown (fer train and fer export write one)")
    try:
        document = parse_json(metadata[HEADER_KEY])
        if not isinstance(document, dict) or "format" not in document:
            raise ValueError("it names no format")
        if document.pop("format") != _FORMAT:
            raise ModelError(f"{path} was written by a newer fercli: update with pip install -U fercli")
        _check_document(document)
    except ValueError as error:
        raise ModelError(f"the header of {path} is damaged: {error}") from error
    return Header(**{**document, "classes": tuple(document["classes"])})


def _check_document(document: dict[str, Any]) -> None:
    """Raise ValueError, in one line, where a header's fields are not what they should be."""
    classes = document.get("classes")
    if not isinstance(classes, list) or not all(isinstance(name, str) and name.isprintable() for name in classes):
        raise ValueError(f"its class names are {shorten(str(classes), 120)}: each must be printable text")
    if max(map(len, classes), default=0) > 255:
        raise ValueError(f"its class names are {shorten(str(classes), 120)}: each must have 255 letters at most")
    if len(set(classes)) != len(classes):
        raise ValueError(f"its class names are {shorten(str(classes), 120)}: each must stand once")
    try:
        header = _Document.model_validate(document)
    except ValidationError as error:
        from fercli.core.schema_errors import list_faults  # where nothing is wrong, it is not needed

        first, *others = list_faults(error)
        more = f" (and {len(others)} more)" if others else ""
        raise ValueError(f"{shorten(first, 200)}{more}") from None
    for name, value in header.arguments.items():
        # larger numbers are no network's: to build one would take hours and all memory
        least = 0 if isinstance(value, float) else 1
        if not isinstance(value, bool | str) and not least <= value <= MAX_ARGUMENT:
            shown = f"not a number from {least} to {MAX_ARGUMENT:,}"
            raise ValueError(f"its argument {shorten(name, 60)} is {value}, {shown}")
    for views in ("single", "mirrored"):
        temperature = header.temperature.get(views)
        if temperature is None or not 0 < temperature < math.inf:
            raise ValueError(f"the temperature of {views} views is {temperature}, not a number above 0")


def read_weights(path: Path) -> "dict[str, Tensor]":
    """The tensors of a weights file, on the CPU. Raises ModelError where it cannot be read."""
    import safetensors.torch

    check_regular(path, "the weights file", ModelError)
    try:
        state: dict[str, Tensor] = safetensors.torch.load_file(path)
    except (OSError, safetensors.SafetensorError) as error:
        raise _unreadable(path, error) from error
    return state


def read_shapes(path: Path) -> dict[str, tuple[int, ...]]:
    """The shape of each tensor in a weights file, without reading it. Raises ModelError where it cannot be read."""
    try:
        with safetensors.safe_open(path, framework="np") as file:
            return {name: tuple(file.get_slice(name).get_shape()) for name in file.keys()}  # noqa: SIM118
    except (OSError, safetensors.SafetensorError) as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: Exception) -> ModelError:
    with suppress(OSError), path.open("rb") as file:
        if file.read(len(_LFS_POINTER)) == _LFS_POINTER:
            return ModelError(f"{path} only says where Git LFS has the weights: git lfs pull fetches them")
    return ModelError(f"cannot read {path} as a weights file: {reason_of(error)}")
