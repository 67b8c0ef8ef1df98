"""FER+ (Barsoum et al. 2016, arXiv 1608.01041): ten people's votes on every face of FER2013."""

import csv
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from fercli.core.config import LoadOptions
from fercli.core.errors import DataError, UsageError
from fercli.core.labels import EXPRESSIONS
from fercli.data.faceset import FaceSet

#: What the votes' file is called, below the data root or beside FER2013's.
_PATHS = ("fer2013new.csv", "fer2013/fer2013new.csv", "ferplus/fer2013new.csv", "FERPlus/fer2013new.csv")
SOURCE = "microsoft/FERPlus on GitHub (fer2013new.csv)"

#: The file's columns in the project's order of classes, contempt last.
_CLASS_COLUMNS = ("anger", "disgust", "fear", "happiness", "sadness", "surprise", "neutral", "contempt")
_OTHER_COLUMNS = ("unknown", "NF")
#: How labels follow from votes, with the line that a user reads of it; `apply_votes` has the details.
Rule = Literal["ferplus", "ferplus-plurality", "ferplus-soft"]
_RULES: dict[Rule, str] = {
    "ferplus": "labels are FER+'s majority: more than half of the votes, single ones dropped",
    "ferplus-plurality": "labels are the classes with most of FER+'s ten votes",
    "ferplus-soft": "training aims at the fractions of FER+'s votes, single ones dropped; labels are the classes with "
    "most, in val and test FER+'s majority",
}
#: Right votes agree with FER2013's labels on about 66 faces in 100, votes of other rows on about 17.
_MIN_AGREEMENT = 0.4
#: Faces that are looked at together: half as many say too little.
_WINDOW = 500


@dataclass(frozen=True)
class _Votes:
    """Votes [N, 10]: the eight classes, unknown, not a face; and the usage of each row."""

    counts: NDArray[np.int64]
    usages: list[str]


def check_label_options(options: LoadOptions) -> None:
    """Raise UsageError for labels and classes that do not go together."""
    if options.keep_contempt and options.labels in ("own", "ferplus-mixed"):
        raise UsageError(
            "--keep-contempt goes with --labels ferplus, ferplus-plurality or ferplus-soft alone: leave it out"
        )


def relabel(faces: FaceSet, options: LoadOptions, root: Path, beside: Path) -> FaceSet:
    """The set with the labels that `--labels` asks for; the votes lie below the data root, or `beside` the set.

    Raises DataError where the votes are not there or do not belong to these faces.
    """
    if options.labels == "own":
        return faces
    check_rows(faces)
    votes = find_votes(root, beside)
    if options.labels == "ferplus-mixed":
        return apply_mixed_votes(faces, votes)
    return apply_votes(faces, votes, options.labels, keep_contempt=options.keep_contempt)


def apply_votes(faces: FaceSet, path: Path, rule: Rule, *, keep_contempt: bool) -> FaceSet:
    """FER2013 with the labels that FER+'s votes give; faces without one are left out and counted in a note.

    - `ferplus` is the majority of FER+'s authors, as their code has it (github.com/microsoft/FERPlus, src/ferplus.py,
      mode 'majority'): a single vote for a class is an outlier and dropped, and the label is what then has more than
      half of the votes. All ten columns count, 'unknown' and 'not a face' too, and contempt whether it is kept or
      not. With contempt this keeps their 25,060 faces of Training and 3,199 of PublicTest; without, 24,941 and 3,186.
    - `ferplus-plurality` takes the class with most of the ten votes, be they less than half; ties are left out.
    - `ferplus-soft` has votes as targets, as the authors' mode 'crossentropy' has: single ones are dropped, and the
      fractions of the classes in the others are the target. In Training the class with most votes is the label, for the
      target tells how sure it is; ties are left out, since nothing says which label they should have. PublicTest and
      PrivateTest have the faces and labels of `ferplus`: the authors, too, validate and test every mode on these.
      Their code also keeps ties, takes only the classes with most votes that make up three quarters (three at most)
      into the target, and leaves out faces on which these have no more than half. Here every class that two people
      chose is in the target.

    Faces whose label would be unknown, not a face or (unless kept) contempt are left out in each.

    `faces` are those of a FER2013 csv file, all rows of at least one usage in their order. Raises DataError where
    they are not, where the votes cannot be read, or where they do not belong to these rows.
    """
    votes = _align(faces, _read_votes(path), path)
    if rule != "ferplus-plurality":
        votes = np.where(votes > 1, votes, 0)
    classes = (*EXPRESSIONS, "contempt") if keep_contempt else EXPRESSIONS
    left_out = _list_left_out(votes, _needs_majority(faces, rule), len(classes))
    kept = ~np.any(list(left_out.values()), axis=0)
    labels = votes[kept].argmax(axis=1).astype(np.int64)
    _check_agreement(faces.labels[kept], labels, path)
    agreement = float((faces.labels[kept] == labels).mean()) if kept.any() else 0.0
    counts = ", ".join(f"{name} {int(chosen.sum()):,}" for name, chosen in left_out.items() if chosen.any())
    fractions = votes[kept, : len(classes)].astype(np.float32)
    return replace(
        faces.select(kept).relabel(labels, classes),
        name=f"{faces.name}+{rule}",
        targets=fractions / fractions.sum(axis=1, keepdims=True) if rule == "ferplus-soft" else None,
        notes=(
            *faces.notes,
            f"{_RULES[rule]}; {agreement:.1%} of them are FER2013's too",
            f"left out {int((~kept).sum()):,} of {len(faces):,} faces: {counts}",
        ),
    )


def apply_mixed_votes(faces: FaceSet, path: Path) -> FaceSet:
    """FER2013 with its own labels, and targets of training that are half the label, half FER+'s votes: their fractions
    among the seven classes, where there are any.

    Every face stays. `faces` and errors as for `apply_votes`.
    """
    votes = _align(faces, _read_votes(path), path)
    winner, tied = _find_winners(votes)
    sure = ~tied & (winner < len(EXPRESSIONS))
    _check_agreement(faces.labels[sure], winner[sure], path)
    labels = np.eye(len(EXPRESSIONS), dtype=np.float32)[faces.labels]
    fractions = votes[:, : len(EXPRESSIONS)].astype(np.float32)
    total = fractions.sum(axis=1, keepdims=True)
    targets = np.where(total > 0, (labels + fractions / np.maximum(total, 1)) / 2, labels)
    note = f"targets are half FER2013's label and half FER+'s votes, which {int((total == 0).sum()):,} faces lack"
    return replace(faces, name=f"{faces.name}+ferplus-mixed", targets=targets, notes=(*faces.notes, note))


def hint_at_earlier_labels(faces: FaceSet, where: str) -> str:
    """What ends a message that a set is not the one of a training: which labels it may have had, and where to say so.

    '' where that cannot be the reason.
    """
    if not faces.name.endswith("+ferplus"):
        return ""
    return f"; if an earlier version trained it, its labels 'ferplus' are 'ferplus-plurality' now: say that in {where}"


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
        for path in _PATHS:
            if (folder / path).is_file():
                return folder / path
    raise DataError(
        f"no FER+ votes in {' or '.join(dict.fromkeys(str(folder.absolute()) for folder in folders))}: fer2013new.csv "
        f"is looked for there, in fer2013/ and in ferplus/. Get it from: {SOURCE}"
    )


def _read_votes(path: Path) -> _Votes:
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
        except (TypeError, ValueError, OverflowError):
            raise DataError(f"{path}, row {number + 1}: votes must be whole numbers; is the file cut off?") from None
        if (counts[number] < 0).any():
            raise DataError(f"{path}, row {number + 1}: there is a negative number of votes: get the file anew")
    return _Votes(counts, [row["Usage"] for row in rows])


def _align(faces: FaceSet, votes: _Votes, path: Path) -> NDArray[np.int64]:
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


def _needs_majority(faces: FaceSet, rule: Rule) -> NDArray[np.bool_]:
    """Which faces [N] need more than half of the votes for a label, where others need only most."""
    if rule != "ferplus-soft":
        return np.full(len(faces), rule == "ferplus")
    return np.array([not face.startswith("Training_") for face in faces.ids], dtype=np.bool_)


def _list_left_out(
    votes: NDArray[np.int64], by_majority: NDArray[np.bool_], classes: int
) -> dict[str, NDArray[np.bool_]]:
    """Which faces [N] get none of the first `classes` as their label, by reason."""
    winner, tied = _find_winners(votes)
    divided = by_majority & (2 * votes.max(axis=1) <= votes.sum(axis=1))
    tied &= ~by_majority
    decided = ~divided & ~tied
    return {
        "no majority": divided,
        "ties": tied,
        "contempt": decided & (winner == 7) & (classes == 7),
        "unknown": decided & (winner == 8),
        "not a face": decided & (winner == 9),
    }


def _find_winners(votes: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """The column with most votes of each row [N], and whether another one has as many [N]."""
    return votes.argmax(axis=1), (votes == votes.max(axis=1, keepdims=True)).sum(axis=1) > 1


def _check_agreement(labels: NDArray[np.int64], winners: NDArray[np.int64], path: Path) -> None:
    """Raise DataError where votes and labels agree no better than chance in some stretch of rows: they are moved."""
    same = labels == winners
    stretches = np.array_split(same, max(1, len(same) // _WINDOW))
    worst = min((float(stretch.mean()) for stretch in stretches if len(stretch) >= _WINDOW // 2), default=1.0)
    if worst < _MIN_AGREEMENT:
        raise DataError(
            f"{path} agrees with FER2013's labels on {worst:.0%} of some {_WINDOW} faces, where the right rows do on "
            "about 66 %: rows are missing or moved, the votes do not belong to these faces"
        )
