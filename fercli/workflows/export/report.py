"""What an export made, as its report beside the file says it."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from fercli.models.export.graph import InputType
from fercli.workflows.export.verify import Check
from fercli.workflows.provenance import command_line, versions

Form = Literal["onnx", "onnx-int8", "pt2", "safetensors", "safetensors-half"]
#: What the file of each form ends in.
SUFFIXES: dict[Form, str] = {
    "onnx": ".onnx",
    "onnx-int8": ".onnx",
    "pt2": ".pt2",
    "safetensors": ".safetensors",
    "safetensors-half": ".safetensors",
}
#: Forms that round: their probabilities need not be PyTorch's, their accuracy is what counts.
ROUNDED: tuple[Form, ...] = ("onnx-int8", "safetensors-half")


@dataclass(frozen=True)
class Export:
    """One exported file. Sizes in bytes; `weights_size` is that of PyTorch's tensors. `calibration` faces, of the
    train part, showed int8 its ranges. `temperature` is by views, as the file has it; `remark` what must be said of it.
    """

    path: Path
    model: str
    form: Form
    input_type: InputType
    size: int
    weights_size: int
    calibration: int
    temperature: Mapping[str, float]
    check: Check
    detector: tuple[Path, ...] = ()
    remark: str = ""

    @property
    def report(self) -> Path:
        """The JSON report beside the file."""
        return report_path(self.path)

    def to_dict(self) -> dict[str, Any]:
        """The report."""
        return {
            "file": self.path.name,
            "model": self.model,
            "format": self.form,
            "input": self.input_type,
            "bytes": self.size,
            "weights_bytes": self.weights_size,
            "calibration_faces": self.calibration,
            "temperature": dict(self.temperature),
            **({"remark": self.remark} if self.remark else {}),
            **self.check.to_dict(),
            "detector": [path.name for path in self.detector],
            "command": command_line(),
            "versions": versions(),
        }


def report_path(path: Path) -> Path:
    """Where the report of an exported file lies."""
    return path.with_name(f"{path.name}.json")
