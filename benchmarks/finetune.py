"""How much a start from a trained network is worth on a small set of one's own.

    python -m benchmarks.finetune [--root FOLDER] [--model xu-rescnn] [--seeds 3] [--lr RATE …] [--class-weights]

Two sets, each with people of its own for training and for the test: photographs of muxspace whose people the networks
that ship by its first rule have never seen, and the drawn faces. Of each, 200, 500 and 1,000 training faces, people
whole, a fifth of them to validate. For each: the network as it ships, `fer train --start-from MODEL`, and from scratch
with the recipe `best`. A row has the mean accuracy and macro recall on the test faces over the seeds, with the sample
standard deviation of the accuracy.
"""

import argparse
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from fercli.data.cartoon import cartoon
from fercli.data.faceset import FaceSet
from fercli.data.load import load_faces
from fercli.data.loaders.face_file import write_faces
from fercli.data.splits import split_extra
from fercli.models.load import load_model
from fercli.workflows.evaluate.evaluation import measure
from fercli.workflows.train.options import TrainOptions
from fercli.workflows.train.run import train

SIZES = (200, 500, 1000)


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


def row(name: str, faces: str, measured: list[tuple[float, float]]) -> str:
    """A row of the table."""
    accuracies, recalls = (100 * np.array(column) for column in zip(*measured, strict=True))
    spread = f" ± {accuracies.std(ddof=1):.1f}" if len(accuracies) > 1 else ""
    return f"| {name} | {faces} | {accuracies.mean():.1f}{spread} % | {recalls.mean():.1f} % |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--root", type=Path)
    parser.add_argument("--model", default="xu-rescnn")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--lr", type=float, nargs="*", default=[None])
    parser.add_argument("--sizes", type=int, nargs="*", default=SIZES)
    parser.add_argument("--class-weights", action="store_true", help="weigh classes by how rare they are")
    parser.add_argument("--no-scratch", action="store_true")
    given = parser.parse_args()
    for name, pool, test in pools(given.root):
        print(f"\n{name}: {len(pool):,} faces to choose from, {len(test):,} to test on", flush=True)
        print("| start | training faces | accuracy | macro recall |\n|---|--:|--:|--:|", flush=True)
        scores = measure(load_model(given.model), test, "test").scores
        print(row(f"`{given.model}` as it ships", "0", [(scores.accuracy, scores.balanced_accuracy)]), flush=True)
        for count in given.sizes:
            sets = [take(pool, test, count, seed) for seed in range(given.seeds)]
            starts: list[tuple[str, dict[str, object]]] = []
            for lr in given.lr:
                flags = f"{f' --lr {lr:g}' if lr else ''}{' --set class_weights=true' * given.class_weights}"
                settings = {"class_weights": True} if given.class_weights else {}
                chosen: dict[str, object] = {"start_from": given.model, "lr": lr, "recipe_settings": settings}
                starts.append((f"`--start-from {given.model}{flags}`", chosen))
            if not given.no_scratch:
                starts.append(("from scratch, `best`", {"model": given.model}))
            for title, chosen in starts:
                with TemporaryDirectory() as folder:
                    measured = [
                        figures(Path(folder), faces, seed=seed, device="cpu", **chosen)
                        for seed, faces in enumerate(sets)
                    ]
                print(row(title, f"{count:,}", measured), flush=True)


if __name__ == "__main__":
    main()
