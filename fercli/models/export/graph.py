"""A network with all that surrounds it as one graph: gray faces in, logits and calibrated probabilities out."""

import io
import json
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor, nn

import fercli
from fercli.models.load import Model
from fercli.models.onnx_model import FACES, LOGITS, PROBABILITIES
from fercli.models.weights import HEADER_KEY, dump_header

InputType = Literal["uint8", "float32"]

#: The newest that torch's exporter writes without converting, and that ONNX Runtime has run since 1.17.
OPSET = 20
#: The file of a .pt2 archive that holds the metadata.
PT2_METADATA = "fercli.json"


class Graph(nn.Module):
    """A network, its temperature and the softmax."""

    def __init__(self, network: nn.Module, temperature: float) -> None:
        super().__init__()
        self.network = network
        self.temperature = temperature

    def forward(self, faces: Tensor) -> tuple[Tensor, Tensor]:
        """Faces [N, 1, 48, 48], uint8 or float of 0 to 255, to logits and probabilities, both [N, classes]."""
        logits = self.network(faces)
        return logits, torch.softmax(logits / self.temperature, dim=1)


def graph(model: Model) -> Graph:
    """A model's graph for single views, on the CPU and not training."""
    return Graph(model.network, model.temperature).cpu().eval()


def metadata(model: Model, input_type: InputType) -> dict[str, str]:
    """What an exported file says of itself: the header of the weights, and the parts of it that those who ship the
    file need, in plain words.
    """
    return {
        HEADER_KEY: dump_header(model.header),
        "model": model.name,
        "version": fercli.__version__,
        "classes": json.dumps(model.classes, ensure_ascii=False),
        "input": f"{FACES} [N, 1, 48, 48] {input_type}: gray faces, 0 to 255",
        "outputs": f"{LOGITS} [N, {len(model.classes)}] before the temperature; {PROBABILITIES} after it",
    }


def write_onnx(model: Model, path: Path, input_type: InputType, about: Mapping[str, str]) -> None:
    """Write a model's graph as one ONNX file with these metadata."""
    example = torch.zeros(2, 1, 48, 48, dtype=getattr(torch, input_type))
    write_module(graph(model), path, example, [FACES], [LOGITS, PROBABILITIES], {0: "N"}, about)


def write_module(
    module: nn.Module,
    path: Path,
    example: Tensor,
    inputs: Sequence[str],
    outputs: Sequence[str],
    free: Mapping[int, str],
    about: Mapping[str, str],
) -> None:
    """Write any module of one input as one ONNX file with these metadata.

    `free` names the dimensions of the input that may differ from the example's.
    """
    import onnx

    proto = export_module(module, example, inputs, outputs, free)
    onnx.helper.set_model_props(proto, dict(about))
    onnx.save(proto, path)


def export_module(
    module: nn.Module,
    example: Tensor,
    inputs: Sequence[str],
    outputs: Sequence[str],
    free: Mapping[int, str],
    *,
    optimize: bool = True,
) -> Any:
    """The ONNX model of a module; without `optimize` its initializers have the names of the module's tensors."""
    with warnings.catch_warnings():
        # the exporter's own use of what PyTorch and Python are about to change
        warnings.filterwarnings("ignore", category=FutureWarning)
        warnings.filterwarnings("ignore", category=DeprecationWarning)
        program = torch.onnx.export(
            module,
            (example,),
            dynamo=True,
            opset_version=OPSET,
            input_names=inputs,
            output_names=outputs,
            dynamic_shapes=(_dimensions(free),),
            external_data=False,
            optimize=optimize,
            verbose=False,
        )
    assert program is not None
    proto = program.model_proto
    proto.producer_name, proto.producer_version = "fercli", fercli.__version__
    for thing in (*proto.graph.node, *proto.graph.value_info, *proto.graph.initializer):
        # which line of which module each node stems from: half as large as a small network itself
        thing.ClearField("metadata_props")
        thing.ClearField("doc_string")
    return proto


def write_pt2(model: Model, path: Path, input_type: InputType, about: Mapping[str, str]) -> None:
    """Write a model's graph as an archive of torch.export, the metadata as a JSON file in it."""
    example = torch.zeros(2, 1, 48, 48, dtype=getattr(torch, input_type))
    program = torch.export.export(graph(model), (example,), dynamic_shapes=(_dimensions({0: "N"}),))
    for node in program.graph.nodes:
        node.meta.pop("stack_trace", None)  # names this machine's folders
    # into memory first: torch's own writer ends the process where the disk is full
    content = io.BytesIO()
    torch.export.save(program, content, extra_files={PT2_METADATA: json.dumps(about, ensure_ascii=False)})
    path.write_bytes(content.getbuffer())


def _dimensions(free: Mapping[int, str]) -> dict[int, Any]:
    return {axis: torch.export.Dim(name) for axis, name in free.items()}
