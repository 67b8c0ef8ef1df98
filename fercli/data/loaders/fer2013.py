"""FER2013 (Goodfellow et al. 2013) as its users have it: a csv file, packed or not, or folders of pictures."""

import re
from dataclasses import replace
from pathlib import Path, PurePosixPath

import numpy as np

from fercli.core.config import LoadOptions
from fercli.core.progress import ProgressCallback
from fercli.data.faceset import FaceSet
from fercli.data.loaders import SETS, DataSet
from fercli.data.loaders.class_folders import load_class_folders
from fercli.data.loaders.csv_file import TABLES, USAGES, list_missing_usages, load_csv
from fercli.data.sources import holds_pictures, list_names, list_pictures

_PACKED = (".zip", ".gz", ".tar.gz", ".tgz")
#: What the csv file is called, packed or not.
_FILES = (
    *TABLES,
    *(table + ending for table in TABLES for ending in _PACKED),
    *(table.removesuffix(".csv") + ending for table in TABLES for ending in _PACKED),
    "challenges-in-representation-learning-facial-expression-recognition-challenge.zip",
)

#: A picture's path ends in a name like Training_123.jpg. By one search: pathlib takes five times as long.
_PICTURE = re.compile(f"(?:^|/)({'|'.join(USAGES)})_[^/]*$")


def find_csv(path: Path) -> Path | None:
    """FER2013's csv file, packed or not: in a folder, or the file itself; None where there are only pictures."""
    files = [path / name for name in _FILES] if path.is_dir() else [path]
    return next((file for file in files if file.is_file() and (holds_csv(file) or not holds_pictures(file))), None)


def holds_csv(path: Path) -> bool:
    """Whether FER2013's csv file lies in a folder or archive."""
    if path.is_dir():
        return find_csv(path) is not None
    return any(PurePosixPath(name).name in _FILES for name in list_names(path))


def load_fer2013(path: Path, options: LoadOptions, progress: ProgressCallback) -> FaceSet:
    """The csv file, else class folders; pictures are in the split that their file names say."""
    if table := find_csv(path):
        return load_csv(table, options)
    return split_by_name(load_class_folders(path, options, progress))


def split_by_name(faces: FaceSet) -> FaceSet:
    """The set with splits as its file names say: PublicTest_123.jpg is val, whatever folder it lies in.

    A face without such a name stays in the split of its folder; where it has none, nothing is changed.
    """
    matches = [_PICTURE.search(face) for face in faces.ids]
    if not any(matches) or (faces.splits is None and not all(matches)):
        return faces
    folders = [""] * len(faces) if faces.splits is None else faces.splits.tolist()
    splits = [USAGES[match[1]] if match else split for match, split in zip(matches, folders, strict=True)]
    usages = {usage for usage, split in USAGES.items() if split in splits}
    return replace(faces, splits=np.array(splits), notes=faces.notes + list_missing_usages("the folder", usages))


def _sniff(path: Path) -> bool:
    """A folder or archive with the csv file in it, or with pictures named as FER2013's are."""
    return holds_csv(path) or any(map(_PICTURE.search, list_pictures(path)))


SETS.register("fer2013")(
    DataSet(
        summary="35,887 faces from an image search, 48×48 gray, seven expressions, labels of uneven quality",
        source="Kaggle's challenges-in-representation-learning-facial-expression-recognition-challenge (fer2013.csv, "
        "icml_face_data.csv) or Kaggle's msambare/fer2013 (class folders)",
        layout="fer2013.csv or icml_face_data.csv, as it is or as .zip, .gz, .tar.gz or .tgz, there or in fer2013/ "
        "below; or train/ and test/ with class folders, there or in fer2013/ or fer2013-folders/",
        terms="made for a public challenge (Goodfellow et al. 2013); the pictures' rights lie with their owners: "
        "for research, not to be passed on",
        load=load_fer2013,
        sniff=_sniff,
        paths=(
            *_FILES,
            *(f"fer2013/{file}" for file in (*_FILES, "archive.zip")),
            *("fer2013", "fer2013-folders", "."),
        ),
    )
)
