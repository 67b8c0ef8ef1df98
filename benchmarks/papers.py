"""The papers' claims beside what their networks reach under their own recipes: docs/papers.md.

usage: FER_DATA=… python -m benchmarks.papers [--runs runs/papers] [--train] [--only NAME …] [--list]

Takes up every finished run in the folder of runs, files its figures in docs/papers.json and writes the page anew.
With --train it first trains what is missing, one run after the other, and writes the page after each; broken off, the
same command goes on. --list prints the runs that are missing, a line each: a name and the arguments of `fer train`.
"""

import argparse
import json
import shlex
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.__main__ import put
from benchmarks.papers_page import claims_table, classes_table, readings_table
from benchmarks.papers_plan import READINGS, ROWS, Row
from benchmarks.rows import machine
from fercli.core.files import read_json, write_json
from fercli.data.quality.leaks import find_shared
from fercli.data.splits import read_split
from fercli.metrics.predictions import read_predictions
from fercli.metrics.scores import score
from fercli.models.catalogue import load_catalogue
from fercli.workflows.run_folder import RunFolder
from fercli.workflows.train.data import load_set

DOCS = Path(__file__).parent.parent / "docs"
#: A record a finished run, by the run's name: what the page is made of.
RECORDS = DOCS / "papers.json"
PAGE = DOCS / "papers.md"


def run_name(row: Row, seed: int) -> str:
    """The name of a run, its folder's too."""
    return f"{row.name}-seed{seed}"


def record(row: Row, seed: int, folder: RunFolder) -> dict[str, Any]:
    """The figures of a finished run. Accuracies in percent."""
    metrics, meta = read_json(folder.metrics), read_json(folder.meta)
    views = metrics[row.split]
    right, new = _right_and_new(row.split, folder)
    claims = load_catalogue()[row.model].claims
    by_class = {"per_class": per_class(views["single"])} if any(claim.per_class for claim in claims) else {}
    if folder.read_config().recipe.class_weights:
        plain = _score_unweighted(folder)
        by_class |= {"unweighted_accuracy": round(100 * plain["accuracy"], 2), "unweighted_per_class": per_class(plain)}
    return {
        "row": row.name,
        "seed": seed,
        "command": f"fer train {shlex.join(row.arguments(seed))}",
        "part": row.split,
        "faces": views["single"]["faces"],
        "accuracy": round(100 * views["single"]["accuracy"], 2),
        "mirrored": round(100 * views["mirrored"]["accuracy"], 2),
        "log_loss": round(views["single"]["log_loss"], 3),
        **by_class,
        # faces that training knows neither pixel by pixel nor by the person
        "new_faces": int(new.sum()),
        "new_accuracy": round(100 * float(right[new].mean()), 2),
        "best_epoch": metrics["best_epoch"],
        "epochs": metrics["epochs"],
        "minutes": round(meta["seconds"] / 60, 1),
        "precision": precisions(meta),
        "commit": meta["commit"],
        "machine": machine() if meta["device"].startswith("cpu") else meta["device"],
    }


def per_class(scores: Mapping[str, Any]) -> dict[str, dict[str, float]]:
    """Precision and recall of each class, in percent, from scores as metrics.json has them."""
    return {
        one["name"]: {measure: round(100 * one[measure], 1) for measure in ("precision", "recall")}
        for one in scores["per_class"]
    }


def _score_unweighted(folder: RunFolder) -> dict[str, Any]:
    """The scores of a run's predictions once the class weights of its training are taken out of them."""
    predictions = read_predictions(folder.predictions)
    faces = load_set(folder.read_config())
    counts = np.bincount(faces.labels[read_split(folder.split, faces) == "train"], minlength=len(predictions.classes))
    plain = take_weights_out(predictions.probabilities, counts)
    return score(plain, predictions.labels, predictions.classes).to_dict()


def take_weights_out(probabilities: NDArray[np.float64], counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """Probabilities [N, C] as they would be without class weights, from the number of training faces of each class [C].

    A loss that weighs classes inversely to their number makes a network think that all are equally frequent.
    """
    plain = probabilities * counts
    fractions: NDArray[np.float64] = plain / plain.sum(axis=1, keepdims=True)
    return fractions


def precisions(meta: dict[str, Any]) -> str:
    """What a run was trained in, by its meta.json: 'fp32', or 'bf16, fp32' where it was resumed in another one."""
    return ", ".join(dict.fromkeys(part["precision"] for part in (meta, *meta.get("resumed", []))))


def _right_and_new(split: str, folder: RunFolder) -> tuple[np.ndarray, np.ndarray]:
    """Of each face of a split [N]: whether it is named rightly, and whether training has neither it nor its person."""
    config = folder.read_config()
    faces = load_set(config)
    splits = read_split(folder.split, faces)
    chosen = splits == split
    predictions = read_predictions(folder.predictions)
    assert predictions.ids == tuple(np.array(faces.ids)[chosen]), f"{folder.predictions} is of other faces than {split}"
    persons = np.array(faces.subjects if faces.subjects is not None else [""] * len(faces))
    known = (persons != "") & np.isin(persons, persons[splits == "train"])
    new = ~find_shared(faces, splits, split, "train") & ~known
    return predictions.probabilities.argmax(axis=1) == predictions.labels, new[chosen]


def train(row: Row, seed: int, folder: RunFolder) -> None:
    """Train a run, or go on with it. Raises CalledProcessError where that fails."""
    begun = folder.config.is_file()
    words = ["--resume"] if begun else row.arguments(seed)
    command = [sys.executable, "-m", "fercli", "train", *words, "--out", str(folder.path)]
    subprocess.run(command, check=True)


def write_page(records: dict[str, Any]) -> None:
    """File the records and write the tables of the page."""
    write_json(RECORDS, dict(sorted(records.items())))
    put(PAGE, "claims", claims_table(records.values()))
    for name, rows in READINGS.items():
        put(PAGE, name, readings_table(rows, records.values()))
    put(PAGE, "bah-classes", classes_table(READINGS["bah-readings"][0], records.values()))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=Path, default=Path("runs/papers"))
    parser.add_argument("--train", action="store_true")
    parser.add_argument("--only", nargs="+", choices=[row.name for row in ROWS])
    parser.add_argument("--list", action="store_true")
    options = parser.parse_args()
    records = json.loads(RECORDS.read_text(encoding="utf-8")) if RECORDS.is_file() else {}
    for row in ROWS:
        for seed in range(row.seeds):
            name = run_name(row, seed)
            folder = RunFolder(options.runs / name)
            if name in records or (options.only and row.name not in options.only):
                continue
            if options.list and not folder.complete:
                print(name, shlex.join(row.arguments(seed)))
                continue
            if options.train and not folder.complete:
                train(row, seed, folder)
            if folder.complete:
                records[name] = record(row, seed, folder)
                write_page(records)
    write_page(records)


if __name__ == "__main__":
    main()
