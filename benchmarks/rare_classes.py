"""Rare expressions: what a network that ships gains and loses if it names them more often.

    FER_DATA=… python -m benchmarks.rare_classes [--root FOLDER]

Post-hoc logit adjustment (Menon et al. 2021, 'Long-tail learning via logit adjustment'): tau · log(n / N) is subtracted
from each class's log probability, with n of the N faces of FER2013's Training in that class. Nothing is trained. On
FER2013's PublicTest, and on muxspace's held-out people, of whom no network that ships has seen a face. Views are
averaged as `fer predict` does. In brackets is the difference to tau = 0, as a 95 % interval: percentiles of 2,000
resamples of the faces, the same for all rows.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from fercli.data.faceset import FaceSet
from fercli.data.load import load_faces
from fercli.data.splits import split_extra
from fercli.models.load import load_model

NETWORKS = ("vgg14", "xu-rescnn")
TAUS = (0.0, 0.25, 0.5, 0.75, 1.0)
RESAMPLES = 2000

Floats = NDArray[np.float64]


def sets(root: Path | None) -> Iterator[tuple[str, FaceSet]]:
    """Each set to measure on, by its name."""
    faces = load_faces("fer2013", root)
    yield "PublicTest", faces.select(faces.splits == "val")
    photographs = load_faces("muxspace", root)
    yield "muxspace", photographs.select(split_extra(photographs) == "val")


def resampled(right: NDArray[np.bool_], labels: NDArray[np.int64], counts: Floats) -> Floats:
    """Accuracy and macro recall, in percent, of each resample [2, R]; `counts` [R, N] says how often it has a face."""
    members = np.eye(labels.max() + 1)[labels]
    support, hits = counts @ members, counts @ (members * right[:, None])
    recall = np.divide(hits, support, out=np.full_like(hits, np.nan), where=support > 0)
    return 100 * np.stack([hits.sum(axis=1) / support.sum(axis=1), np.nanmean(recall, axis=1)])


def rows(name: str, faces: FaceSet, log_prior: Floats) -> Iterator[str]:
    """A row of the table for each tau."""
    probabilities = load_model(name, mirrored=True).probabilities(torch.from_numpy(faces.images))
    draws = np.random.default_rng(0).multinomial(len(faces), np.full(len(faces), 1 / len(faces)), RESAMPLES)
    counts = np.vstack([np.ones(len(faces)), draws])  # the set itself first
    rare = faces.classes.index("disgust")
    plain: Floats | None = None
    for tau in TAUS:
        predicted = (np.log(np.asarray(probabilities, np.float64) + 1e-12) - tau * log_prior).argmax(axis=1)
        figures = resampled(predicted == faces.labels, faces.labels, counts)
        plain = figures if plain is None else plain
        more = np.quantile((figures - plain)[:, 1:], (0.025, 0.975), axis=1)
        beside = [f" ({low:+.2f} to {high:+.2f})" if tau else "" for low, high in more.T]
        named, there = predicted == rare, faces.labels == rare
        both = f"{(named & there).sum()} of {there.sum()}, {named.sum() - (named & there).sum()} in vain"
        cells = [f"{value:.2f}{note}" for value, note in zip(figures[:, 0], beside, strict=True)]
        yield f"| `{name}` | {tau:g} | {' | '.join(cells)} | {both} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--root", type=Path, help="where fer2013 and muxspace lie; default: FER_DATA")
    options = parser.parse_args()
    training = load_faces("fer2013", options.root)
    counts = np.bincount(training.labels[training.splits == "train"], minlength=len(training.classes))
    for title, faces in sets(options.root):
        print(f"\n{title}: {len(faces):,} faces", flush=True)
        print("| network | tau | accuracy, % | macro recall, % | disgust named |", flush=True)
        print("|---|--:|---|---|---|", flush=True)
        for name in NETWORKS:
            for row in rows(name, faces, np.log(counts / counts.sum())):
                print(row, flush=True)


if __name__ == "__main__":
    main()
