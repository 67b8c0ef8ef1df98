"""Faces through a network, without gradients, in batches."""

import torch
from torch import Tensor, nn

#: Faces at once. Large enough to fill a processor, small enough for any memory.
BATCH = 512


@torch.inference_mode()
def logits(network: nn.Module, faces: Tensor, mirrored: bool = False) -> Tensor:
    """Logits [N, classes] float32 on the faces' device for faces [N, 1, 48, 48] uint8 of 0 to 255.

    `mirrored` averages the logits of each face and of its mirror image, as those of networks are averaged (see
    fercli.models.average). The network, which must be on the same device, is left in the mode (training or not) that
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
