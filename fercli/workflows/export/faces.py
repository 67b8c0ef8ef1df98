"""The real faces that an export needs: some to find int8's ranges with, others to measure accuracy on."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from fercli.core.errors import DataError
from fercli.data.faceset import FaceSet
from fercli.data.sets import load_faces
from fercli.data.splits import split
from fercli.models.export.quantise import CALIBRATION_FACES
from fercli.models.loaded import Model
from fercli.workflows.evaluate.classes import with_classes
from fercli.workflows.evaluate.splits import parts_of


@dataclass(frozen=True)
class ExportFaces:
    """Faces whose labels index the model's classes: some of the train part, and all of the part that is measured."""

    calibration: FaceSet
    measured: FaceSet
    part: str


def export_faces(model: Model, data: str, root: Path | None = None) -> ExportFaces:
    """Faces of a set as the model's own training had it split. val is measured, where there is one: whether a file is
    good enough is a decision, and a test part is not for those.

    Raises DataError where the set lacks a part or has other classes, RunError where its split is not known.
    """
    faces = load_faces(data, root)
    parts = parts_of(faces, model)
    if (parts == "all").all():
        parts = split(faces, 0)
    part = "val" if "val" in parts else "test"
    for needed in ("train", part):
        if needed not in parts:
            raise DataError(
                f"{faces.name} has no {needed} part: export calibrates on train and measures on val or test"
            )
    faces = with_classes(faces, model)
    places = np.flatnonzero(parts == "train")
    chosen = np.zeros(len(faces), np.bool_)
    # at even distances, so that a set sorted by class gives some of each
    chosen[places[np.linspace(0, len(places) - 1, min(CALIBRATION_FACES, len(places))).astype(int)]] = True
    return ExportFaces(faces.select(chosen), faces.select(parts == part), part)
