"""Which file a model's name stands for, and what any trained model says of itself. Nothing here needs PyTorch."""

import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fercli.core.errors import ModelError
from fercli.core.files import check_regular
from fercli.core.registry import suggest
from fercli.core.text import shorten
from fercli.models.catalogue_file import read_catalogue
from fercli.models.weights import ONNX_SUFFIX, Header

_SHIPPED = Path(__file__).resolve().parent.parent / "weights"

#: The file of a run folder that holds its best weights.
RUN_WEIGHTS = "model.safetensors"
#: The file of a run folder that is written first: every setting.
RUN_CONFIG = "config.yaml"
#: The file of a run folder that is written last: the run is complete.
RUN_METRICS = "metrics.json"


#: The file of a hub folder that is written last: see fercli.workflows.export.hub.
HUB_CONFIG = "config.json"

#: What a file must end in to be read as a model; .pt2 files are told apart where they are read.
MODEL_SUFFIXES = (".safetensors", ONNX_SUFFIX, ".pt2")


class TrainedModel:
    """What a model says of itself, whatever runs it. Those that run it have these fields."""

    header: Header
    path: Path
    mirrored: bool
    raw: bool
    #: a torch.device, or 'cpu'
    device: Any
    #: faces in each call, always as many where a face's last digits must not depend on what is classified with it
    faces_per_call = 16

    @property
    def name(self) -> str:
        """The catalogue name of the network."""
        return self.header.model

    @property
    def classes(self) -> tuple[str, ...]:
        """Class names in the order of the outputs."""
        return self.header.classes

    @property
    def threads(self) -> int:
        """How many threads should call at once: one, since PyTorch has threads of its own."""
        return 1

    @property
    def temperature(self) -> float:
        """What the logits are divided by."""
        return 1.0 if self.raw else self.header.temperature["mirrored" if self.mirrored else "single"]

    @property
    def remark(self) -> str:
        """What must be said of this model's confidence; empty where it was calibrated, or is not meant to be."""
        if self.raw or not self.header.lacks_temperature:
            return ""
        return (
            "no temperature was fitted to this ensemble, only to its members: fer export --data SET fits one on val, "
            "for the ONNX file that it writes"
        )


def member_names(name: str | None) -> list[str]:
    """The names that '+' joins; a file or folder of that very name is one. Raises ModelError where one is empty."""
    names = [name or ""] if name is None or os.path.exists(name) else name.split("+")  # noqa: PTH110 (no error for long names)
    if len(names) > 1 and not all(names):
        raise ModelError(f"'{name}' lacks a name beside a '+': join models as in xu-rescnn+RUN_FOLDER")
    return names


def weights_path(name: str | None, runs: Path = Path("runs")) -> Path:
    """The weights file that a model's name, run folder or path stands for. Raises ModelError for none."""
    catalogue = read_catalogue()
    name = name or catalogue.shipped
    if name in catalogue.models:
        shipped = catalogue[name].weights
        if shipped is None:
            shipping = ", ".join(other for other, entry in catalogue.models.items() if entry.weights) or "none"
            raise ModelError(
                f"no weights ship for {name} (they do for {shipping}): "
                f"fer train --model {name} makes some, then --model RUN_FOLDER"
            )
        return _SHIPPED / shipped
    path = newest_run(runs) if name == "last" else Path(name)
    if os.path.isdir(path):  # noqa: PTH112 (no error for long names)
        if not (path / RUN_WEIGHTS).is_file():
            if (path / HUB_CONFIG).is_file():
                raise ModelError(f"{path} has {HUB_CONFIG} and no {RUN_WEIGHTS}: download all files of the model")
            if not (path / RUN_CONFIG).is_file():
                named = f"; the run of that name is {runs / path}" if _is_run(runs / path) else ""
                raise ModelError(
                    f"{path} is a folder, but no run: it has neither {RUN_WEIGHTS} nor {RUN_CONFIG}{named}"
                )
            raise ModelError(f"{path} has no {RUN_WEIGHTS}: fer train --resume --out {path} finishes this run")
        return path / RUN_WEIGHTS
    if not os.path.exists(path):  # noqa: PTH110
        raise ModelError(_describe_missing(name, [*catalogue.models, "last"], runs))
    check_regular(path, "the model", ModelError)
    if path.suffix.lower() not in MODEL_SUFFIXES:
        raise ModelError(
            f"cannot read the model {path}: a model is a run folder, or a {' or '.join(MODEL_SUFFIXES[:2])} file"
        )
    return path


def is_shipped(path: Path) -> bool:
    """Whether a weights file belongs to the package, so that every machine with this version has it."""
    return path.parent == _SHIPPED


def _is_run(folder: Path) -> bool:
    return os.path.isfile(folder / RUN_WEIGHTS)  # noqa: PTH113 (no error for long names)


def _describe_missing(name: str, known: Sequence[str], runs: Path) -> str:
    """What to say of a model that is neither a name nor a file: of a name the runs that have it, of a path those beside
    it."""
    shown = shorten(name, 100)
    if re.match(r"[a-z][a-z0-9+.-]+://", name, re.IGNORECASE):
        return f"{shown} is an address, and nothing is fetched: download the file and name it"
    if Path(name).suffix.lower() in MODEL_SUFFIXES:
        return f"no such file: {shown}"
    if _is_run(runs / name):
        return f"no model '{shown}': the run of that name is {runs / name}"
    folder = Path(name).parent
    beside = folder != Path() and os.path.isdir(folder)  # noqa: PTH112 (no error for long names)
    found = sorted(str(file.parent) for file in folder.glob(f"*/{RUN_WEIGHTS}")) if beside else []
    return f"no model '{shown}': {suggest(name, found or known)} (a run folder or weights file will do)"


def newest_run(runs: Path) -> Path:
    """The newest complete run folder. Raises ModelError where there is none."""
    found = sorted(runs.glob(f"*/{RUN_METRICS}"), key=lambda file: file.stat().st_mtime)
    if not found:
        raise ModelError(f"no finished run in {runs.resolve()}: fer train makes one")
    return found[-1].parent
