"""CK+ (Lucey et al. 2010) as its users have it: 48×48 pictures named by subject, sequence and frame, or a csv file."""

import re
from dataclasses import replace
from pathlib import Path, PurePosixPath

from fercli.core.config import LoadOptions
from fercli.core.labels import EXPRESSIONS
from fercli.core.progress import ProgressCallback
from fercli.data.faceset import FaceSet
from fercli.data.loaders import SETS, DataSet
from fercli.data.loaders.class_folders import load_class_folders
from fercli.data.loaders.csv_file import load_csv
from fercli.data.loaders.fer2013 import holds_csv
from fercli.data.sources import list_names, list_pictures

#: The classes of `ckextended.csv` in the order of its numbers. The pictures in folders have no neutral ones.
EXTENDED = (*EXPRESSIONS, "contempt")

#: What the csv file is called; its columns are FER2013's.
_TABLE = "ckextended.csv"
_PICTURE = re.compile(r"(?P<subject>S\d{3})_(?P<sequence>\d{3})_\d{8}")


def load_ckplus(path: Path, options: LoadOptions, progress: ProgressCallback) -> FaceSet:
    """The csv file, else class folders with the subjects that the file names hold."""
    if table := _find_csv(path):
        return load_csv(table, options, EXTENDED)
    return assign_subjects(load_class_folders(path, options, progress))


def assign_subjects(faces: FaceSet) -> FaceSet:
    """The set with the subjects that CK+'s file names hold (S010_004_00000017.png is subject S010, sequence 004);
    unchanged unless all names are of that form, or where subjects are known already."""
    matches = [_PICTURE.fullmatch(PurePosixPath(face).stem) for face in faces.ids]
    if faces.subjects is not None or not matches or not all(matches):
        return faces
    subjects = tuple(match["subject"] for match in matches if match)
    sequences = {(match["subject"], match["sequence"]) for match in matches if match}
    note = f"{len(set(subjects))} subjects in {len(sequences)} sequences of nearly the same pictures"
    return replace(faces, subjects=subjects, notes=(*faces.notes, note))


def _find_csv(path: Path) -> Path | None:
    """The csv file in a folder, or the file itself, packed or not."""
    if path.is_dir():
        return path / _TABLE if (path / _TABLE).is_file() else None
    names = [path.name, *(PurePosixPath(name).name for name in list_names(path))]
    return path if any(name.lower().startswith(Path(_TABLE).stem) for name in names) else None


def _sniff(path: Path) -> bool:
    """The csv file, or pictures that are all named as CK+'s are. What holds FER2013's csv file too is FER2013."""
    if _find_csv(path):
        return not holds_csv(path)
    pictures = list_pictures(path)
    first = next(pictures, None)
    return first is not None and all(_PICTURE.fullmatch(PurePosixPath(name).stem) for name in (first, *pictures))


SETS.register("ckplus")(
    DataSet(
        summary="981 faces of 118 subjects, posed, 48×48 gray, six expressions and contempt, none neutral",
        source="Kaggle's shawon10/ckplus (CK+48), or ckextended.csv (920 faces, eight classes)",
        layout="CK+48/ with class folders, there or in ckplus/, or ckextended.csv there or in ckplus/",
        terms="Lucey et al. 2010: for research, by agreement with its makers; not to be passed on",
        load=load_ckplus,
        sniff=_sniff,
        paths=("CK+48", "ckplus/CK+48", "ckplus", "ckplus.zip", "CK+48.zip", _TABLE, f"ckplus/{_TABLE}"),
    )
)
