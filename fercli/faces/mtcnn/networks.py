"""MTCNN's three networks on their own, for export, so that faces can be found without PyTorch."""

from dataclasses import dataclass

from torch import Tensor, nn

from fercli.faces.mtcnn.detector import MAX_SIDE, MIN_FACE, THRESHOLDS
from fercli.faces.mtcnn.pyramid import SCALE_STEP
from fercli.faces.mtcnn.torch_networks import load_facenet_networks


@dataclass(frozen=True)
class DetectorNetwork:
    """One of the three networks. Its module takes RGB pixels [N, 3, height, width], float32 from 0 to 255.

    Height and width are `side` pixels. With `any_size` they may be anything from 12 on, and `side` is an example.
    """

    name: str
    module: nn.Module
    outputs: tuple[str, ...]
    side: int
    any_size: bool


class _ScaledInput(nn.Module):
    """A network with the input scaling it was trained with."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, pixels: Tensor) -> tuple[Tensor, ...]:
        out: tuple[Tensor, ...] = self.network((pixels - 127.5) * 0.0078125)
        return out


def load_detector_networks() -> tuple[DetectorNetwork, ...]:
    """PNet, RNet and ONet with their weights, on the CPU.

    `boxes` are offsets as fractions of a box's width and height, `landmarks` five x then five y as such fractions,
    `probabilities` [N, 2] those of no face and of a face.

    Raises MachineError if OpenCV, which facenet-pytorch imports, cannot be loaded.
    """
    pnet, rnet, onet = load_facenet_networks()
    two_outputs, three_outputs = ("boxes", "probabilities"), ("boxes", "landmarks", "probabilities")
    return (
        DetectorNetwork("pnet", _ScaledInput(pnet).eval(), two_outputs, 20, any_size=True),
        DetectorNetwork("rnet", _ScaledInput(rnet).eval(), two_outputs, 24, any_size=False),
        DetectorNetwork("onet", _ScaledInput(onet).eval(), three_outputs, 48, any_size=False),
    )


def get_detector_settings() -> dict[str, object]:
    """The default settings of `Detector`: the three thresholds, the smallest face and the longest side in pixels, and
    the factor from one level of the pyramid to the next."""
    return {
        "thresholds": list(THRESHOLDS),
        "min_face": MIN_FACE,
        "max_side": MAX_SIDE,
        "pyramid": SCALE_STEP,
    }
