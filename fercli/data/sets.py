"""The data sets that have a name, and everything else that `--data` takes."""

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from fercli.core.config import LoadOptions
from fercli.core.errors import DataError, UsageError
from fercli.core.progress import ProgressCallback, no_progress
from fercli.core.registry import Registry, suggest
from fercli.data.cartoon import cartoon
from fercli.data.faceset import SHARES, FaceSet
from fercli.data.loaders import ckplus, fergit, ferplus, muxspace
from fercli.data.loaders.class_folders import LAYOUT, has_class_folders
from fercli.data.opening import FER2013_FILES, load_path, with_subjects

_PLAIN = LoadOptions()


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
    load: Callable[[Path, LoadOptions, ProgressCallback], FaceSet]
    #: what is looked for below the root, the first that is there being taken; a set without any is built in
    places: tuple[str, ...] = ()
    #: shares of validation and test, where the set comes without a split
    shares: tuple[float, float] = SHARES
    #: other sets whose faces are in it
    holds: tuple[str, ...] = ()
    #: the command that builds it, where there is one
    build: str = ""
    #: whether a folder in one of the places is the set
    recognised: Callable[[Path], bool] = has_class_folders

    def found(self, root: Path) -> Path | None:
        """Where the set lies below a data root; None where it does not, and for one that is built in."""
        paths = (root / place for place in self.places)
        return next((path for path in paths if path.is_file() or self.recognised(path)), None)


SETS: Registry[NamedSet] = Registry("data set")


def load_faces(
    data: str, root: Path | None = None, options: LoadOptions = _PLAIN, progress: ProgressCallback = no_progress
) -> FaceSet:
    """The face set of a registered name or of a path: a csv file, a folder of class folders, either one packed, or
    a file that `fer data` made; read as `options` says. `progress` hears of long work.

    Named sets are looked for below `root`, else below the environment's FER_DATA, else below ./data. A name goes
    before a path of the same spelling; ./name is always the path. What lies at a path and is called like a named set
    is split in the same shares.

    Raises DataError where there is no such set, naming what was looked for, or where it cannot be read; UsageError
    for options that make no sense with it.
    """
    if options.keep_contempt and options.labels in ("own", "ferplus-mixed"):
        raise UsageError(
            "--keep-contempt goes with --labels ferplus, ferplus-plurality or ferplus-soft alone: leave it out"
        )
    if options.subject_pattern and options.subjects:
        raise UsageError("--subject-pattern and --subjects both say who is who: leave one out")
    if data in SETS:
        place = _place(data, data_root(root))
        faces = _with_shares(SETS[data].load(place, options, progress), data)
    else:
        place = _path(data)
        faces = load_path(place, None, options, progress)
        faces = _with_shares(faces, faces.name)
    if options.labels == "own":
        return faces
    ferplus.check_rows(faces)
    votes = ferplus.find_votes(data_root(root), place)
    if options.labels == "ferplus-mixed":
        return ferplus.with_mixed_votes(faces, votes)
    return ferplus.with_votes(faces, votes, options.labels, keep_contempt=options.keep_contempt)


def share_faces(one: str, other: str) -> bool:
    """Whether two face sets, by their names, are different ones that hold faces of each other."""
    first, second = (name.partition("+")[0] for name in (one, other))
    return any(outer in SETS and inner in SETS[outer].holds for outer, inner in ((first, second), (second, first)))


def data_root(root: Path | None = None) -> Path:
    """Where named sets lie: the argument, else FER_DATA, else ./data."""
    return root or Path(os.environ.get("FER_DATA") or "data").expanduser()


def _with_shares(faces: FaceSet, name: str) -> FaceSet:
    """The set with the shares of the named set that it is, by its name, unless it has some of its own.

    A folder says nothing of its shares, nor does a file of FERGIT that was built before it did.
    """
    if name not in SETS or faces.shares != SHARES:
        return faces
    return replace(faces, shares=SETS[name].shares)


def _place(name: str, root: Path) -> Path:
    """Where a named set lies; the root itself for one that is built in. Raises DataError where it does not."""
    known = SETS[name]
    found = known.found(root) if known.places else root
    if found is None:
        build = f"{known.build} builds it. " if known.build else ""
        where = f"{root.absolute()}{'' if root.is_dir() else ' (no such folder)'}"
        raise DataError(
            f"no {name} in {where}. Looked for: {known.layout}. To be had from: {known.source}. {build}Say where it "
            "lies with --root FOLDER or the variable FER_DATA"
        )
    return found


def _path(data: str) -> Path:
    """The file or folder that is no name of a set. Raises DataError where there is none."""
    path = Path(data).expanduser()
    if path.exists():
        return path
    if path.name != data or path.suffix:
        raise DataError(f"no such file or folder: {data}")
    near = suggest(data, SETS)
    raise DataError(
        f"no data set or path '{data}': {near}{'' if near.endswith('?') else '.'} A path to a csv file or to a folder "
        "of class folders is taken too"
    )


def _load_cartoon(_: Path, options: LoadOptions, progress: ProgressCallback) -> FaceSet:
    if options.detect:
        raise UsageError("--detect looks for faces in photographs, and cartoon holds 48×48 faces: leave it out")
    return with_subjects(cartoon(), options)


SETS.register("fer2013")(
    NamedSet(
        summary="35,887 faces from an image search, 48×48 gray, seven expressions, labels of uneven quality",
        source="Kaggle's challenges-in-representation-learning-facial-expression-recognition-challenge (fer2013.csv, "
        "icml_face_data.csv) or Kaggle's msambare/fer2013 (class folders)",
        layout="fer2013.csv or icml_face_data.csv, as it is or as .zip, .gz, .tar.gz or .tgz, there or in fer2013/ "
        "below; or train/ and test/ with class folders, there or in fer2013/ or fer2013-folders/",
        terms="made for a public challenge (Goodfellow et al. 2013); the pictures' rights lie with their owners: "
        "for research, not to be passed on",
        load=lambda path, options, progress: load_path(path, "fer2013", options, progress),
        places=(
            *FER2013_FILES,
            *(f"fer2013/{file}" for file in (*FER2013_FILES, "archive.zip")),
            *("fer2013", "fer2013-folders", "."),
        ),
    )
)
SETS.register("fergit")(
    NamedSet(
        summary="49,300 faces: FER2013 and muxspace/facial_expressions in one, seven expressions",
        source=f"Kaggle's uldisvalainis/fergit, to be unpacked there as fergit; or FER2013 and {muxspace.SOURCE}",
        layout=f"{fergit.BUILT}, fergit/ or fergit.zip: {LAYOUT}",
        terms="those of its two sources: for research, not to be passed on",
        load=fergit.load_fergit,
        places=(fergit.BUILT, "fergit", "fergit.zip"),
        shares=fergit.SHARES,
        holds=("fer2013", "muxspace"),
        build="fer data build fergit --fer2013 PATH --muxspace PATH",
    )
)
SETS.register("muxspace")(
    NamedSet(
        summary="13,682 photographs of heads, many of known people, seven expressions; MTCNN finds the faces",
        source=muxspace.SOURCE,
        layout=muxspace.LAYOUT,
        terms="the repository's are Apache-2.0; the pictures' rights lie with their owners: for research, not to be "
        "passed on",
        load=lambda path, options, progress: with_subjects(muxspace.muxspace_set(path, progress), options),
        places=muxspace.PLACES,
        recognised=muxspace.holds_muxspace,
    )
)
SETS.register("ckplus")(
    NamedSet(
        summary="981 faces of 118 subjects, posed, 48×48 gray, six expressions and contempt, none neutral",
        source="Kaggle's shawon10/ckplus (CK+48), or ckextended.csv (920 faces, eight classes)",
        layout="CK+48/ with class folders, there or in ckplus/, or ckextended.csv there or in ckplus/",
        terms="Lucey et al. 2010: for research, by agreement with its makers; not to be passed on",
        load=lambda path, options, progress: load_path(path, "ckplus", options, progress),
        places=("CK+48", "ckplus/CK+48", "ckplus", "ckplus.zip", "CK+48.zip", ckplus.TABLE, f"ckplus/{ckplus.TABLE}"),
    )
)
SETS.register("cartoon")(
    NamedSet(
        summary="700 drawn faces: 20 subjects × 7 expressions × 5, made from a seed; no real people",
        source="built in",
        layout="nothing: no files are needed",
        terms="those of this program",
        load=_load_cartoon,
    )
)
