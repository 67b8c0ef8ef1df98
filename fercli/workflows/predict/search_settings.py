"""How faces are come by: searched for, and how thoroughly, or every picture taken for one."""

from dataclasses import dataclass

from fercli.core.errors import UsageError
from fercli.faces.detection import WholePictureDetector
from fercli.faces.mtcnn import detector
from fercli.workflows.predict.pipeline import FaceFinder


@dataclass(frozen=True)
class SearchSettings:
    """The smallest face and the longest side in pixels and how sure the detector must be, as
    fercli.faces.mtcnn.detector has them; or that pictures are `cropped` faces, and nothing is searched.

    Raises UsageError for both together.
    """

    min_face: float = detector.MIN_FACE
    max_side: int = detector.MAX_SIDE
    threshold: float = detector.THRESHOLDS[2]
    cropped: bool = False

    def __post_init__(self) -> None:
        usual = (detector.MIN_FACE, detector.MAX_SIDE, detector.THRESHOLDS[2])
        if self.cropped and (self.min_face, self.max_side, self.threshold) != usual:
            raise UsageError("--faces-are-cropped searches nothing: leave --min-face, --max-side and --threshold out")

    def finder(self, device: str) -> FaceFinder:
        """What finds faces so, on a PyTorch device. Raises UsageError for settings that make no sense, MachineError
        where OpenCV cannot be loaded."""
        if self.cropped:
            return WholePictureDetector()
        return detector.Detector(device, self.min_face, (*detector.THRESHOLDS[:2], self.threshold), self.max_side)

    def __str__(self) -> str:
        if self.cropped:
            return "each picture is one"
        larger = f", larger in proportion in pictures of more than {self.max_side}" if self.max_side else ""
        return f"found with MTCNN from {self.min_face:g} pixels on{larger}; threshold {self.threshold:g}"
