"""How much a start from a trained network is worth on a small set of one's own.

    python -m benchmarks.finetune [--root FOLDER] [--model xu-rescnn] [--seeds 3] [--set KEY=VALUE …] [--only SET]

Two sets, each with people of its own for training and for the test: photographs of muxspace whose people the networks
that ship by its first rule have never seen, and the drawn faces. Of each, 40, 200, 500 and 1,000 training faces, people
whole, a fifth of them to validate. For each: the network as it ships, `fer train --start-from MODEL`, and from scratch
with the recipe `best`. Each `--set` is a start with that setting changed. A row has the mean accuracy and macro recall
on the test faces over the seeds, with the sample standard deviation of the accuracy, and the difference of accuracy to
the plain start: each seed has the same faces in all rows, so its mean and deviation are those of pairs.
"""

import argparse
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray

from fercli.data.cartoon import cartoon
from fercli.data.faceset import FaceSet
from fercli.data.load import load_faces
from fercli.data.loaders.face_file import write_faces
from fercli.data.splits import split_extra
from fercli.models.load import load_model
from fercli.workflows.evaluate.evaluation import measure
from fercli.workflows.train.options import TrainOptions
from fercli.workflows.train.run import train
from fercli.workflows.train.settings import parse_settings

SIZES = (40, 200, 500, 1000)


def pools(root: Path | None) -> Iterator[tuple[str, FaceSet, FaceSet]]:
    """Each set by its name: faces to train on, and to test on, of other people."""
    photographs = load_faces("muxspace", root)
    splits = split_extra(photographs, 1)
    yield "photographs", photographs.select(splits == "val"), photographs.select(splits == "test")
    drawn = cartoon(80, 5)
    people = sorted(set(drawn.subjects or ()))
    tested = np.isin(np.array(drawn.subjects), people[::2])
    yield "drawn", drawn.select(~tested), drawn.select(tested)


def take(pool: FaceSet, test: FaceSet, count: int, seed: int) -> FaceSet:
    """A set with about `count` faces of whole people to train and validate on, and the test faces."""
    rng = np.random.default_rng(seed)
    subjects = np.array(pool.subjects)
    chosen = np.zeros(len(pool), np.bool_)
    for person in rng.permutation(np.unique(subjects)):
        if chosen.sum() < count:
            chosen |= subjects == person
    used = pool.select(chosen)
    people = rng.permutation(np.unique(np.array(used.subjects)))
    validates = np.isin(np.array(used.subjects), people[: max(1, len(people) // 5)])
    both = replace(
        used,
        images=np.concatenate([used.images, test.images]),
        labels=np.concatenate([used.labels, test.labels]),
        ids=(*used.ids, *test.ids),
        subjects=(*(used.subjects or ()), *(test.subjects or ())),
        splits=np.concatenate([np.where(validates, "val", "train"), np.full(len(test), "test")]),
    )
    return replace(both, name="own")


def figures(folder: Path, faces: FaceSet, **options: object) -> tuple[float, float]:
    """Accuracy and macro recall on the test faces after a training."""
    write_faces(folder / "own.safetensors", faces)
    result = train(TrainOptions(data=str(folder / "own.safetensors"), out=folder / "run", force=True, **options))  # type: ignore[arg-type]
    scores = next(each.scores for each in result.evaluations if each.split == "test" and not each.mirrored)
    return scores.accuracy, scores.balanced_accuracy


def row(name: str, faces: str, measured: list[tuple[float, float]], plain: list[tuple[float, float]] | None) -> str:
    """A row of the table, compared with what the plain start gave on the same faces."""
    accuracies, recalls = (100 * np.array(column) for column in zip(*measured, strict=True))
    cells = [name, faces, f"{_spread(accuracies)} %", f"{recalls.mean():.1f} %"]
    if plain and plain is not measured:
        cells.append(_spread(accuracies - 100 * np.array(plain)[:, 0], sign="+"))
    else:
        cells.append("")
    return f"| {' | '.join(cells)} |"


def _spread(values: NDArray[np.float64], sign: str = "") -> str:
    """Mean ± sample standard deviation."""
    spread = f" ± {values.std(ddof=1):.1f}" if len(values) > 1 else ""
    return f"{values.mean():{sign}.1f}{spread}"


def starts(model: str, settings: list[str], *, scratch: bool) -> Iterator[tuple[str, dict[str, object]]]:
    """The trainings that are compared, the plain start first: what a row is called, and options of the training."""
    yield f"`--start-from {model}`", {"start_from": model}
    for setting in settings:
        options = {"start_from": model, "recipe_settings": parse_settings([setting])}
        yield f"`--start-from {model} --set {setting}`", options
    if scratch:
        yield "from scratch, `best`", {"model": model}


def compare(
    pool: FaceSet, test: FaceSet, count: int, seeds: int, trainings: list[tuple[str, dict[str, object]]]
) -> None:
    """Print a row for each training on about `count` faces."""
    sets = [take(pool, test, count, seed) for seed in range(seeds)]
    plain: list[tuple[float, float]] | None = None
    for title, chosen in trainings:
        with TemporaryDirectory() as folder:
            measured = [
                figures(Path(folder), faces, seed=seed, device="cpu", **chosen) for seed, faces in enumerate(sets)
            ]
        plain = plain or measured
        print(row(title, f"{count:,}", measured, plain), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--root", type=Path)
    parser.add_argument("--model", default="xu-rescnn")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--sizes", type=int, nargs="*", default=SIZES)
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="may be repeated")
    parser.add_argument("--only", choices=("photographs", "drawn"))
    parser.add_argument("--no-scratch", action="store_true")
    given = parser.parse_args()
    for name, pool, test in pools(given.root):
        if given.only not in (None, name):
            continue
        print(f"\n{name}: {len(pool):,} faces to choose from, {len(test):,} to test on", flush=True)
        print("| start | training faces | accuracy | macro recall | against the plain start |", flush=True)
        print("|---|--:|--:|--:|--:|", flush=True)
        scores = measure(load_model(given.model), test, "test").scores
        shipped = [(scores.accuracy, scores.balanced_accuracy)]
        print(row(f"`{given.model}` as it ships", "0", shipped, None), flush=True)
        for count in given.sizes:
            trainings = list(starts(given.model, given.set, scratch=not given.no_scratch))
            compare(pool, test, count, given.seeds, trainings)


if __name__ == "__main__":
    main()
