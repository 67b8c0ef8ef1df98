"""FERGIT: FER2013 and muxspace/facial_expressions in one, as Bah & Xue 2022 used it."""

from dataclasses import replace
from pathlib import Path

from fercli.core.errors import DataError
from fercli.core.labels import EXPRESSIONS
from fercli.data.faceset import FaceSet
from fercli.data.folder import load_folder

#: How many faces the set has that the paper used.
PUBLISHED = 49_300


def load_fergit(path: Path) -> FaceSet:
    """The ready-made set: a folder or zip archive of class folders, or of train, valid and test with such
    folders. A note says when it is not of the published size.

    Raises DataError where it cannot be read or has other classes than the seven.
    """
    faces = load_folder(path, "fergit")
    if faces.classes != EXPRESSIONS:
        raise DataError(f"{path}: classes {', '.join(faces.classes)}; FERGIT has {', '.join(EXPRESSIONS)}")
    if len(faces) == PUBLISHED:
        return faces
    return replace(faces, notes=(*faces.notes, f"{len(faces):,} faces; FERGIT as published has {PUBLISHED:,}"))
