"""What `fer eval` does: a trained network and a face set in, figures out."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from fercli.core.catalogue import Claim
from fercli.core.errors import DataError, ModelError
from fercli.core.files import refuse_existing
from fercli.core.progress import SILENT, Progress, explain_interrupt
from fercli.core.text import format_count
from fercli.data.faceset import FaceSet
from fercli.data.groups import read_groups
from fercli.data.load import share_faces
from fercli.data.loaders.ferplus import hint_at_earlier_labels
from fercli.data.quality.leaks import describe_leak
from fercli.metrics.groups import score_groups
from fercli.metrics.paper_claims import fitting_claim
from fercli.metrics.scores import coverage as measure_coverage
from fercli.models.catalogue import load_catalogue
from fercli.models.load import Model, load_model
from fercli.training.device import model_device
from fercli.workflows.evaluate.data import find_splits, load_measured_set, match_classes
from fercli.workflows.evaluate.evaluation import EVALUATION_FILES, Evaluation, measure
from fercli.workflows.evaluate.options import EvaluateOptions
from fercli.workflows.evaluate.robustness import measure_robustness

_KNOWN = "the network was trained on these faces: this is no estimate for new ones"


def evaluate(options: EvaluateOptions, progress: Progress = SILENT) -> Evaluation:
    """Measure a trained network on a face set, as `fer eval` does: on the data and the split of its own training unless
    the options say otherwise. Writes files where they name a folder.

    Raises UsageError for a folder that must not be written to, ModelError, DataError or RunError for what does not
    exist or does not fit.
    """
    if options.out is not None:
        files = (options.out / name for name in EVALUATION_FILES)
        refuse_existing(*files, force=options.force, otherwise="name another --out")
    with explain_interrupt(progress, lambda: "stopped before anything was written"):
        evaluation = _evaluate(options, progress)
    for note in evaluation.notes:
        progress.say(note)
    if options.out is not None:
        *names, last = evaluation.save(options.out)
        progress.say(f"{', '.join(names)} and {last} are in {options.out}")
    return evaluation


def _evaluate(options: EvaluateOptions, progress: Progress) -> Evaluation:
    """The figures that the options ask for."""
    model = load_model(options.model, model_device(options.model, options.device), mirrored=options.tta)
    faces = load_measured_set(options, model, progress.update)
    claim = _find_claim(model, faces) if options.paper else None
    splits = find_splits(faces, model, options.split)
    split = _choose_split(options.split, splits, faces)
    subset = faces if split == "all" else faces.select(splits == split)
    subset = match_classes(subset, model, shared=options.shared_classes)
    notes = (
        *subset.notes,
        *_note_model(model),
        *(() if options.split else _note_choice(split, faces)),
        *_note_known_faces(split, splits, faces, model),
    )
    evaluation = replace(measure(model, subset, split, notes), claim=claim)
    predictions = evaluation.predictions
    if options.corruptions:
        robustness = measure_robustness(model, subset, predictions, options.corruptions, progress.update)
        evaluation = replace(evaluation, robustness=robustness)
    if options.coverage:
        evaluation = replace(evaluation, coverage=measure_coverage(predictions.probabilities, predictions.labels))
    if options.by:
        groups = {column: read_groups(subset, column, options.groups) for column in options.by}
        scores = {
            column: score_groups(predictions.probabilities, predictions.labels, names)
            for column, names in groups.items()
        }
        evaluation = replace(evaluation, groups=scores)
    return evaluation


def _find_claim(model: Model, faces: FaceSet) -> Claim:
    """What the network's paper claims. Raises ModelError where its entry holds no claim."""
    entry = load_catalogue()[model.name]
    if dict(entry.arguments) != dict(model.header.arguments):
        raise ModelError(
            f"--paper: {model.path} is not {model.name} as in models.yaml, it has other arguments: leave the flag out"
        )
    claim = fitting_claim(entry.claims, faces.name)
    if claim is None:
        raise ModelError(
            f"--paper: the entry of {model.name} in models.yaml holds no claims: leave the flag out, or "
            "name a network of a paper, as --model xu-rescnn"
        )
    return claim


def _choose_split(split: str | None, splits: NDArray[np.str_], faces: FaceSet) -> str:
    """The split to measure. Raises DataError where it is empty."""
    there = [name for name in ("test", "val", "train", "spare", "all") if (splits == name).any()]
    split = split or there[0]
    if split not in there and there == ["all"]:
        raise DataError(f"{faces.name} has no {split} split here: leave --split out to measure all its faces")
    if split != "all" and split not in there:
        raise DataError(f"{faces.name} has no {split} split here: it has {', '.join(there)} (--split)")
    return split


def _note_choice(split: str, faces: FaceSet) -> list[str]:
    """What should be said of a split that nobody asked for."""
    if split == "val":
        return [f"{faces.name} has no test split here: measuring val"]
    if split == "all":
        return [f"{faces.name} has no split of its own: measuring all {format_count(len(faces), 'face')}"]
    return []


def _note_model(model: Model) -> list[str]:
    """What should be said of every figure of a network."""
    notes = list(dict.fromkeys(trained["remark"] for trained in model.header.trainings if trained.get("remark")))
    if model.remark:
        notes.append(model.remark)
    elif model.header.is_ensemble:
        notes.append("'before temperature' still includes the temperatures of the ensemble's members")
    return notes


def _note_known_faces(split: str, splits: NDArray[np.str_], faces: FaceSet, model: Model) -> list[str]:
    """What the network may know of the faces that are measured."""
    behind = model.header.trainings
    extras = [trained["extra"]["data"] for trained in behind if trained.get("extra")]
    notes = [
        f"the network was trained on {name}, which shares faces with {faces.name}: this is no estimate for new ones"
        for name in [*(str(trained.get("data")) for trained in behind), *extras]
        if share_faces(name, faces.name)
    ]
    fingerprints = {trained.get("fingerprint") for trained in behind if trained.get("data") == faces.name}
    if fingerprints - {faces.fingerprint} and (earlier := hint_at_earlier_labels(faces, "--labels")):
        notes.append(f"{faces.name} is not quite what the network was trained on{earlier}")
    if faces.name in extras and split in ("train", "all"):
        notes.append(_KNOWN)
    if any(trained.get("data") == faces.name for trained in behind):
        if split in ("val", "test", "spare") and (leak := describe_leak(faces, splits, split)):
            notes.append(leak)
        if split == "val":
            notes.append("val chose the epoch and the temperature of this network: its figures are slightly too high")
        if split in ("train", "all"):
            notes.append(_KNOWN)
    return notes
