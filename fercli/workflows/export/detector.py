"""MTCNN's three networks as ONNX files, for a product that finds faces without PyTorch."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

import fercli
from fercli.core.errors import ModelError
from fercli.core.files import written_whole
from fercli.faces.mtcnn.networks import DetectorNetwork, get_detector_settings, load_detector_networks
from fercli.models.export.graph import write_module
from fercli.models.export.verify import TOLERANCE

#: The files, by the names of the networks.
DETECTOR_FILES = ("pnet.onnx", "rnet.onnx", "onet.onnx")
_INPUT = "pixels"


def export_detector(folder: Path) -> tuple[Path, ...]:
    """Write pnet.onnx, rnet.onnx and onet.onnx, each compared with PyTorch first. What the search needs besides them
    (thresholds, sides, step of the pyramid) is in their metadata.

    Raises ModelError where an output is off by more than TOLERANCE, RunError where a file cannot be written.
    """
    about = {
        "version": fercli.__version__,
        "source": "MTCNN (Zhang et al. 2016), weights of facenet-pytorch 2.5.3",
        "detector": json.dumps(get_detector_settings()),
    }
    paths = []
    for network in load_detector_networks():
        paths.append(folder / f"{network.name}.onnx")
        with written_whole(paths[-1]) as temporary:
            example = torch.zeros(2, 3, network.side, network.side)
            free = {0: "N", 2: "height", 3: "width"} if network.any_size else {0: "N"}
            write_module(network.module, temporary, example, [_INPUT], network.outputs, free, about)
            off = _difference(network, temporary)
            if not off <= TOLERANCE:
                raise ModelError(f"{paths[-1].name} is off by {off:.2g} from PyTorch's: it was not written")
    return tuple(paths)


def _difference(network: DetectorNetwork, path: Path) -> float:
    """The largest difference of any output on noise, at several sizes."""
    import onnxruntime

    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    found = []
    for pixels in _noise(network):
        with torch.inference_mode():
            wanted: Sequence[torch.Tensor] = network.module(pixels)
        given = session.run(network.outputs, {_INPUT: pixels.numpy()})
        found += [np.abs(one.numpy() - other).max() for one, other in zip(wanted, given, strict=True)]
    return float(np.max(found))


def _noise(network: DetectorNetwork) -> list[torch.Tensor]:
    draw = torch.Generator().manual_seed(0)
    sides = ((12, 12), (37, 50), (121, 64)) if network.any_size else ((network.side, network.side),)
    return [255 * torch.rand(count, 3, *side, generator=draw) for count in (1, 7) for side in sides]
