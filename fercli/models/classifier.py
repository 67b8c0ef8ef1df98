"""A network as the rest of the program sees it: gray faces of 0 to 255 in, logits out."""

from torch import Tensor, nn

from fercli.core.catalogue import Scaling


class Classifier(nn.Module):
    """An architecture's body behind its input scaling, so that training, prediction and export feed
    every network the same tensor.

    `scaling` is 'unit': pixels / 255.
    """

    def __init__(self, body: nn.Module, scaling: Scaling) -> None:
        super().__init__()
        self.body = body
        self.scaling = scaling

    def forward(self, faces: Tensor) -> Tensor:
        """Faces [N, 1, 48, 48], uint8 or float of 0 to 255, to logits [N, classes]."""
        pixels = faces.float() if not faces.is_floating_point() else faces
        logits: Tensor = self.body(pixels / 255)
        return logits
