"""Which part of a face set each face is in for a trained network, so that nothing it learnt from passes for new."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fercli.core.errors import RunError
from fercli.data.faceset import FRACTIONS, FaceSet
from fercli.data.quality.leaks import drop_leaks
from fercli.data.splits import read_split, split, split_digest
from fercli.models.ensemble import list_trainings
from fercli.models.loaded import Model
from fercli.workflows.run_folder import RunFolder
from fercli.workflows.train.data import EXTRA_SEED


def parts_of(faces: FaceSet, model: Model, asked: str | None = None) -> NDArray[np.str_]:
    """The part of each face [N]: as the model's own training had it where these are its data, else the set's own.

    'all' for every face of a set that has no split and that the model was not trained on, or, where its training's
    split is not known, when `asked` is 'all'. Raises RunError where the split is not known, or where the members of
    an ensemble were trained on different ones.
    """
    here = [
        trained
        for trained in list_trainings(model.header)
        if trained.get("fingerprint") == faces.fingerprint or trained.get("data") == faces.name
    ]
    beside = [trained["extra"] for trained in list_trainings(model.header) if trained.get("extra")]
    if not here and any(extra["fingerprint"] == faces.fingerprint for extra in beside):
        return split(faces, EXTRA_SEED)
    if not here and any(extra["data"] == faces.name for extra in beside) and asked != "all":
        raise _unknown(faces, model)
    if not here:
        return split(faces, 0) if faces.parts is not None else np.full(len(faces), "all")
    first, *others = [_parts_of_training(faces, model, trained, asked) for trained in here]
    if all(np.array_equal(first, other) for other in others):
        return first
    if asked == "all":
        return np.full(len(faces), "all")
    raise RunError(
        f"the members of {model.path} were trained on different splits of {faces.name}, so no part is new to all of "
        "them: --split all measures everything, faces they were trained on included"
    )


def _parts_of_training(faces: FaceSet, model: Model, trained: Mapping[str, Any], asked: str | None) -> NDArray[np.str_]:
    """The part of each face as one training on this set had it."""
    if trained.get("fingerprint") == faces.fingerprint:
        written = RunFolder(model.path.parent).split
        if model.path.is_file() and written.is_file():
            return read_split(written, faces)
        # the plain fractions too: a built FERGIT was split by them when it was given as a path
        for fractions in dict.fromkeys((faces.fractions, FRACTIONS)):
            known = replace(faces, fractions=fractions)
            parts = split(known, trained["seed"], group=trained["group"], val_fraction=trained["val_fraction"])
            parts = drop_leaks(faces, parts) if trained.get("drop_leaks") else parts
            if split_digest(faces, parts) == trained["split"]:
                return parts
    elif faces.parts is not None:
        return split(faces, 0)
    if asked == "all":
        return np.full(len(faces), "all")
    raise _unknown(faces, model)


def _unknown(faces: FaceSet, model: Model) -> RunError:
    return RunError(
        f"{faces.name} is not quite what {model.path} was trained on, so its test part is not known: "
        "--split all measures everything, faces it was trained on included"
    )
