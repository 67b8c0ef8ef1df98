"""MTCNN's three networks by themselves, for those who search for faces without PyTorch."""

from dataclasses import dataclass

from torch import Tensor, nn

from fercli.faces.mtcnn.detector import MAX_SIDE, MIN_FACE, THRESHOLDS
from fercli.faces.mtcnn.pyramid import PYRAMID
from fercli.faces.opencv import opencv


@dataclass(frozen=True)
class DetectorNetwork:
    """One of the three: a module that takes RGB pixels [N, 3, height, width], float32 of 0 to 255.

    Height and width are `side` pixels, or with `any_size` whatever they are from 12 on (`side` is then an example).
    """

    name: str
    module: nn.Module
    outputs: tuple[str, ...]
    side: int
    any_size: bool


class _Scaled(nn.Module):
    """A network behind the scaling that it was trained with."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, pixels: Tensor) -> tuple[Tensor, ...]:
        out: tuple[Tensor, ...] = self.network((pixels - 127.5) * 0.0078125)
        return out


def detector_networks() -> tuple[DetectorNetwork, ...]:
    """PNet, RNet and ONet with their weights, on the CPU. `boxes` are corrections as shares of a box's sides,
    `landmarks` five x then five y as shares of them, `probabilities` [N, 2] those of no face and of a face.

    Raises MachineError where OpenCV, which their package imports, cannot be loaded.
    """
    opencv()
    from facenet_pytorch.models.mtcnn import ONet, PNet, RNet

    few, all_three = ("boxes", "probabilities"), ("boxes", "landmarks", "probabilities")
    return (
        DetectorNetwork("pnet", _Scaled(PNet()).eval(), few, 20, any_size=True),
        DetectorNetwork("rnet", _Scaled(RNet()).eval(), few, 24, any_size=False),
        DetectorNetwork("onet", _Scaled(ONet()).eval(), all_three, 48, any_size=False),
    )


def detector_settings() -> dict[str, object]:
    """How `Detector` uses them unless told otherwise: thresholds, the smallest face and the longest side in pixels, the
    pyramid's step."""
    return {
        "thresholds": list(THRESHOLDS),
        "min_face": MIN_FACE,
        "max_side": MAX_SIDE,
        "pyramid": PYRAMID,
    }
