"""The faces that a trained network is measured on: the set, the split of each face, so that nothing it learned from
passes for new, and labels in the order of the network's classes."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fercli.core.config import LoadOptions
from fercli.core.errors import DataError, RunError
from fercli.core.progress import ProgressCallback
from fercli.core.text import format_count, shorten
from fercli.data.faceset import FRACTIONS, FaceSet
from fercli.data.load import SETS, load_faces
from fercli.data.quality.leaks import drop_leaks
from fercli.data.splits import Group, assign_splits, read_split, split_digest, split_extra
from fercli.models.load import Model
from fercli.workflows.evaluate.options import EvaluateOptions
from fercli.workflows.run_folder import RunFolder, read_config


def load_measured_set(options: EvaluateOptions, model: Model, progress: ProgressCallback) -> FaceSet:
    """The set that the options name, else that of the model's own training: its run's settings know where it lies.

    Raises DataError where that is not known.
    """
    root, load_options = options.root, options.load_options
    if options.data is not None:
        return load_faces(options.data, root, load_options or LoadOptions(), progress)
    config = RunFolder(model.path.parent).config
    if model.path.is_file() and config.is_file():
        own = read_config(config)
        root = root or (Path(own.root) if own.root else None)
        return load_faces(own.data, root, load_options or own.load_options, progress)
    behind = model.header.trainings
    names = {str(trained.get("set") or trained.get("data") or "an unknown set") for trained in behind}
    readings = [trained.get("reading", {}) for trained in behind]
    if len(names) > 1 or not names <= set(SETS) or any(other != readings[0] for other in readings):
        raise DataError(f"{model.path} was trained on {' and '.join(sorted(names))}: say where it lies with --data")
    return load_faces(names.pop(), root, load_options or LoadOptions(**readings[0]), progress)


def find_splits(faces: FaceSet, model: Model, split: str | None = None) -> NDArray[np.str_]:
    """The split of each face [N]: as the model's own training had it where these are its data, else the set's own.

    'all' for every face of a set that has no split and that the model was not trained on, or, where its training's
    split is not known, when the `split` to measure is 'all'. Raises RunError where the split is not known, or where the
    members of an ensemble were trained on different ones.
    """
    here = [
        trained
        for trained in model.header.trainings
        if trained.get("fingerprint") == faces.fingerprint or trained.get("data") == faces.name
    ]
    beside = [trained["extra"] for trained in model.header.trainings if trained.get("extra")]
    rules = {extra.get("rule", 1) for extra in beside if extra["fingerprint"] == faces.fingerprint}
    if not here and rules:
        return _join_extra_splits([split_extra(faces, rule) for rule in rules])
    if not here and any(extra["data"] == faces.name for extra in beside) and split != "all":
        raise _unknown(faces, model)
    if not here:
        return assign_splits(faces, 0) if faces.splits is not None else np.full(len(faces), "all")
    first, *others = [_find_training_splits(faces, model, trained, split) for trained in here]
    if all(np.array_equal(first, other) for other in others):
        return first
    if split == "all":
        return np.full(len(faces), "all")
    raise RunError(
        f"the members of {model.path} were trained on different splits of {faces.name}, so no split is new to all of "
        "them: --split all measures everything, faces they were trained on included"
    )


def _join_extra_splits(splits: Sequence[NDArray[np.str_]]) -> NDArray[np.str_]:
    """The split [N] of faces that members of an ensemble learned from by different rules: 'train' where one of them
    did, 'test' where it is that to all of them."""
    joined = splits[0].copy()
    for other in splits[1:]:
        differ = joined != other
        joined[differ] = "val"
        joined[differ & ((splits[0] == "train") | (other == "train"))] = "train"
    return joined


def _find_training_splits(
    faces: FaceSet, model: Model, trained: Mapping[str, Any], split: str | None
) -> NDArray[np.str_]:
    """The split of each face as one training on this set had it."""
    if trained.get("fingerprint") == faces.fingerprint:
        written = RunFolder(model.path.parent).split
        if model.path.is_file() and written.is_file():
            return read_split(written, faces)
        # the plain fractions too: a built FERGIT was split by them when it was given as a path
        for fractions in dict.fromkeys((faces.fractions, FRACTIONS)):
            known = replace(faces, fractions=fractions)
            group: Group = trained.get("group") or "auto"
            fraction = trained.get("val_fraction")
            splits = assign_splits(known, trained.get("seed", 0), group=group, val_fraction=fraction)
            splits = drop_leaks(faces, splits) if trained.get("drop_leaks") else splits
            if split_digest(faces, splits) == trained.get("split"):
                return splits
    elif faces.splits is not None:
        return assign_splits(faces, 0)
    if split == "all":
        return np.full(len(faces), "all")
    raise _unknown(faces, model)


def _unknown(faces: FaceSet, model: Model) -> RunError:
    return RunError(
        f"{faces.name} is not quite what {model.path} was trained on, so its test split is not known: "
        "--split all measures everything, faces it was trained on included"
    )


def select_logits(model: Model, images: NDArray[np.uint8], classes: Sequence[str]) -> NDArray[np.float32]:
    """Logits [N, C] of these classes alone, in this order, for faces [N, 1, 48, 48]."""
    return model.logits(images)[:, [model.classes.index(name) for name in classes]]


def match_classes(faces: FaceSet, model: Model, *, shared: bool = False) -> FaceSet:
    """The faces with labels that index the model's classes, in its order.

    With `shared`, faces of classes that the model does not know are left out, which a note counts, and the classes
    are those that both know. Raises DataError where the classes differ and `shared` is not set, or none is shared.
    """
    both = tuple(name for name in model.classes if name in faces.classes)
    differ = set(faces.classes) != set(model.classes)
    theirs, ours = (shorten(", ".join(names), 150) for names in (faces.classes, model.classes))
    lists = f"{shorten(faces.name, 60)} has the classes {theirs}; {shorten(model.name, 60)} knows {ours}"
    if differ and not shared:
        raise DataError(f"{lists}: --shared-classes measures the {len(both)} that both know")
    if len(both) < 2:
        raise DataError(f"{lists}: {len(both) or 'none'} in common, too few to be measured")
    order = np.array([both.index(name) if name in both else -1 for name in faces.classes], dtype=np.int64)
    labels = order[faces.labels]
    kept = faces.select(labels >= 0).relabel(labels[labels >= 0], both)
    if not differ:
        return kept
    note = (
        f"only the classes that both know, among which alone the network chooses: {', '.join(both)}; "
        f"{format_count(len(faces) - len(kept), 'face')} of others left out"
    )
    return replace(kept, notes=(*faces.notes, note))
