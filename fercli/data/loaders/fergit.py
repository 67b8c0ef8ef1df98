"""FERGIT: FER2013 and muxspace/facial_expressions in one, as Bah & Xue 2022 used it."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from fercli.core.config import LoadOptions
from fercli.core.errors import DataError, UsageError
from fercli.core.labels import EXPRESSIONS
from fercli.core.progress import ProgressCallback
from fercli.data.cache import cached
from fercli.data.faceset import FaceSet
from fercli.data.loaders import face_file
from fercli.data.loaders.class_folders import load_folder
from fercli.data.opening import with_subjects

#: How many faces the set has that the paper used.
PUBLISHED = 49_300
#: Its shares of val and of test, as in the paper.
SHARES = (0.05, 0.05)
#: What the built set is called, below the data root.
BUILT = f"fergit{face_file.SUFFIX}"


def load_fergit(path: Path, options: LoadOptions, progress: ProgressCallback) -> FaceSet:
    """The set as `fer data build fergit` made it, or ready-made: a folder or zip archive of class folders, or of
    train, valid and test with such folders. A note says when it is not of the published size.

    Raises DataError where it cannot be read or has other classes than the seven.
    """
    if options.detect:
        raise UsageError("--detect looks for faces in photographs, and fergit holds 48×48 faces: leave it out")
    built = path.suffix == face_file.SUFFIX
    faces = face_file.read_faces(path) if built else cached(path, "fergit", lambda: load_folder(path, "fergit"))
    if faces.classes != EXPRESSIONS:
        raise DataError(f"{path}: classes {', '.join(faces.classes)}; FERGIT has {', '.join(EXPRESSIONS)}")
    faces = with_subjects(faces, options)
    if len(faces) == PUBLISHED:
        return faces
    return replace(faces, notes=(*faces.notes, f"{len(faces):,} faces; FERGIT as published has {PUBLISHED:,}"))


def joined(fer2013: FaceSet, muxspace: FaceSet) -> FaceSet:
    """Both sets as one, without a split but with the shares of one: ids begin with the set they come from, FER2013's
    faces are of nobody known.

    Raises DataError where the first has other classes than the seven.
    """
    if fer2013.classes != EXPRESSIONS:
        raise DataError(f"{fer2013.name} has the classes {', '.join(fer2013.classes)}, not FER2013's: give that set")
    return FaceSet(
        name="fergit",
        images=np.concatenate([fer2013.images, muxspace.images]),
        labels=np.concatenate([fer2013.labels, muxspace.labels]),
        classes=EXPRESSIONS,
        ids=tuple(f"{faces.name}/{face}" for faces in (fer2013, muxspace) for face in faces.ids),
        subjects=("",) * len(fer2013) + (muxspace.subjects or ("",) * len(muxspace)),
        shares=SHARES,
    )
