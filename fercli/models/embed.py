"""What a network knows of a face before it names an expression: the input of its last layer."""

import copy
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from fercli.core.errors import ModelError
from fercli.models.load import Model

#: Faces at once.
_BATCH = 64


class Embedder:
    """Gives the input of a network's last layer for each face; where that layer is a convolution, as in networks that
    end in global average pooling, the mean over its positions. The model may be at work in another thread meanwhile:
    this has a copy of its network.

    Raises ModelError for an average of several networks and for one in ONNX.
    """

    def __init__(self, model: Model) -> None:
        if model.header.is_ensemble:
            raise ModelError(f"--embeddings needs one network, and {model.path} is an average of several")
        self._network = copy.deepcopy(model.network).eval()
        self._mirrored, self._device = model.mirrored, model.device
        layers = [layer for layer in self._network.modules() if isinstance(layer, nn.Linear | nn.Conv2d)]
        layers = [layer for layer in layers if len(layer.weight) == len(model.classes)]
        if not layers:
            raise ModelError(f"--embeddings: no layer of {model.path} is seen here: take the network before its export")
        last = layers[-1]
        self.size: int = last.weight.shape[1]
        last.register_forward_pre_hook(self._keep)
        self._seen: list[Tensor] = []

    def _keep(self, module: nn.Module, inputs: tuple[Any, ...]) -> None:
        given: Tensor = inputs[0].float()
        self._seen.append(given.mean(dim=(2, 3)) if given.dim() == 4 else given)

    @torch.no_grad()
    def embed(self, faces: NDArray[np.uint8]) -> NDArray[np.float32]:
        """The embeddings [N, size] of gray faces [N, 1, 48, 48]; the mean of the two views where the model mirrors."""
        rows = [torch.empty(0, self.size)]
        for start in range(0, len(faces), _BATCH):
            batch = torch.from_numpy(np.ascontiguousarray(faces[start : start + _BATCH])).to(self._device)
            self._seen.clear()
            self._network(batch)
            if self._mirrored:
                self._network(batch.flip(3))
            rows.append(torch.stack(self._seen).mean(dim=0).cpu())
        out: NDArray[np.float32] = torch.cat(rows).numpy()
        return out
