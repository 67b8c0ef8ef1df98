"""What `--data` takes: the data sets that have a name, and paths."""

import os
from dataclasses import replace
from pathlib import Path

from fercli.core.config import LoadOptions
from fercli.core.errors import DataError, UsageError
from fercli.core.progress import ProgressCallback, no_progress
from fercli.core.registry import Registry, suggest
from fercli.data.faceset import FRACTIONS, FaceSet
from fercli.data.loaders import DataSet, find_loader, load_loaders
from fercli.data.loaders.ferplus import check_label_options, relabel

#: The data sets that have a name.
SETS: Registry[DataSet] = load_loaders()

_PLAIN = LoadOptions()


def load_faces(
    data: str, root: Path | None = None, options: LoadOptions = _PLAIN, progress: ProgressCallback = no_progress
) -> FaceSet:
    """The face set of a registered name or of a path: a csv file, a folder of class folders, either one packed, or
    a file that `fer data` made; read as `options` say. `progress` hears how far long work is.

    Named sets are looked for below `root`, else below the environment's FER_DATA, else below ./data. A name goes
    before a path of the same spelling; ./name is always the path. What lies at a path and is called like a named set
    is split in the same fractions.

    Raises DataError where there is no such set, naming what was looked for, or where it cannot be read; UsageError
    for options that make no sense with it.
    """
    check_label_options(options)
    if options.subject_pattern and options.subjects:
        raise UsageError("--subject-pattern and --subjects both give subject IDs: leave one out")
    if data in SETS:
        path = _find_set(data, data_root(root))
        faces = replace(SETS[data].load(path, options, progress), name=data)
    else:
        path = _find_path(data)
        faces = load_path(path, options, progress)
    return relabel(_set_fractions(faces), options, data_root(root), path)


def load_path(path: Path, options: LoadOptions = _PLAIN, progress: ProgressCallback = no_progress) -> FaceSet:
    """The face set of a file or folder, recognised by what is in it and called as it is.

    Raises DataError where nothing fits, UsageError for options that make no sense with it.
    """
    return find_loader(path).load(path, options, progress)


def share_faces(one: str, other: str) -> bool:
    """Whether two face sets, by their names, are different ones that hold faces of each other."""
    first, second = (name.partition("+")[0] for name in (one, other))
    return any(outer in SETS and inner in SETS[outer].includes for outer, inner in ((first, second), (second, first)))


def data_root(root: Path | None = None) -> Path:
    """Where named sets lie: the argument, else FER_DATA, else ./data."""
    return root or Path(os.environ.get("FER_DATA") or "data").expanduser()


def _set_fractions(faces: FaceSet) -> FaceSet:
    """The set with the fractions of the named set that it is, by its name, unless it has some of its own.

    A folder says nothing of its fractions, nor does a file of FERGIT that was built before it did.
    """
    if faces.name not in SETS or faces.fractions != FRACTIONS:
        return faces
    return replace(faces, fractions=SETS[faces.name].fractions)


def _find_set(name: str, root: Path) -> Path:
    """Where a named set lies; the root itself for one that is built in. Raises DataError where it does not."""
    known = SETS[name]
    path = known.find(root) if known.paths else root
    if path is None:
        build = f"{known.build} builds it. " if known.build else ""
        where = f"{root.absolute()}{'' if root.is_dir() else ' (no such folder)'}"
        raise DataError(
            f"no {name} in {where}. Looked for: {known.layout}. Get it from: {known.source}. {build}Say where it "
            "lies with --root FOLDER or the variable FER_DATA"
        )
    return path


def _find_path(data: str) -> Path:
    """The file or folder that is no name of a set. Raises DataError where there is none."""
    path = Path(data).expanduser()
    if path.exists():
        return path
    if path.name != data or path.suffix:
        raise DataError(f"no such file or folder: {data}")
    hint = suggest(data, SETS)
    raise DataError(
        f"no data set or path '{data}': {hint}{'' if hint.endswith('?') else '.'} A path to a csv file or to a folder "
        "of class folders is taken too"
    )
