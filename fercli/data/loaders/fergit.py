"""FERGIT: FER2013 and muxspace/facial_expressions in one, as Bah & Xue 2022 used it."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from fercli.core.config import LoadOptions
from fercli.core.errors import DataError
from fercli.core.labels import EXPRESSIONS
from fercli.core.progress import ProgressCallback
from fercli.data.faceset import FaceSet
from fercli.data.loaders import SETS, DataSet, refuse_detection
from fercli.data.loaders.class_folders import LAYOUT, load_class_folders
from fercli.data.loaders.face_file import SUFFIX, is_face_file, load_face_file
from fercli.data.loaders.muxspace import SOURCE

#: How many faces the set has that the paper used.
PUBLISHED = 49_300
#: Its fractions of val and of test, as in the paper.
FRACTIONS = (0.05, 0.05)
#: What the built set is called, below the data root.
BUILT = f"fergit{SUFFIX}"


def load_fergit(path: Path, options: LoadOptions, progress: ProgressCallback) -> FaceSet:
    """The set as `fer data build fergit` made it, or ready-made: a folder or zip archive of class folders, or of
    train, valid and test with such folders. A note says when it is not of the published size.

    Raises DataError where it cannot be read or has other classes than the seven.
    """
    refuse_detection(options, "fergit")
    load = load_face_file if is_face_file(path) else load_class_folders
    faces = load(path, options, progress)
    if faces.classes != EXPRESSIONS:
        raise DataError(f"{path}: classes {', '.join(faces.classes)}; FERGIT has {', '.join(EXPRESSIONS)}")
    if len(faces) == PUBLISHED:
        return faces
    return replace(faces, notes=(*faces.notes, f"{len(faces):,} faces; FERGIT as published has {PUBLISHED:,}"))


def join_sources(fer2013: FaceSet, muxspace: FaceSet) -> FaceSet:
    """Both sets as one, without a split but with the fractions of one: ids begin with the set they come from, FER2013's
    faces have no subject.

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
        fractions=FRACTIONS,
    )


SETS.register("fergit")(
    DataSet(
        summary="49,300 faces: FER2013 and muxspace/facial_expressions in one, seven expressions",
        source=f"Kaggle's uldisvalainis/fergit, to be unpacked there as fergit; or FER2013 and {SOURCE}",
        layout=f"{BUILT}, fergit/ or fergit.zip: {LAYOUT}",
        terms="those of its two sources: for research, not to be passed on",
        load=load_fergit,
        paths=(BUILT, "fergit", "fergit.zip"),
        fractions=FRACTIONS,
        includes=("fer2013", "muxspace"),
        build="fer data build fergit --fer2013 PATH --muxspace PATH",
    )
)
