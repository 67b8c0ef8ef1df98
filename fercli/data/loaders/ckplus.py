"""CK+ (Lucey et al. 2010) as its users have it: 48×48 pictures named by subject, sequence and frame, or a csv file."""

import re
from dataclasses import replace
from pathlib import PurePosixPath

from fercli.core.labels import EXPRESSIONS
from fercli.data.faceset import FaceSet

#: The classes of `ckextended.csv` in the order of its numbers. The pictures in folders have no neutral ones.
EXTENDED = (*EXPRESSIONS, "contempt")
#: What the csv file is called; its columns are FER2013's.
TABLE = "ckextended.csv"

_NAME = re.compile(r"(?P<subject>S\d{3})_(?P<sequence>\d{3})_\d{8}")


def subjects_from_names(faces: FaceSet) -> FaceSet:
    """The set with the subjects that CK+'s file names hold (S010_004_00000017.png is subject S010, sequence 004);
    unchanged unless all names are of that form, or where subjects are known already."""
    found = [_NAME.fullmatch(PurePosixPath(face).stem) for face in faces.ids]
    if faces.subjects is not None or not found or not all(found):
        return faces
    subjects = tuple(name["subject"] for name in found if name)
    sequences = {(name["subject"], name["sequence"]) for name in found if name}
    note = f"{len(set(subjects))} subjects in {len(sequences)} sequences of nearly the same pictures"
    return replace(faces, subjects=subjects, notes=(*faces.notes, note))
