"""muxspace/facial_expressions: labelled photographs of heads, from a repository that anyone may clone."""

import csv
import io
import re
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

import numpy as np

from fercli.core.config import LoadOptions
from fercli.core.errors import DataError
from fercli.core.labels import EXPRESSIONS, canonical
from fercli.core.progress import ProgressCallback, no_progress
from fercli.core.text import escape_name, list_examples
from fercli.data.faceset import FaceSet
from fercli.data.loaders import SETS, DataSet
from fercli.data.pictures import NO_FACE, find_faces
from fercli.data.sources import is_picture, list_names, open_source, read_table
from fercli.data.subjects import add_subjects

SOURCE = "muxspace/facial_expressions on GitHub"
#: Where it is looked for below the data root.
_PATHS = (
    "muxspace",
    "facial_expressions",
    "facial_expressions-master",
    "muxspace.zip",
    "facial_expressions-master.zip",
)

_LEGEND = "legend.csv"
#: Where the repository has it.
_LEGEND_PATH = f"data/{_LEGEND}"
#: George_W_Bush_0019 is a picture of George_W_Bush; facial-expressions_2868588k is of nobody known.
_NAME = re.compile(r"(?P<person>.+)_\d{1,4}")


@dataclass(frozen=True)
class Legend:
    """The labels by picture, and what could not be taken from the file: each reason with the pictures' names."""

    labels: dict[str, str]
    left_out: dict[str, list[str]]


def holds_muxspace(path: Path) -> bool:
    """Whether a folder or archive looks, from its outside, like the repository."""
    if path.is_dir():
        return (path / _LEGEND_PATH).is_file()
    return any(f"/{name}".endswith(f"/{_LEGEND_PATH}") for name in list_names(path))


def load_muxspace(path: Path, options: LoadOptions, progress: ProgressCallback) -> FaceSet:
    """The faces of `read_muxspace` as a set of its own, with notes on what was left out."""
    faces, left_out = read_muxspace(path, progress)
    notes = (f"left out {list_examples(names)}, {reason}" for reason, names in left_out.items())
    return add_subjects(replace(faces, notes=tuple(notes)), options)


def read_muxspace(path: Path, progress: ProgressCallback = no_progress) -> tuple[FaceSet, dict[str, list[str]]]:
    """The faces that MTCNN finds in the repository's pictures, and what was left out: each reason with names.

    `path` is a folder, an archive or a git clone. Labels are the legend's, in any case; contempt is left out, as
    FERGIT does; a picture that the legend lists twice counts once, and is left out where its labels differ. The
    subject is the person's name in the file name, '' where there is none.

    Raises DataError where there is no legend or none of its pictures.
    """
    with open_source(path) as (names, reader):
        legends = [name for name in names if PurePosixPath(name).name == _LEGEND]
        if not legends:
            raise DataError(f"{path}: no {_LEGEND} in it: it should be {SOURCE}, a folder, archive or clone of it")
        outermost = min(legends, key=len)
        legend = read_legend(read_table(path, outermost, reader), f"{path}/{outermost}")
        paths = {PurePosixPath(name).name: name for name in names if is_picture(name)}
        listed = [name for name in legend.labels if name in paths]
        if not listed:
            raise DataError(f"{path}: none of the {len(legend.labels):,} pictures of its {_LEGEND} is in it")
        faces = find_faces([paths[name] for name in listed], reader, progress)
    left_out = {**legend.left_out, "not there": [name for name in legend.labels if name not in paths]}
    for name, face in zip(listed, faces, strict=True):
        if isinstance(face, str):
            left_out.setdefault(face if face == NO_FACE else "cannot be read", []).append(name)
    kept = [(name, face.pixels) for name, face in zip(listed, faces, strict=True) if not isinstance(face, str)]
    labels = [EXPRESSIONS.index(legend.labels[name]) for name, _ in kept]
    return FaceSet(
        name="muxspace",
        images=np.stack([pixels for _, pixels in kept])[:, None],
        labels=np.array(labels, dtype=np.int64),
        classes=EXPRESSIONS,
        ids=tuple(escape_name(name) for name, _ in kept),
        subjects=tuple(parse_subject(name) for name, _ in kept),
    ), {reason: names for reason, names in left_out.items() if names}


def read_legend(content: bytes, title: str) -> Legend:
    """The labels in a legend's csv text (columns image and emotion). Raises DataError where it is none."""
    try:
        table = csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline=""))
        rows = [(row["image"].strip(), canonical(row["emotion"])) for row in table]
    except (UnicodeDecodeError, csv.Error, KeyError, AttributeError) as error:
        raise DataError(f"{title}: not the repository's legend (columns image and emotion needed)") from error
    counts = Counter(dict.fromkeys(rows, 1))
    said = Counter(name for name, _ in counts)
    labels: dict[str, str] = {}
    left_out: dict[str, list[str]] = {"listed with two labels": [name for name, times in said.items() if times > 1]}
    for name, label in counts:
        if said[name] > 1:
            continue
        if label in EXPRESSIONS:
            labels[name] = label
        else:
            left_out.setdefault(f"labelled {label or 'with nothing'}", []).append(name)
    return Legend(labels, left_out)


def parse_subject(name: str) -> str:
    """The person that a picture's file name names, '' where it names nobody."""
    match = _NAME.fullmatch(PurePosixPath(name).stem)
    return match["person"] if match else ""


def find_muxspace(root: Path) -> Path:
    """Where the repository lies below a data root. Raises DataError where it does not."""
    path = next((root / path for path in _PATHS if (root / path).exists()), None)
    if path is None:
        raise DataError(
            f"no muxspace pictures in {root.absolute()} (looked for {', '.join(_PATHS)}): say where they lie with "
            f"--muxspace PATH. Get it from: {SOURCE}"
        )
    return path


SETS.register("muxspace")(
    DataSet(
        summary="13,682 photographs of heads, many of known people, seven expressions; MTCNN finds the faces",
        source=SOURCE,
        layout="muxspace/ or facial_expressions/ with data/legend.csv and images/, or a zip archive of it",
        terms="the repository's are Apache-2.0; the pictures' rights lie with their owners: for research, not to be "
        "passed on",
        load=load_muxspace,
        sniff=holds_muxspace,
        paths=_PATHS,
        accepts_folder=holds_muxspace,
    )
)
