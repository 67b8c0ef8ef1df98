"""Name the expression of every face in photographs, with ONNX Runtime, NumPy and Pillow alone.

Does what `fer predict` does, from the files that this writes:
    fer export --model xu-rescnn --with-detector --output models/xu-rescnn.onnx

usage: python label_photo.py --model models/xu-rescnn.onnx photo.jpg [more.jpg …]
"""

import argparse
import json
import os
import sys
from pathlib import Path

os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")  # before the import, or it notes usage in the user's cache

import numpy as np
import onnxruntime
from mtcnn import Detector
from PIL import Image, ImageOps
from pixels import resized_by_area, resized_linearly

SIDE = 48


class Classifier:
    """An exported network, with what its file says of itself."""

    def __init__(self, path: Path) -> None:
        self.session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
        about = self.session.get_modelmeta().custom_metadata_map
        self.classes = json.loads(about["classes"])
        self.margin = float(about["margin"])
        self.temperature = json.loads(about["fercli"])["temperature"]["mirrored"]
        self.type = np.uint8 if self.session.get_inputs()[0].type == "tensor(uint8)" else np.float32

    def crop(self, picture: np.ndarray, box: np.ndarray) -> np.ndarray:
        """The face in a box, framed as the network wants it: gray [48, 48] uint8."""
        x1, y1, x2, y2 = box
        side = max(1, round(max(x2 - x1, y2 - y1) * (1 + 2 * self.margin)))
        left, top = round((x1 + x2 - side) / 2), round((y1 + y2 - side) / 2)
        rows = np.arange(top, top + side).clip(0, picture.shape[0] - 1)
        columns = np.arange(left, left + side).clip(0, picture.shape[1] - 1)
        gray = np.rint(picture[rows][:, columns] @ np.array([0.299, 0.587, 0.114])).astype(np.uint8)
        return (resized_by_area if side > SIDE else resized_linearly)(gray, SIDE, SIDE)

    def probabilities(self, faces: np.ndarray) -> np.ndarray:
        """Probabilities [N, classes] of gray faces [N, 1, 48, 48]: each averaged with its mirror image.

        For one view alone, the graph's own output `probabilities` is all that is needed.
        """
        views = [faces, faces[..., ::-1]]
        logits = [self.session.run(["logits"], {"faces": view.astype(self.type)})[0] for view in views]
        powers = np.mean(logits, axis=0) / self.temperature
        powers = np.exp(powers - powers.max(axis=1, keepdims=True))
        return powers / powers.sum(axis=1, keepdims=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos", nargs="+", type=Path)
    parser.add_argument("--model", type=Path, required=True, help="pnet.onnx, rnet.onnx and onet.onnx lie beside it")
    options = parser.parse_args()
    needed = [options.model, *(options.model.with_name(f"{name}.onnx") for name in ("pnet", "rnet", "onet"))]
    if missing := [str(path) for path in needed if not path.is_file()]:
        sys.exit(f"error: no such file: {', '.join(missing)} (the usage says how they are made: --help)")
    classifier, detector = Classifier(options.model), Detector(options.model.parent)
    failed = [photo for photo in options.photos if not label(photo, classifier, detector)]
    sys.exit(1 if failed else 0)


def label(photo: Path, classifier: Classifier, detector: Detector) -> bool:
    """Print the faces of a photograph; whether it could be read."""
    try:
        picture = np.asarray(ImageOps.exif_transpose(Image.open(photo)).convert("RGB"))
    except (OSError, ValueError, Image.DecompressionBombError) as error:  # missing, damaged, or too large
        print(f"error: {photo}: {error}", file=sys.stderr)
        return False
    boxes = detector.find(picture)
    if not len(boxes):
        print(f"{photo.name}: no face")
        return True
    faces = np.stack([classifier.crop(picture, box) for box in boxes])[:, None]
    for number, row in enumerate(classifier.probabilities(faces), start=1):
        first = int(row.argmax())
        print(f"{photo.name}: face {number}: {classifier.classes[first]} {row[first]:.3f}")
    return True


if __name__ == "__main__":
    main()
