"""FER+ (Barsoum et al. 2016, arXiv 1608.01041): ten people's votes on every face of FER2013."""

import csv
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fercli.core.errors import DataError
from fercli.core.labels import EXPRESSIONS
from fercli.data.faceset import FaceSet

#: What the votes' file is called, below the data root or beside FER2013's.
PLACES = ("fer2013new.csv", "fer2013/fer2013new.csv", "ferplus/fer2013new.csv", "FERPlus/fer2013new.csv")
SOURCE = "microsoft/FERPlus on GitHub (fer2013new.csv)"

#: The file's columns in the project's order of classes, contempt last.
_CLASS_COLUMNS = ("anger", "disgust", "fear", "happiness", "sadness", "surprise", "neutral", "contempt")
_OTHER_COLUMNS = ("unknown", "NF")
#: Right votes agree with FER2013's labels on about 63 faces in 100, votes of other rows on about 17.
_LEAST_AGREEMENT = 0.4
#: Faces that are looked at together: half as many say too little.
_STRETCH = 500


@dataclass(frozen=True)
class _Votes:
    """Votes [N, 10]: the eight classes, unknown, not a face; and the usage of each row."""

    counts: NDArray[np.int64]
    usages: list[str]


def with_votes(faces: FaceSet, path: Path, *, soft: bool, keep_contempt: bool) -> FaceSet:
    """FER2013 with the labels that FER+'s votes give: for each face the class with most of the ten votes.

    Faces on which classes tie, or whose most votes say unknown, not a face, or (unless kept) contempt, are left out
    and counted in a note. With `soft` the remaining votes' shares are the targets of training.

    `faces` are those of a FER2013 csv file, all rows of at least one usage in their order. Raises DataError where
    they are not, where the votes cannot be read, or where they do not belong to these rows.
    """
    votes = _aligned(faces, _read(path), path)
    classes = (*EXPRESSIONS, "contempt") if keep_contempt else EXPRESSIONS
    winner, tied = _winners(votes)
    kept = ~tied & (winner < len(classes))
    _check_agreement(faces.labels[kept], winner[kept], path)
    left_out = {
        "ties": tied,
        "contempt": ~tied & (winner == 7) & (not keep_contempt),
        "unknown": ~tied & (winner == 8),
        "not a face": ~tied & (winner == 9),
    }
    counts = ", ".join(f"{name} {int(chosen.sum()):,}" for name, chosen in left_out.items() if chosen.any())
    chosen = faces.select(kept).relabel(winner[kept].astype(np.int64), classes)
    shares = votes[kept, : len(classes)].astype(np.float32)
    agreement = float((faces.labels[kept] == winner[kept]).mean()) if kept.any() else 0.0
    return replace(
        chosen,
        name=f"{faces.name}+ferplus{'-soft' if soft else ''}",
        targets=shares / shares.sum(axis=1, keepdims=True) if soft else None,
        notes=(
            *faces.notes,
            f"labels are the majority of FER+'s ten votes, the same as FER2013's for {agreement:.1%} of faces",
            f"left out {int((~kept).sum()):,} of {len(faces):,} faces: {counts}",
        ),
    )


def with_mixed_votes(faces: FaceSet, path: Path) -> FaceSet:
    """FER2013 with its own labels, and targets of training that are half the label, half FER+'s votes: their shares
    among the seven classes, where there are any.

    Every face stays. `faces` and errors as for `with_votes`.
    """
    votes = _aligned(faces, _read(path), path)
    winner, tied = _winners(votes)
    sure = ~tied & (winner < len(EXPRESSIONS))
    _check_agreement(faces.labels[sure], winner[sure], path)
    labels = np.eye(len(EXPRESSIONS), dtype=np.float32)[faces.labels]
    shares = votes[:, : len(EXPRESSIONS)].astype(np.float32)
    total = shares.sum(axis=1, keepdims=True)
    targets = np.where(total > 0, (labels + shares / np.maximum(total, 1)) / 2, labels)
    note = f"targets are half FER2013's label and half FER+'s votes, which {int((total == 0).sum()):,} faces lack"
    return replace(faces, name=f"{faces.name}+ferplus-mixed", targets=targets, notes=(*faces.notes, note))


def check_rows(faces: FaceSet) -> None:
    """Raise DataError unless the faces are rows of FER2013's csv file, by which votes go."""
    usages = [face.partition("_")[0] for face in faces.ids]
    if any(face != f"{usage}_{row}" for row, (face, usage) in enumerate(zip(faces.ids, usages, strict=True))):
        raise DataError(
            f"--labels goes by the rows of FER2013's csv file, and {faces.name} here is something else: give "
            "fer2013.csv or icml_face_data.csv"
        )


def find_votes(root: Path, beside: Path | None = None) -> Path:
    """The votes' file below a data root, or beside FER2013's own. Raises DataError where it is not there."""
    folders = [root, *([beside if beside.is_dir() else beside.parent] if beside else [])]
    for folder in folders:
        for place in PLACES:
            if (folder / place).is_file():
                return folder / place
    raise DataError(
        f"no FER+ votes in {' or '.join(dict.fromkeys(str(folder.absolute()) for folder in folders))}: fer2013new.csv "
        f"is looked for there, in fer2013/ and in ferplus/. To be had from: {SOURCE}"
    )


def _read(path: Path) -> _Votes:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            table = csv.DictReader(file)
            absent = [
                name for name in ("Usage", *_CLASS_COLUMNS, *_OTHER_COLUMNS) if name not in (table.fieldnames or ())
            ]
            if absent:
                raise DataError(f"{path}: no column {', '.join(absent)}: is it FER+'s fer2013new.csv?")
            rows = list(table)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"cannot read {path}: {error}") from error
    counts = np.zeros((len(rows), len(_CLASS_COLUMNS) + len(_OTHER_COLUMNS)), np.int64)
    for number, row in enumerate(rows):
        try:
            counts[number] = [int(row[name]) for name in (*_CLASS_COLUMNS, *_OTHER_COLUMNS)]
        except (TypeError, ValueError):
            raise DataError(f"{path}, row {number + 1}: votes must be whole numbers; is the file cut off?") from None
    return _Votes(counts, [row["Usage"] for row in rows])


def _aligned(faces: FaceSet, votes: _Votes, path: Path) -> NDArray[np.int64]:
    """Each face's votes [N, 10], by row; rows of usages that the faces do not have are passed over."""
    check_rows(faces)
    usages = [face.partition("_")[0] for face in faces.ids]
    present = set(usages)
    chosen = [row for row, usage in enumerate(votes.usages) if usage in present]
    if [votes.usages[row] for row in chosen] != usages:
        raise DataError(
            f"{path} has {len(chosen):,} rows for the usages of {faces.name}, which has {len(faces):,}, or has them in "
            "another order: the votes do not belong to these faces"
        )
    return votes.counts[chosen]


def _winners(votes: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """The column with most votes of each row [N], and whether another one has as many [N]."""
    return votes.argmax(axis=1), (votes == votes.max(axis=1, keepdims=True)).sum(axis=1) > 1


def _check_agreement(labels: NDArray[np.int64], winners: NDArray[np.int64], path: Path) -> None:
    """Raise DataError where votes and labels agree no better than chance in some stretch of rows: they are moved."""
    same = labels == winners
    stretches = np.array_split(same, max(1, len(same) // _STRETCH))
    worst = min((float(stretch.mean()) for stretch in stretches if len(stretch) >= _STRETCH // 2), default=1.0)
    if worst < _LEAST_AGREEMENT:
        raise DataError(
            f"{path} agrees with FER2013's labels on {worst:.0%} of some {_STRETCH} faces, where the right rows do on "
            "about 63 %: rows are missing or moved, the votes do not belong to these faces"
        )
