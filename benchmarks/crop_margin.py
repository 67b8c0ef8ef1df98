"""Which margin around a detected face serves a trained network best, end to end.

    python -m benchmarks.crop_margin --data FOLDER --model NAME

FOLDER is a copy of muxspace/facial_expressions (images/ and data/legend.csv: user.id,image,emotion). Faces
are found once; every margin and vertical offset then crops the same detections. Pictures with two labels, or
with 'contempt', are left out. Prints accuracy and macro recall for each margin, on as many pictures of each
class as there are, up to an equal share of --pictures. Those labels are no gold standard, and the pictures
are tight head crops, so that wide margins repeat edge pixels: read the table for its shape, not its level.
"""

import argparse
import csv
from collections import defaultdict
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fercli.core.errors import PictureError
from fercli.core.labels import canonical
from fercli.faces.crop import crop_face
from fercli.faces.detection import Detection
from fercli.faces.io.decode import read_picture
from fercli.faces.mtcnn.detector import Detector
from fercli.models.load import Model, load_model

Found = list[tuple[NDArray[np.uint8], Detection, int]]


def labelled(folder: Path, classes: tuple[str, ...], pictures: int, seed: int) -> list[tuple[Path, int]]:
    """A sample of the legend with as equal a share of each class as there is, in a fixed order."""
    labels: dict[str, set[str]] = defaultdict(set)
    with (folder / "data" / "legend.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            labels[row["image"]].add(canonical(row["emotion"]))
    of_class: dict[str, list[str]] = defaultdict(list)
    for image, names in sorted(labels.items()):
        if len(names) == 1 and next(iter(names)) in classes and (folder / "images" / image).is_file():
            of_class[next(iter(names))].append(image)
    rng = np.random.default_rng(seed)
    chosen: list[tuple[Path, int]] = []
    # the rare classes first: what they lack falls to the others
    for left, name in zip(range(len(of_class), 0, -1), sorted(of_class, key=lambda n: len(of_class[n])), strict=True):
        share = min(len(of_class[name]), (pictures - len(chosen)) // left)
        picked = rng.choice(len(of_class[name]), share, replace=False)
        chosen += [(folder / "images" / of_class[name][i], classes.index(name)) for i in sorted(picked)]
    return chosen


def found_faces(samples: list[tuple[Path, int]]) -> Found:
    """Each picture with its largest face; pictures without one are left out."""
    detector = Detector()
    found: Found = []
    for path, label in samples:
        try:
            picture = read_picture(path)
        except PictureError:
            continue
        if faces := detector.find(picture):
            found.append((picture, max(faces, key=lambda face: face.box[3] - face.box[1]), label))
    return found


def moved(detection: Detection, down: float) -> Detection:
    """The detection with its box moved down by a share of its longer side."""
    x1, y1, x2, y2 = detection.box
    by = down * max(x2 - x1, y2 - y1)
    return Detection((x1, y1 + by, x2, y2 + by), detection.landmarks, detection.score)


def scores(model: Model, found: Found, margin: float, down: float) -> tuple[float, float]:
    """Accuracy and macro recall of the model on the faces cropped so."""
    faces = np.stack([crop_face(picture, moved(detection, down), margin) for picture, detection, _ in found])
    labels = np.array([label for _, _, label in found])
    right = model.probabilities(faces[:, None]).argmax(1) == labels
    return float(right.mean()), float(np.mean([right[labels == c].mean() for c in np.unique(labels)]))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--model", default=None)
    parser.add_argument("--pictures", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--margins", type=float, nargs="+", default=[m / 100 for m in range(-20, 31, 5)])
    parser.add_argument("--down", type=float, nargs="+", default=[0.0], help="offsets, e.g. -0.05 0 0.05")
    arguments = parser.parse_args()

    model = load_model(arguments.model, mirrored=True)
    samples = labelled(arguments.data, model.classes, arguments.pictures, arguments.seed)
    found = found_faces(samples)
    print(f"{model.name}: {len(found)} faces in {len(samples)} pictures, seed {arguments.seed}")
    print("margin    down  accuracy  macro recall")
    for down in arguments.down:
        for margin in arguments.margins:
            accuracy, recall = scores(model, found, margin, down)
            print(f"{margin:6.2f}  {down:6.2f}  {accuracy:8.2%}  {recall:12.2%}", flush=True)


if __name__ == "__main__":
    main()
