"""Means of logits beside means of probabilities, for the views of a face and for the networks that ship.

    FER_DATA=… python -m benchmarks.averaging

On FER2013's PublicTest. Every row has a temperature of its own, fitted there; before that, each network's logits are
divided by its own temperature for single views. The logits of mean probabilities are their logarithms. In brackets is
the difference to the first row of the kind, which takes logits throughout, as a 95 % interval: percentiles of 2,000
resamples of the faces, the same for all, temperatures held.

The second table has the temperatures of all ensembles of networks that ship, as models.yaml has them, and what they do.
'By chance' is the calibration error of predictions that are right exactly as often as they say, on so many faces: its
mean, and what one in forty exceeds.
"""

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_softmax, logsumexp

from fercli.data.load import load_faces
from fercli.metrics.calibration import fit_temperature, softmax
from fercli.metrics.scores import Scores, score
from fercli.models.catalogue import load_catalogue
from fercli.models.load import load_model
from fercli.workflows.evaluate.data import find_splits

Floats = NDArray[np.float64]
#: The ensembles that the table has; of all others only the temperatures are fitted.
SHOWN = (("preact-resnet10", "preact-resnet18"), ("xu-rescnn", "preact-resnet10", "preact-resnet18"))
RESAMPLES, BINS = 2000, 15


def mean_logits(each: Sequence[Floats]) -> Floats:
    """The mean of logits [N, C]."""
    return np.mean(each, axis=0)


def mean_probabilities(each: Sequence[Floats]) -> Floats:
    """Logits [N, C] whose softmax is the mean of the softmaxes of these."""
    out: Floats = logsumexp([log_softmax(one, axis=1) for one in each], axis=0) - np.log(len(each))
    return out


WAYS = {"logits": mean_logits, "probabilities": mean_probabilities}


@dataclass(frozen=True)
class Row:
    """One way to average: `views` and `networks` say of what the means are, '–' where there is but one."""

    model: str
    views: str
    networks: str
    logits: Floats


def rows(views: dict[str, tuple[Floats, Floats]]) -> Iterator[list[Row]]:
    """What is to be compared, kind by kind, from each network's calibrated logits of a face and of its mirror image."""
    for name, both in views.items():
        yield [Row(name, way, "–", WAYS[way](both)) for way in WAYS]
    for names in SHOWN:
        model, members = " + ".join(names), [views[name] for name in names]
        yield [Row(model, "–", way, WAYS[way]([one[0] for one in members])) for way in WAYS]
        yield [
            Row(model, inner, outer, WAYS[outer]([WAYS[inner](both) for both in members]))
            for outer in WAYS
            for inner in WAYS
        ]


class Measured:
    """Logits [N, C] with their temperature: figures of the whole and of resamples given as counts [R, N]."""

    def __init__(self, logits: Floats, labels: NDArray[np.int64], counts: NDArray[np.int64], classes: tuple[str, ...]):
        self.temperature = fit_temperature(logits, labels)
        probabilities = softmax(logits, self.temperature)
        self.scores: Scores = score(probabilities, labels, classes)
        right = (probabilities.argmax(axis=1) == labels).astype(np.float64)
        off = _by_bin(probabilities.max(axis=1), right)
        loss = -np.log(probabilities[np.arange(len(labels)), labels])
        self.resampled = np.stack([counts @ right, counts @ loss, np.abs(counts @ off).sum(axis=1)]) / len(labels)


def _by_bin(confidence: Floats, right: Floats) -> Floats:
    """Right less confidence of each face in the column of its bin [N, BINS]; all else 0."""
    bins_of = np.digitize(confidence, np.linspace(0, 1, BINS + 1)[1:-1], right=True)
    off = np.zeros((len(confidence), BINS))
    off[np.arange(len(confidence)), bins_of] = right - confidence
    return off


def by_chance(probabilities: Floats, rng: np.random.Generator) -> tuple[float, float]:
    """The calibration error that is no fault: its mean and 97.5 % quantile where every confidence is right."""
    confidence = probabilities.max(axis=1)
    drawn = rng.random((500, len(confidence))) < confidence
    errors = [np.abs(_by_bin(confidence, row).sum(axis=0)).sum() / len(row) for row in drawn.astype(np.float64)]
    return float(np.mean(errors)), float(np.quantile(errors, 0.975))


def compared(views: dict[str, tuple[Floats, Floats]], labels: NDArray[np.int64], classes: tuple[str, ...]) -> None:
    """Print the table of ways to average."""
    counts = np.random.default_rng(0).multinomial(len(labels), np.full(len(labels), 1 / len(labels)), RESAMPLES)
    print("| network | mean of views | of networks | accuracy, % | log loss | calibration error, % | temperature |")
    print("|---|---|---|---|---|---|---|")
    for kind in rows(views):
        found = [Measured(row.logits, labels, counts, classes) for row in kind]
        for row, one in zip(kind, found, strict=True):
            scores, more = one.scores, one.resampled - found[0].resampled
            low, high = np.quantile(more, (0.025, 0.975), axis=1)
            beside = [""] * 3 if one is found[0] else [
                f" ({100 * low[0]:+.2f} to {100 * high[0]:+.2f})",
                f" ({low[1]:+.4f} to {high[1]:+.4f})",
                f" ({100 * low[2]:+.2f} to {100 * high[2]:+.2f})",
            ]  # fmt: skip
            print(
                f"| {row.model} | {row.views} | {row.networks} | {100 * scores.accuracy:.2f}{beside[0]} "
                f"| {scores.log_loss:.4f}{beside[1]} | {100 * scores.calibration_error:.2f}{beside[2]} "
                f"| {one.temperature:.3f} |"
            )


def temperatures(views: dict[str, tuple[Floats, Floats]], labels: NDArray[np.int64], classes: tuple[str, ...]) -> None:
    """Print the temperature of every average, and what it does."""
    rng = np.random.default_rng(0)
    print("\n| average | views | temperature | log loss | before | calibration error, % | before | by chance |")
    print("|---|---|---|---|---|---|---|---|")
    for count in range(2, len(views) + 1):
        for names in combinations(views, count):
            for mirrored in (False, True):
                logits = mean_logits([mean_logits(views[name][: 1 + mirrored]) for name in names])
                temperature = fit_temperature(logits, labels)
                probabilities = softmax(logits, temperature)
                after, before = (score(one, labels, classes) for one in (probabilities, softmax(logits)))
                mean, high = by_chance(probabilities, rng)
                print(
                    f"| {' + '.join(names)} | {'mirrored' if mirrored else 'single'} | {temperature:.4f} "
                    f"| {after.log_loss:.4f} | {before.log_loss:.4f} | {100 * after.calibration_error:.2f} "
                    f"| {100 * before.calibration_error:.2f} | {100 * mean:.2f}, up to {100 * high:.2f} |"
                )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--root", type=Path, help="where fer2013 lies; default: FER_DATA")
    options = parser.parse_args()
    faces = load_faces("fer2013", options.root)
    views = {}
    for name, entry in load_catalogue().models.items():
        if entry.weights is None:
            continue
        model = load_model(name)
        val = faces.select(find_splits(faces, model) == "val")
        seen = [model.logits(images) for images in (val.images, val.images[..., ::-1])]
        views[name] = (seen[0] / model.temperature, seen[1] / model.temperature)
    print(f"{len(val):,} faces\n")
    compared(views, val.labels, val.classes)
    temperatures(views, val.labels, val.classes)


if __name__ == "__main__":
    main()
