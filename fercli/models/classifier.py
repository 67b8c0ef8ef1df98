"""A network as the rest of the program sees it: gray faces of 0 to 255 in, logits out."""

import torch
from torch import Tensor, nn

from fercli.core.catalogue import Scaling

#: Mean and standard deviation of ImageNet's pixels of 0 to 1, as torchvision's weights expect them taken away.
IMAGENET_MOMENTS = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))


#: The least probability of a class once label smoothing is undone.
_LEAST = 1e-3

#: Faces at once. Large enough to fill a processor, small enough for any memory.
BATCH = 512


class Classifier(nn.Module):
    """An architecture's body behind its input scaling, so that training, prediction and export feed
    every network the same tensor. `scaling` is as in the catalogue's schema. `label_smoothing` is that of
    the training, which is undone (see `undo_smoothing`) except while the network trains.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self, body: nn.Module, scaling: Scaling, label_smoothing: float = 0.0) -> None:
        super().__init__()
        self.body = body
        self.scaling = scaling
        self.label_smoothing = label_smoothing
        if scaling == "imagenet":
            for name, values in zip(("mean", "deviation"), IMAGENET_MOMENTS, strict=True):
                self.register_buffer(name, torch.tensor(values).view(3, 1, 1), persistent=False)

    def forward(self, faces: Tensor) -> Tensor:
        """Faces [N, 1, 48, 48], uint8 or float of 0 to 255, to logits [N, classes]."""
        pixels = (faces.float() if not faces.is_floating_point() else faces) / 255
        if self.scaling == "imagenet":
            pixels = (pixels.expand(-1, 3, -1, -1) - self.mean) / self.deviation
        logits: Tensor = self.body(pixels)
        if self.label_smoothing and not self.training:
            return undo_smoothing(logits, self.label_smoothing)
        return logits


def undo_smoothing(logits: Tensor, smoothing: float) -> Tensor:
    """Turn logits [N, C] that were trained on smoothed labels into those that the plain labels would have taught.

    Smoothed labels teach (1 - smoothing) p + smoothing / C in place of a class's probability p (Szegedy et al. 2016,
    arXiv 1512.00567), which bounds the confidence, however clear a face is. A temperature that makes up for this makes
    the network too sure of doubtful faces. docs/experiments.md has the figures.
    """
    uniform = smoothing / logits.shape[1]
    probabilities = (logits.float().softmax(dim=1) - uniform) / (1 - smoothing)
    return probabilities.clamp(min=_LEAST).log()


@torch.inference_mode()
def logits(network: nn.Module, faces: Tensor, mirrored: bool = False) -> Tensor:
    """Logits [N, classes] float32 on the faces' device for faces [N, 1, 48, 48] uint8 of 0 to 255.

    `mirrored` averages the logits of each face and of its mirror image, as those of networks are averaged (see
    fercli.models.ensemble). The network, which must be on the same device, is left in the mode (training or not) that
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
