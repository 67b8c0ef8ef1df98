"""How right a network is on photographs by the size, the blur and the yaw of the face, as `fer predict` reports them.

    python -m benchmarks.face_quality [--root FOLDER] [--model NAME] [--pictures 700]

Takes photographs of people who are not in the network's training data (what `fer eval --data muxspace` measures it on),
as many of each class as there are up to an equal number: at their own size, at a half, a quarter, an eighth and a
twelfth of it, and blurred at their own size. Each is predicted as `fer predict` does; those without a face are counted
apart. Those labels are no gold standard, and most photographs are small and of frontal heads. Rows have the number of
faces, accuracy with its 95 % interval (Wilson), and macro recall over the classes that occur 10 times or more.
"""

import argparse
import csv
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

import cv2
import numpy as np
from numpy.typing import NDArray

from fercli.core.errors import PictureError
from fercli.data.load import data_root
from fercli.faces.detection import Detection
from fercli.faces.io.decode import read_picture
from fercli.faces.io.pictures import Picture
from fercli.faces.io.sources import Source
from fercli.metrics.scores import wilson
from fercli.workflows.evaluate.options import EvaluateOptions
from fercli.workflows.evaluate.run import evaluate
from fercli.workflows.predict.options import PredictOptions
from fercli.workflows.predict.pipeline import FaceFinder, load_networks, predict_pictures
from fercli.workflows.predict.results import FacePrediction

PICTURES = 700
#: The variants of each picture: made smaller, and blurred with a deviation that is a fraction of the shorter side.
SCALES = {f"x {scale:g}": scale for scale in (1.0, 0.5, 0.25, 0.125, 0.083)}
BLURS = {f"blur {blur:g}": blur for blur in (0.01, 0.02, 0.03)}
#: The variants of each picture that count: small ones for size, blurred ones for blur, the original for each.
VARIED: dict[str, Callable[[str], bool]] = {
    "face_size": lambda kind: kind.startswith("x"),
    "blur": lambda kind: kind == "x 1" or kind.startswith("blur"),
    "yaw": lambda kind: kind == "x 1",
}
#: Lower ends of the groups; the last has no upper one.
EDGES = {
    "face_size": (0, 20, 30, 40, 60, 90),
    "blur": (0, 0.3, 0.4, 0.5, 0.6, 0.7),
    "yaw": (0, 10, 20, 30, 45),
}
TITLES = {"face_size": "`face_size` in pixels", "blur": "`blur`", "yaw": "`yaw` in degrees, either side"}


@dataclass(frozen=True)
class Quality:
    """The faces of some photographs, and of variants of each: the variant, the label, and what was predicted."""

    photographs: int
    faces: tuple[tuple[str, str, FacePrediction], ...]

    def found(self, kind: str) -> float:
        """The fraction of the photographs in whose variant of this kind a face was found."""
        return Counter(kind for kind, _, _ in self.faces)[kind] / self.photographs


class FindOnce:
    """A detector that searches each picture once, however many networks are measured on it."""

    def __init__(self, finder: FaceFinder) -> None:
        self.finder = finder
        self.known: dict[bytes, list[Detection] | PictureError] = {}

    def find_all(self, pictures: Sequence[NDArray[np.uint8]]) -> list[list[Detection] | PictureError]:
        """As FaceFinder does."""
        keys = [sha256(bytes(str(picture.shape), "ascii") + picture.tobytes()).digest() for picture in pictures]
        new = {key: picture for key, picture in zip(keys, pictures, strict=True) if key not in self.known}
        if new:
            self.known |= zip(new, self.finder.find_all(list(new.values())), strict=True)
        return [self.known[key] for key in keys]


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


def read_variants(root: Path, photographs: Sequence[tuple[str, str]]) -> Iterator[Picture]:
    """Each photograph smaller and smaller, then blurred more and more."""
    for file, _ in photographs:
        path = root / "muxspace" / "images" / Path(file).name
        pixels = read_picture(path)
        source = Source(path, path)
        for scale in SCALES.values():
            size = [max(12, round(side * scale)) for side in pixels.shape[1::-1]]
            yield Picture(source, cv2.resize(pixels, size, interpolation=cv2.INTER_AREA))
        for blur in BLURS.values():
            yield Picture(source, cv2.GaussianBlur(pixels, (0, 0), blur * min(pixels.shape[:2])))


def measure_quality(models: Sequence[str | None], root: Path, count: int = PICTURES) -> Iterator[Quality]:
    """What each network predicts, one after the other; pictures that several are measured on are searched once."""
    finder: FaceFinder | None = None
    for name in models:
        options = PredictOptions(model=name, device="cpu", max_faces=1, min_face=12)
        network, detector = load_networks(options)
        finder = finder or FindOnce(detector)
        photographs = sample(name, root, count)
        named = [(kind, label) for _, label in photographs for kind in (*SCALES, *BLURS)]
        results = predict_pictures(read_variants(root, photographs), network, finder, options)
        faces = [(*names, face) for names, result in zip(named, results, strict=True) for face in result.faces]
        yield Quality(len(photographs), tuple(faces))


def tables(quality: Quality) -> Iterator[str]:
    """How often a face was found, and a table for each of size, blur and yaw, line by line."""
    fractions = ", ".join(
        f"{100 * quality.found(kind):.0f} % {where}"
        for kind, where in (("x 1", "at their own size"), ("x 0.125", "at an eighth"), ("x 0.083", "at a twelfth"))
    )
    yield f"Faces found in the {quality.photographs} photographs: {fractions}."
    for what, edges in EDGES.items():
        yield ""
        yield f"| {TITLES[what]} | faces | accuracy (95 %) | macro recall |"
        yield "|---|--:|--:|--:|"
        for low, high in pairwise((*edges, float("inf"))):
            pairs = [
                (label, face.label)
                for kind, label, face in quality.faces
                if VARIED[what](kind) and (value := getattr(face, what)) is not None and low <= abs(value) < high
            ]
            if pairs:
                yield row(f"{low:g} to {high:g}" if high < float("inf") else f"{low:g} and more", pairs)


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
    parser.add_argument("--pictures", type=int, default=PICTURES)
    given = parser.parse_args()
    for quality in measure_quality([given.model], data_root(given.root), given.pictures):
        print("\n".join(tables(quality)))


if __name__ == "__main__":
    main()
