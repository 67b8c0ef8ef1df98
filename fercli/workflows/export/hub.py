"""A trained network as a folder that model hubs take: card, weights, ONNX file and settings. Nothing is uploaded."""

import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Any

import torch

import fercli
from fercli.core.errors import ModelError, UsageError
from fercli.core.files import file_digest, folder_written_whole, refuse_existing, write_json, write_text
from fercli.core.licence import Licence
from fercli.faces.crop import MARGIN
from fercli.models.catalogue import load_catalogue
from fercli.models.classifier import IMAGENET_MOMENTS
from fercli.models.export.graph import InputType, graph
from fercli.models.export.verify import file_runner, module_runner
from fercli.models.load import Model, load_model
from fercli.models.locate import HUB_CONFIG, RUN_WEIGHTS, is_shipped
from fercli.workflows.export.hub_card import write_card
from fercli.workflows.export.run import refuse_what_cannot_be, write_form
from fercli.workflows.export.verify import Check, Form, check, export_faces

#: The files of a hub folder beside RUN_WEIGHTS and HUB_CONFIG.
CARD, GRAPH = "README.md", "model.onnx"
#: How pixels of 0 to 255 are scaled inside the network, by the names of the catalogue.
_NORMALISATION: Mapping[str, dict[str, Any]] = {
    "unit": {"scale": "1/255"},
    "imagenet": {"scale": "1/255", "repeat_channel": 3, "mean": IMAGENET_MOMENTS[0], "std": IMAGENET_MOMENTS[1]},
}


@dataclass(frozen=True)
class HubFolder:
    """A folder that was written: the bytes of each of its files, and the ONNX file compared with PyTorch.

    `licence` is that of the weights, None where it is for those who trained them to state.
    """

    path: Path
    model: str
    files: Mapping[str, int]
    check: Check
    licence: Licence | None

    def to_dict(self) -> dict[str, Any]:
        """As JSON takes it."""
        return {
            "folder": str(self.path),
            "model": self.model,
            "files": dict(self.files),
            "licence": self.licence.name if self.licence else None,
            **self.check.to_dict(),
        }


def export_hub_folder(
    model: str | None,
    folder: Path,
    *,
    data: str | None = None,
    root: Path | None = None,
    input_type: InputType = "uint8",
    max_drop: float = 1.0,
    form: Form | None = None,
    output: Path | None = None,
    with_detector: bool = False,
    force: bool = False,
) -> HubFolder:
    """Write README.md, model.safetensors, model.onnx and config.json into a folder, whole or not at all; and LICENSE,
    where the weights are ours.

    The weights are the model's own file, byte for byte; the ONNX file is compared with PyTorch, on val of `data` too
    where that is given. `force` replaces these files in a folder that exists, and leaves others alone.

    Raises UsageError for what does not go together (`form`, `output` and `with_detector` are for single files),
    ModelError where the ONNX file differs from PyTorch, DataError, or RunError where the folder cannot be written.
    """
    for flag, given in (("--format", form), ("--output", output), ("--with-detector", with_detector)):
        if given:
            raise UsageError(f"--to-hub-folder writes a folder of fixed files: leave {flag} out")
    loaded = load_model(model)
    if loaded.header.is_ensemble:
        raise ModelError("an ensemble has no weights file of its own: export its members one by one")
    refuse_what_cannot_be(loaded, "safetensors", data, with_detector)
    refuse_existing(folder, force=force, otherwise="choose another folder")
    faces = export_faces(loaded, data, root) if data is not None else None
    licence = licence_of(loaded)
    with folder_written_whole(folder, HUB_CONFIG) as temporary:
        shutil.copyfile(loaded.path, temporary / RUN_WEIGHTS)
        write_form(loaded, "onnx", temporary / GRAPH, input_type, faces)
        runner = file_runner(temporary / GRAPH, input_type == "float32")
        found = check(module_runner(graph(loaded)), runner, faces, seconds=0)
        if fault := found.fault(exact=True, max_drop=max_drop):
            raise ModelError(f"{fault}: {folder} was not written")
        if licence and (text := licence_text(licence)):
            write_text(temporary / "LICENSE", text)
        write_text(temporary / CARD, write_card(loaded.header, licence, _count(loaded)))
        digests = {name: file_digest(temporary / name) for name in (RUN_WEIGHTS, GRAPH)}
        write_json(temporary / HUB_CONFIG, _config(loaded, input_type, digests))
        files = {file.name: file.stat().st_size for file in sorted(temporary.iterdir())}
    return HubFolder(folder, loaded.name, files, found, licence)


def licence_of(model: Model) -> Licence | None:
    """The licence of weights that ship; None for others', which are not ours to license."""
    if not is_shipped(model.path):
        return None
    entries = load_catalogue().models.values()
    return next((entry.licence for entry in entries if entry.weights == model.path.name), None)


def licence_text(licence: Licence) -> str:
    """The text of a licence, from the checkout or from what the wheel's installer wrote; '' where neither has it."""
    package = Path(fercli.__file__).parent
    if (package.parent / "pyproject.toml").is_file() and (package.parent / licence.file).is_file():
        return (package.parent / licence.file).read_text(encoding="utf-8")
    try:
        return distribution("fercli").read_text(f"licenses/{licence.file}") or ""
    except PackageNotFoundError:
        return ""


def _count(model: Model) -> int:
    """Parameters, running statistics included."""
    return sum(value.numel() for value in model.network.state_dict().values() if torch.is_floating_point(value))


def _config(model: Model, input_type: InputType, digests: Mapping[str, str]) -> dict[str, Any]:
    """config.json: what a program needs to use the files. The weights file says the same of itself."""
    header = asdict(model.header)
    scaling = header["input"].get("scaling", "unit")
    return {
        "model": model.name,
        "architecture": header["architecture"],
        "arguments": dict(header["arguments"]),
        "classes": list(model.classes),
        "input": {
            "size": [header["input"].get("size", 48)] * 2,
            "channels": header["input"].get("channels", 1),
            "values": "gray, 0 to 255",
            "onnx_type": input_type,
            "crop": "a square around the middle of MTCNN's box, its side the box's longer side times (1 + 2 · margin)",
            "crop_margin": MARGIN,
        },
        # part of the network in both files: nothing is left to do
        "normalisation": {"name": scaling, **_NORMALISATION[scaling]},
        "temperature": dict(model.header.temperature),
        "label_smoothing": model.header.label_smoothing,
        "parameters": _count(model),
        "metrics": header["metrics"],
        "sha256": dict(digests),
        "fercli": fercli.__version__,
    }
