"""Predict the expression of face crops with an exported network, using ONNX Runtime, NumPy and Pillow alone.

A face crop is a picture that shows one face and little else. examples/onnx_only also finds the faces in photographs.

The network is a file that this writes:
    fer export --model vgg14

usage: python onnx_python.py --model vgg14.onnx face.png [more.png …] [--json]
"""

import argparse
import json
import os
from pathlib import Path

os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")  # before the import, or it notes usage in the user's cache

import numpy as np
import onnxruntime
from PIL import Image, ImageOps

SIDE = 48


class Classifier:
    """An exported network, and what the metadata of its file say about it."""

    def __init__(self, path: Path) -> None:
        self.session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
        metadata = self.session.get_modelmeta().custom_metadata_map
        #: class names, in the order of the network's outputs
        self.classes: list[str] = json.loads(metadata["classes"])
        #: what the graph divides its logits by; its output `probabilities` is calibrated with it already
        self.temperature: float = json.loads(metadata["fercli"])["temperature"]["single"]
        #: uint8, or float32 for a file made with --input-dtype float32; both take gray values of 0 to 255
        self.dtype = np.uint8 if self.session.get_inputs()[0].type == "tensor(uint8)" else np.float32

    def probabilities(self, faces: np.ndarray) -> np.ndarray:
        """Calibrated probabilities [N, classes] of gray faces [N, 48, 48] uint8. The graph does the scaling."""
        (probabilities,) = self.session.run(["probabilities"], {"faces": faces[:, None].astype(self.dtype)})
        return probabilities


def read_face(path: Path) -> np.ndarray:
    """A face crop as the network takes it, as `fer predict --faces-are-cropped` reads it: gray [48, 48] uint8."""
    with Image.open(path) as file:
        picture = ImageOps.exif_transpose(file)
        if picture.has_transparency_data:
            picture = picture.convert("RGBA")
            picture = Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture)
        gray = picture.convert("RGB").convert("L")
    kernel = Image.Resampling.BOX if min(gray.size) > SIDE else Image.Resampling.BILINEAR
    return np.asarray(gray.resize((SIDE, SIDE), kernel))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("faces", nargs="+", type=Path)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--json", action="store_true", help="print all probabilities, one JSON object a line")
    options = parser.parse_args()
    classifier = Classifier(options.model)
    rows = classifier.probabilities(np.stack([read_face(path) for path in options.faces]))
    for path, row in zip(options.faces, rows, strict=True):
        label = classifier.classes[int(row.argmax())]
        if options.json:
            values = dict(zip(classifier.classes, row.tolist(), strict=True))
            print(json.dumps({"picture": str(path), "label": label, "probabilities": values}, ensure_ascii=False))
        else:
            print(f"{path}: {label} {row.max():.3f}")


if __name__ == "__main__":
    main()
