"""How right a network is on photographs by the size, the blur and the yaw of the face, as `fer predict` reports them.

    python -m benchmarks.face_quality [--root FOLDER] [--model NAME] [--pictures 600]

Takes photographs of people who are not in the network's training data (what `fer eval --data muxspace` measures it on),
as many of each class as there are up to an equal number: at their own size, at a half, a quarter, an eighth and a
twelfth of it, and blurred at their own size. Each is predicted as `fer predict` does; those without a face are counted
apart. Those labels are no gold standard, and most photographs are small and of frontal heads. Rows have the number of
faces, accuracy with its 95 % interval (Wilson), and macro recall over the classes that occur 10 times or more.
"""

import argparse
import csv
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

import cv2
import numpy as np
from numpy.typing import NDArray

import fercli
from fercli.data.load import data_root
from fercli.faces.io.decode import read_picture
from fercli.metrics.scores import wilson
from fercli.workflows.evaluate.options import EvaluateOptions
from fercli.workflows.evaluate.run import evaluate

SCALES = (1.0, 0.5, 0.25, 0.125, 0.083)
#: Standard deviations of the blur, as fractions of the picture's shorter side.
BLURS = (0.01, 0.02, 0.03)
#: The variants of each picture that count: small ones for size, blurred ones for blur, the original for each.
VARIED: dict[str, Callable[[str], bool]] = {
    "face_size": lambda kind: kind.startswith("x"),
    "blur": lambda kind: kind == "x 1" or kind.startswith("blur"),
    "yaw": lambda kind: kind == "x 1",
}
#: Lower ends of the groups.
EDGES = {
    "face_size": (0, 20, 30, 40, 60, 90, 10_000),
    "blur": (0, 0.3, 0.4, 0.5, 0.6, 0.7, 1.01),
    "yaw": (0, 10, 20, 30, 45, 91),
}


def sample(model: str | None, root: Path, count: int, seed: int = 0) -> list[tuple[str, str]]:
    """Names of files and labels of the faces that the model is measured on, as equally many of each class as there
    are."""
    with TemporaryDirectory() as folder:
        evaluate(
            EvaluateOptions(model=model, data="muxspace", root=root, split="test", device="cpu", out=Path(folder) / "x")
        )
        with (Path(folder) / "x" / "predictions.csv").open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
    of_class: dict[str, list[str]] = defaultdict(list)
    for measured in rows:
        of_class[measured["label"]].append(measured["id"])
    rng = np.random.default_rng(seed)
    chosen: list[tuple[str, str]] = []
    rarest_first = sorted(of_class.items(), key=lambda item: len(item[1]))
    for left, (label, names) in zip(range(len(of_class), 0, -1), rarest_first, strict=True):
        taken = rng.permutation(names)[: (count - len(chosen)) // left]
        chosen += [(str(name), label) for name in sorted(taken)]
    return chosen


def variants(picture: NDArray[np.uint8]) -> Iterator[tuple[str, NDArray[np.uint8]]]:
    """The picture smaller and smaller, then blurred more and more."""
    for scale in SCALES:
        size = [max(12, round(side * scale)) for side in picture.shape[1::-1]]
        yield f"x {scale:g}", cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    for blur in BLURS:
        yield f"blur {blur:g}", cv2.GaussianBlur(picture, (0, 0), blur * min(picture.shape[:2]))


def row(name: str, pairs: Sequence[tuple[str, str]]) -> str:
    """A row of a table: label and prediction of each face."""
    right = sum(label == predicted for label, predicted in pairs)
    low, high = wilson(right, len(pairs))
    recalls = []
    for label in {label for label, _ in pairs}:
        own = [predicted for other, predicted in pairs if other == label]
        if len(own) >= 10:
            recalls.append(sum(predicted == label for predicted in own) / len(own))
    recall = f"{100 * np.mean(recalls):.1f} %" if recalls else "-"
    accuracy = f"{100 * right / len(pairs):.1f} % ({100 * low:.1f} to {100 * high:.1f})"
    return f"| {name} | {len(pairs):,} | {accuracy} | {recall} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--root", type=Path)
    parser.add_argument("--model")
    parser.add_argument("--pictures", type=int, default=600)
    given = parser.parse_args()
    root = data_root(given.root)
    found: list[tuple[str, str, fercli.FacePrediction]] = []
    seen: dict[str, int] = defaultdict(int)
    total = 0
    for name, label in sample(given.model, root, given.pictures):
        total += 1
        picture = read_picture(root / "muxspace" / "images" / Path(name).name)
        kinds, pictures = zip(*variants(picture), strict=True)
        options = {"model": given.model, "device": "cpu", "max_faces": 1, "min_face": 12}
        for kind, result in zip(kinds, fercli.predict(pictures, **options), strict=True):
            for face in result.faces:
                seen[kind] += 1
                found.append((kind, label, face))
    print("found: " + ", ".join(f"{kind} {100 * count / total:.0f} %" for kind, count in seen.items()), f"of {total}")
    for what, edges in EDGES.items():
        print(f"\n| {what} | faces | accuracy | macro recall |\n|---|--:|--:|--:|")
        for low, high in pairwise(edges):
            pairs = []
            for kind, label, face in found:
                value = getattr(face, what)
                if VARIED[what](kind) and value is not None and low <= abs(value) < high:
                    pairs.append((label, face.label))
            if pairs:
                print(row(f"{low:g} to {high:g}", pairs))


if __name__ == "__main__":
    main()
