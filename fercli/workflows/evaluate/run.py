"""What `fer eval` does: a trained network and a face set in, figures out."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fercli.core.config import LoadOptions
from fercli.core.errors import DataError
from fercli.core.progress import ProgressCallback, no_progress
from fercli.data.faceset import FaceSet
from fercli.data.loaders.ferplus import hint_at_earlier_labels
from fercli.data.quality.leaks import describe_leak
from fercli.data.sets import SETS, load_faces, share_faces
from fercli.models.ensemble import ENSEMBLE, list_trainings
from fercli.models.loaded import Model, load_model
from fercli.training.device import model_device
from fercli.workflows.evaluate.classes import with_classes
from fercli.workflows.evaluate.evaluation import Evaluation, measure
from fercli.workflows.evaluate.robustness import robustness
from fercli.workflows.evaluate.splits import parts_of
from fercli.workflows.run_folder import RunFolder, read_config

_KNOWN = "the network was trained on these faces: this is no estimate for new ones"


def evaluate(
    model: str | None = None,
    data: str | None = None,
    *,
    root: Path | None = None,
    part: str | None = None,
    mirrored: bool = False,
    device: str = "auto",
    options: LoadOptions | None = None,
    shared_classes: bool = False,
    corruptions: Sequence[str] = (),
    progress: ProgressCallback = no_progress,
) -> Evaluation:
    """Measure a trained network on a face set: on the data and the split of its own training unless told otherwise.

    `options` says how the data are read; None is as for training where they are the training's own, else plainly.
    With `shared_classes`, of a set with other classes only those are measured that the network knows too.
    `corruptions` names ways to make the faces worse (see fercli.data.quality.corruptions); it is measured in these too.
    `part` is train, val, test, spare or all. Without it: test where there is one, else val; all of a set that has
    no split of its own and that the network was not trained on.
    Raises ModelError, DataError or RunError for what does not exist or does not fit.
    """
    loaded = load_model(model, model_device(model, device), mirrored=mirrored)
    faces = _faces(loaded, data, root, options, progress)
    parts = parts_of(faces, loaded, part)
    part, notes = _chosen(part, parts, faces, loaded)
    subset = faces if part == "all" else faces.select(parts == part)
    fitting = with_classes(subset, loaded, shared=shared_classes)
    result = measure(loaded, fitting, part, (*fitting.notes, *notes))
    if not corruptions:
        return result
    return replace(result, robustness=robustness(loaded, fitting, result.predictions, corruptions, progress))


def _faces(
    model: Model, data: str | None, root: Path | None, options: LoadOptions | None, progress: ProgressCallback
) -> FaceSet:
    """The set asked for, else that of the model's own training: its run's settings know where it lies."""
    if data is not None:
        return load_faces(data, root, options or LoadOptions(), progress)
    config = RunFolder(model.path.parent).config
    if model.path.is_file() and config.is_file():
        own = read_config(config)
        return load_faces(own.data, root or (Path(own.root) if own.root else None), options or own.reading, progress)
    behind = list_trainings(model.header)
    names = {str(trained.get("set") or trained.get("data") or "an unknown set") for trained in behind}
    readings = [trained.get("reading", {}) for trained in behind]
    if len(names) > 1 or not names <= set(SETS) or any(other != readings[0] for other in readings):
        raise DataError(f"{model.path} was trained on {' and '.join(sorted(names))}: say where it lies with --data")
    return load_faces(names.pop(), root, options or LoadOptions(**readings[0]), progress)


def _chosen(asked: str | None, parts: NDArray[np.str_], faces: FaceSet, model: Model) -> tuple[str, tuple[str, ...]]:
    """The part to measure, and what should be said of it. Raises DataError where the part is empty."""
    there = [part for part in ("test", "val", "train", "spare", "all") if (parts == part).any()]
    behind = list_trainings(model.header)
    notes: list[str] = list(dict.fromkeys(trained["remark"] for trained in behind if trained.get("remark")))
    if model.remark:
        notes.append(model.remark)
    elif model.header.architecture == ENSEMBLE:
        notes.append("'before temperature' still includes the temperatures of the ensemble's members")
    part = asked or there[0]
    if asked is None and part == "val":
        notes.append(f"{faces.name} has no test part here: measuring val")
    if asked is None and part == "all":
        notes.append(f"{faces.name} has no split of its own: measuring all {len(faces)} faces")
    if part != "all" and part not in there:
        raise DataError(f"{faces.name} has no {part} part here: it has {', '.join(there)} (--split)")
    extras = [trained["extra"]["data"] for trained in behind if trained.get("extra")]
    notes += [
        f"the network was trained on {name}, which shares faces with {faces.name}: this is no estimate for new ones"
        for name in [*(str(trained.get("data")) for trained in behind), *extras]
        if share_faces(name, faces.name)
    ]
    fingerprints = {trained.get("fingerprint") for trained in behind if trained.get("data") == faces.name}
    if fingerprints - {faces.fingerprint} and (earlier := hint_at_earlier_labels(faces, "--labels")):
        notes.append(f"{faces.name} is not quite what the network was trained on{earlier}")
    if faces.name in extras and part in ("train", "all"):
        notes.append(_KNOWN)
    if any(trained.get("data") == faces.name for trained in behind):
        if part in ("val", "test", "spare") and (leak := describe_leak(faces, parts, part)):
            notes.append(leak)
        if part == "val":
            notes.append("val chose the epoch and the temperature of this network: its figures are slightly too high")
        if part in ("train", "all"):
            notes.append(_KNOWN)
    return part, tuple(notes)
