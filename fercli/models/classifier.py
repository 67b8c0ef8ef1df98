"""Networks as the rest of the program sees them: gray faces of 0 to 255 in, logits out.

A classifier is one network behind its input scaling, an ensemble the mean of several ones' calibrated logits.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from fercli.core.catalogue import Scaling
from fercli.core.errors import ModelError
from fercli.models.weights import Header

#: Mean and standard deviation of ImageNet's pixels of 0 to 1, as torchvision's weights expect them taken away.
_IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
#: Faces at once. Large enough to fill a processor, small enough for any memory.
BATCH = 512
#: What the header of an ensemble names as its architecture.
ENSEMBLE = "average"
#: Where the header's `training` says on which faces the temperatures of the ensemble itself were fitted.
_FITTED_ON = "temperature_fitted_on"


class Classifier(nn.Module):
    """An architecture's body behind its input scaling, so that training, prediction and export feed
    every network the same tensor. `scaling` is as in the catalogue's schema.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self, body: nn.Module, scaling: Scaling) -> None:
        super().__init__()
        self.body = body
        self.scaling = scaling
        if scaling == "imagenet":
            for name, values in zip(("mean", "deviation"), _IMAGENET, strict=True):
                self.register_buffer(name, torch.tensor(values).view(3, 1, 1), persistent=False)

    def forward(self, faces: Tensor) -> Tensor:
        """Faces [N, 1, 48, 48], uint8 or float of 0 to 255, to logits [N, classes]."""
        pixels = (faces.float() if not faces.is_floating_point() else faces) / 255
        if self.scaling == "imagenet":
            pixels = (pixels.expand(-1, 3, -1, -1) - self.mean) / self.deviation
        logits: Tensor = self.body(pixels)
        return logits


@torch.inference_mode()
def logits(network: nn.Module, faces: Tensor, mirrored: bool = False) -> Tensor:
    """Logits [N, classes] float32 on the faces' device for faces [N, 1, 48, 48] uint8 of 0 to 255.

    `mirrored` averages the logits of each face and of its mirror image, as those of networks are averaged (see
    fercli.models.classifier). The network, which must be on the same device, is left in the mode (training or not) that
    it was in.
    """
    was_training = network.training
    network.eval()
    try:
        chunks = [_views(network, chunk, mirrored) for chunk in faces.split(BATCH)]
    finally:
        network.train(was_training)
    return torch.cat(chunks)


def _views(network: nn.Module, faces: Tensor, mirrored: bool) -> Tensor:
    out: Tensor = network(faces)
    return ((out + network(faces.flip(3))) / 2 if mirrored else out).float()


class Ensemble(nn.Module):
    """Networks of the same classes, each with its temperature: the mean of their logits, each divided by it.

    It is the rule for the views of a face too (see `logits`), so views and networks are averaged in any
    order. docs/experiments.md has it beside the mean of probabilities.
    """

    def __init__(self, networks: Sequence[nn.Module], temperatures: Sequence[float]) -> None:
        super().__init__()
        self.networks = nn.ModuleList(networks)
        self.temperatures = tuple(temperatures)

    def forward(self, faces: Tensor) -> Tensor:
        """Faces [N, 1, 48, 48], uint8 or float of 0 to 255, to logits [N, classes]."""
        members = zip(self.networks, self.temperatures, strict=True)
        return torch.stack([network(faces).float() / temperature for network, temperature in members]).mean(dim=0)


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
    members = [training for header in headers for training in list_trainings(header)]
    return Header(
        model="+".join(header.model for header in headers),
        architecture=ENSEMBLE,
        arguments={},
        input={},
        classes=first.classes,
        training={"members": members},
    )


def list_trainings(header: Header) -> list[dict[str, Any]]:
    """What is recorded of each training behind a network: one, or one for each member of an ensemble."""
    recorded = header.training.get("members") if header.architecture == ENSEMBLE else None
    return list(recorded) if recorded else [{"model": header.model, **header.training}]


def set_temperature(header: Header, temperature: Mapping[str, float], fitted_on: str) -> Header:
    """The header of an ensemble with temperatures, by views, that were fitted on the faces named."""
    return replace(header, temperature=dict(temperature), training={**header.training, _FITTED_ON: fitted_on})


def lacks_temperature(header: Header) -> bool:
    """Whether it is of an ensemble to which no temperature was fitted."""
    return header.architecture == ENSEMBLE and _FITTED_ON not in header.training
