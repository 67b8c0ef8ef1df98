"""The data sets that have a name, and everything else that `--data` takes."""

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from fercli.core.errors import DataError
from fercli.core.registry import Registry, suggest
from fercli.data import face_file
from fercli.data.cache import cached
from fercli.data.cartoon import cartoon
from fercli.data.faceset import FaceSet
from fercli.data.fer2013 import TABLES, load_csv, usages_as_parts
from fercli.data.fergit import load_fergit
from fercli.data.folder import LAYOUT, has_class_folders, is_picture, load_folder
from fercli.data.sources import is_zip, opened_zip


@dataclass(frozen=True)
class NamedSet:
    """A data set as it is known: what it is, where it comes from and where it is looked for."""

    summary: str
    #: where to get it, in words
    source: str
    #: what is looked for, in words
    layout: str
    #: on what terms it may be used
    terms: str
    #: makes the set of the place where it was found
    load: Callable[[Path], FaceSet]
    #: what is looked for below the root, the first that is there being taken; a set without any is built in
    places: tuple[str, ...] = ()
    #: shares of validation and test, where the set comes without a split
    shares: tuple[float, float] = (0.1, 0.1)


SETS: Registry[NamedSet] = Registry("data set")

_PACKED = (".zip", ".gz", ".tar.gz", ".tgz")
_FER2013_FILES = (
    *TABLES,
    *(table + ending for table in TABLES for ending in _PACKED),
    *(table.removesuffix(".csv") + ending for table in TABLES for ending in _PACKED),
    "challenges-in-representation-learning-facial-expression-recognition-challenge.zip",
)
_FER2013_FOLDERS = ("fer2013", "fer2013-folders", ".")


def load_faces(data: str, root: Path | None = None) -> FaceSet:
    """The face set of a registered name or of a path: a FER2013 csv file, a folder of class folders, or either
    one packed.

    Named sets are looked for below `root`, else below the environment's FER_DATA, else below ./data. A name goes
    before a path of the same spelling; ./name is always the path.

    Raises DataError where there is no such set, naming what was looked for, or where it cannot be read.
    """
    if data in SETS:
        return _load_named(data, root)
    path = Path(data).expanduser()
    if path.exists():
        return load_path(path)
    if path.name != data or path.suffix:
        raise DataError(f"no such file or folder: {data}")
    raise DataError(
        f"no data set or path '{data}': {suggest(data, SETS)} A path to a csv file or to a folder of class folders "
        "is taken too"
    )


def load_path(path: Path, name: str | None = None) -> FaceSet:
    """The face set of a file or folder, recognised by what is in it. Raises DataError where nothing fits."""
    if path.is_dir():
        inside = next((path / file for file in _FER2013_FILES if (path / file).is_file()), None)
        return load_path(inside, name) if inside else _cached_folder(path, name)
    if path.suffix == face_file.SUFFIX:
        return face_file.read_faces(path)
    if is_zip(path) and _holds_pictures(path):
        return _cached_folder(path, name)
    name = name or path.name.partition(".")[0]
    return cached(path, f"fer2013 csv as {name}", lambda: load_csv(path, name))


def data_root(root: Path | None = None) -> Path:
    """Where named sets lie: the argument, else FER_DATA, else ./data."""
    return root or Path(os.environ.get("FER_DATA") or "data").expanduser()


def _cached_folder(path: Path, name: str | None) -> FaceSet:
    name = name or (path.resolve().name if path.is_dir() else path.stem) or "folder"
    return cached(path, f"class folders as {name}", lambda: usages_as_parts(load_folder(path, name)))


def _holds_pictures(path: Path) -> bool:
    """Whether a zip archive is one of pictures rather than of FER2013's table."""
    with opened_zip(path) as archive:
        names = archive.namelist()
    return not any(Path(name).name in TABLES for name in names) and any(map(is_picture, names))


def _load_named(name: str, root: Path | None) -> FaceSet:
    known, root = SETS[name], data_root(root)
    if not known.places:
        return replace(known.load(root), shares=known.shares)
    for place in known.places:
        path = root / place
        if path.is_file() or has_class_folders(path):
            return replace(known.load(path), shares=known.shares)
    raise DataError(
        f"no {name} in {root.absolute()}{'' if root.is_dir() else ' (no such folder)'}. Looked for: {known.layout}. "
        f"To be had from: {known.source}. Say where it lies with --root FOLDER or the variable FER_DATA"
    )


SETS.register("fer2013")(
    NamedSet(
        summary="35,887 faces from an image search, 48×48 gray, seven expressions, labels of uneven quality",
        source="Kaggle's challenges-in-representation-learning-facial-expression-recognition-challenge (fer2013.csv, "
        "icml_face_data.csv) or Kaggle's msambare/fer2013 (class folders)",
        layout="fer2013.csv or icml_face_data.csv, as it is or as .zip, .gz, .tar.gz or .tgz, there or in fer2013/ "
        "below; or train/ and test/ with class folders, there or in fer2013/ or fer2013-folders/",
        terms="made for a public challenge (Goodfellow et al. 2013); the pictures' rights lie with their owners: "
        "for research, not to be passed on",
        load=lambda path: load_path(path, "fer2013"),
        places=(
            *_FER2013_FILES,
            *(f"fer2013/{file}" for file in (*_FER2013_FILES, "archive.zip")),
            *_FER2013_FOLDERS,
        ),
    )
)
SETS.register("fergit")(
    NamedSet(
        summary="49,300 faces: FER2013 and muxspace/facial_expressions in one, seven expressions",
        source="Kaggle's uldisvalainis/fergit (FER2013 + muxspace/facial_expressions), to be unpacked there as fergit",
        layout=f"fergit/ or fergit.zip: {LAYOUT}",
        terms="those of its two sources: for research, not to be passed on",
        load=lambda path: cached(path, "fergit", lambda: load_fergit(path)),
        places=("fergit", "fergit.zip"),
        shares=(0.05, 0.05),
    )
)
SETS.register("cartoon")(
    NamedSet(
        summary="700 drawn faces: 20 subjects × 7 expressions × 5, made from a seed; no real people",
        source="built in",
        layout="nothing: no files are needed",
        terms="those of this program",
        load=lambda _: cartoon(),
    )
)
