"""A trained network that another one learns from: its probabilities become part of the targets.

Source: knowledge distillation (Hinton et al. 2015, arXiv 1503.02531), with the teacher asked about the very faces,
changed at random, that its pupil sees (Beyer et al. 2022, arXiv 2106.05237), before mixup blends them.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from fercli.training.device import Precision, autocast


class Teacher(nn.Module):
    """Calibrated probabilities of a trained network: never trained itself, its norms' statistics left alone.

    It answers in a precision of its own: what is fastest for a large teacher is not for a small pupil.
    """

    def __init__(self, network: nn.Module, temperature: float, precision: Precision = "fp32") -> None:
        super().__init__()
        self.network = network.requires_grad_(False).eval()
        self.temperature = temperature
        self.precision: Precision = precision

    @torch.no_grad()
    def forward(self, faces: Tensor) -> Tensor:
        """Faces [N, 1, 48, 48] of 0 to 255 to probabilities [N, classes] float32."""
        with autocast(faces.device, self.precision):
            logits = self.network(faces)
        return F.softmax(logits.float() / self.temperature, dim=1)


def distillation_targets(target: Tensor, probabilities: Tensor, weight: float) -> Tensor:
    """Targets [N, classes] of which a teacher's probabilities [N, classes] make up this weight, 0 to 1, and the labels
    [N] or targets [N, classes] the rest."""
    own = F.one_hot(target, probabilities.shape[1]).float() if target.dim() == 1 else target
    return torch.lerp(own, probabilities, weight)
