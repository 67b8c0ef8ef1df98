"""Where in a face a network finds what speaks for an expression: Grad-CAM, as captum computes it.

Selvaraju et al. 2017, 'Grad-CAM: Visual Explanations from Deep Networks' (arXiv 1610.02391).
"""

import copy
import importlib.util
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from fercli.core.errors import MachineError, ModelError
from fercli.models.classifier import Classifier
from fercli.models.ensemble import Ensemble
from fercli.models.load import Model

#: A map of fewer cells a side tells next to nothing of where.
SMALLEST_MAP = 3
#: Faces at once.
_BATCH = 64


@dataclass(frozen=True)
class Layer:
    """The part of a network whose maps are explained, and how many cells a side they have."""

    module: nn.Module
    map_side: int


class Explainer:
    """Grad-CAM for one model, which may be at work in another thread meanwhile: this has a copy of its network.

    Of an ensemble, each member's map is scaled to its own maximum, then the mean is taken: their layers have no
    common measure. Where the model averages a face and its mirror image, so do the maps.

    Raises MachineError where captum is not installed, ModelError where the network has no maps to look at.
    """

    def __init__(self, model: Model) -> None:
        need_captum()
        if not all(isinstance(member, Classifier) for member in _members(model.network)):
            raise ModelError(
                f"{model.path} cannot be explained, for what was exported to ONNX has no gradients: name the run "
                "folder or the weights file that it was exported from"
            )
        self._model = model
        self._network = copy.deepcopy(model.network).eval().requires_grad_(False)
        self._layers = [last_map(member) for member in _members(self._network)]

    @property
    def map_sides(self) -> tuple[int, ...]:
        """How many cells a side the maps have that the heat is drawn from, the fewest first."""
        return tuple(sorted({layer.map_side for layer in self._layers}))

    def heat(self, faces: NDArray[np.uint8], classes: NDArray[np.int64]) -> NDArray[np.float32]:
        """How much each pixel of gray faces [N, 1, 48, 48] uint8 speaks for a class index [N]: [N, 48, 48], 0 to 1.

        Scaled so that the highest pixel of each face is 1; all 0 where none speaks for it.
        """
        given = torch.from_numpy(np.ascontiguousarray(faces)).to(self._model.device).float()
        targets = torch.from_numpy(classes).to(self._model.device)
        maps = torch.zeros(len(faces), 1, *faces.shape[2:])
        for layer in self._layers:
            seen = self._maps(layer.module, given, targets)
            if self._model.mirrored:
                seen = seen + self._maps(layer.module, given.flip(3), targets).flip(3)
            maps += _scaled(seen)
        out: NDArray[np.float32] = _scaled(maps)[:, 0].numpy()
        return out

    def _maps(self, layer: nn.Module, faces: Tensor, targets: Tensor) -> Tensor:
        """Grad-CAM of faces [N, 1, 48, 48] at their own size, on the CPU: [N, 1, 48, 48], nothing below 0."""
        from captum.attr import LayerGradCam

        cam = LayerGradCam(self._network, layer)
        chunks = [
            cam.attribute(chunk.clone().requires_grad_(), target, relu_attributions=True).detach().cpu().float()
            for chunk, target in zip(faces.split(_BATCH), targets.split(_BATCH), strict=True)
        ]
        smooth = F.interpolate(torch.cat(chunks), faces.shape[2:], mode="bicubic", align_corners=False)
        return smooth.clamp_min(0)


def need_captum() -> None:
    """Raise MachineError, with what installs it, where captum is missing."""
    if importlib.util.find_spec("captum") is None:
        raise MachineError("explaining faces needs captum, which is not installed here: pip install captum")


def last_map(network: Classifier) -> Layer:
    """The last stage of a network that gives a map of features of 3×3 cells or more.

    Stages are the parts that its body is made of, in the order in which they work. A map that has one channel a
    class is no longer one of features. Raises ModelError where there is none.
    """
    found: list[Layer] = []
    shapes: dict[nn.Module, torch.Size] = {}

    def look(module: nn.Module, _: object, out: Tensor) -> None:
        shapes[module] = out.shape

    hooks = [stage.register_forward_hook(look) for stage in network.body.children()]
    device = next(network.parameters()).device
    try:
        with torch.inference_mode():
            classes = network(torch.zeros(1, 1, 48, 48, device=device)).shape[1]
    finally:
        for hook in hooks:
            hook.remove()
    for module, shape in shapes.items():
        if len(shape) == 4 and min(shape[2:]) >= SMALLEST_MAP and shape[1] != classes:
            found.append(Layer(module, shape[2]))
    if not found:
        raise ModelError(f"the network has no map of {SMALLEST_MAP} × {SMALLEST_MAP} cells or more to be explained by")
    return found[-1]


def _members(network: nn.Module) -> list[Any]:
    """The networks of an ensemble, or the one network."""
    return list(network.networks) if isinstance(network, Ensemble) else [network]


def _scaled(maps: Tensor) -> Tensor:
    """Maps [N, 1, H, W] with 1 as their highest value, where they have one above 0."""
    highest = maps.amax(dim=(1, 2, 3), keepdim=True)
    return torch.where(highest > 0, maps / highest.clamp_min(torch.finfo(maps.dtype).tiny), 0.0)
