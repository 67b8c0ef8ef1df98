"""Which face is for training, for validation, for testing: the same for the same seed, whatever their order."""

import csv
import hashlib
import io
import warnings
from fractions import Fraction
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from fercli.core.errors import DataError
from fercli.core.files import write_text
from fercli.data.faceset import FaceSet

#: What must not fall apart: 'subject' keeps a person's faces together, 'image' nothing, 'auto' persons where they
#: are known.
Group = Literal["auto", "subject", "image"]

#: The share of train that becomes val in a set that comes with a split but without val.
VAL_OF_TRAIN = 0.1


def split(
    faces: FaceSet,
    seed: int,
    *,
    group: Group = "auto",
    val_fraction: float | None = None,
) -> NDArray[np.str_]:
    """The part of each face [N]: 'train', 'val', 'test' or 'spare'.

    A set's own parts stand; where it has no val, a tenth of its train becomes it. A set without parts is split by
    its `shares`. `val_fraction` takes that share of train as val even from a set with a val of its own, which is
    then 'spare'.

    All draws are stratified by class, and by person as `group` says; the only face of somebody, or one of nobody
    known, is drawn alone. Without persons every class of at least three faces is in every part.

    Raises DataError where persons are asked for and not known, or too few for the shares.
    """
    together = _persons(faces, group)
    if faces.parts is None:
        val, test = faces.shares
        parts = np.full(len(faces), "train", dtype="<U5")
        parts[_drawn(faces, parts == "train", test, seed, together)] = "test"
        share = val / (1 - test) if val_fraction is None else val_fraction
    else:
        parts = faces.parts.astype("<U5")
        if val_fraction is None and "val" in parts:
            return parts
        parts[parts == "val"] = "spare"
        share = VAL_OF_TRAIN if val_fraction is None else val_fraction
    parts[_drawn(faces, parts == "train", share, seed, together)] = "val"
    return parts


def _persons(faces: FaceSet, group: Group) -> NDArray[np.str_] | None:
    """Who each face is of, where persons are to stay together."""
    if group == "subject" and faces.subjects is None:
        raise DataError(f"it is not known who is who in {faces.name}: use --group image, which splits by image")
    if group == "image" or faces.subjects is None:
        return None
    return np.array(faces.subjects)


def _drawn(
    faces: FaceSet, among: NDArray[np.bool_], share: float, seed: int, persons: NDArray[np.str_] | None
) -> NDArray[np.bool_]:
    """Which faces [N] are drawn when about `share` of those `among` are, stratified by class."""
    drawn = np.zeros(len(faces), dtype=np.bool_)
    if share == 0:
        return drawn
    # in the order of their ids, so that the order of the set has no say
    members = np.array(sorted(np.flatnonzero(among), key=lambda face: faces.ids[face]), dtype=np.int64)
    together = np.zeros(len(members), dtype=np.bool_) if persons is None else _together(persons[members])
    if persons is not None and together.any():
        drawn[_drawn_persons(faces, members[together], share, seed, persons)] = True
    if len(others := members[~together]):
        ranks = [_rank(seed, faces.ids[face]) for face in others]
        drawn[_drawn_images(others, faces.labels[others], ranks, share)] = True
    return drawn


def _together(persons: NDArray[np.str_]) -> NDArray[np.bool_]:
    """Which faces [N] have to stay with others: those of a person known, with two faces or more."""
    _, person, counts = np.unique(persons, return_inverse=True, return_counts=True)
    together: NDArray[np.bool_] = (persons != "") & (counts[person] > 1)
    return together


def _drawn_images(
    members: NDArray[np.int64], labels: NDArray[np.int64], ranks: list[bytes], share: float
) -> NDArray[np.int64]:
    """Of each class the lowest ranks, the nearest number to its share; at least one and never the last one."""
    order = np.array(sorted(range(len(members)), key=ranks.__getitem__))
    chosen = []
    for label in np.unique(labels):
        of_class = members[order[labels[order] == label]]
        count = min(max(1, int(len(of_class) * share + 0.5)), len(of_class) - 1)
        chosen.append(of_class[:count])
    return np.concatenate(chosen)


def _rank(seed: int, face: str) -> bytes:
    """A draw for each face by a hash: no other face and no version of a library changes it."""
    return hashlib.sha256(f"{seed}\n{face}".encode()).digest()


def _drawn_persons(
    faces: FaceSet, members: NDArray[np.int64], share: float, seed: int, persons: NDArray[np.str_]
) -> NDArray[np.int64]:
    """About the share asked for, as whole folds of at most twenty, persons whole and classes as even as that
    allows."""
    from sklearn.model_selection import StratifiedGroupKFold

    part = Fraction(min(share, 0.95)).limit_denominator(20)
    taken, folds = max(part.numerator, 1), part.denominator if part else 20
    count = len(set(persons[members]))
    if count < folds:
        raise DataError(
            f"{count} persons in {faces.name} are too few to keep {taken}/{folds} of them apart: use --group image, "
            "which splits by image"
        )
    with warnings.catch_warnings():
        # it warns of classes with fewer faces than folds, and cannot be told that this is no matter
        warnings.simplefilter("ignore", UserWarning)
        drawn = StratifiedGroupKFold(folds, shuffle=True, random_state=seed % 2**32)
        try:
            chosen = [fold for _, fold in drawn.split(members, faces.labels[members], persons[members])]
        except ValueError as error:
            raise DataError(f"{faces.name} cannot be split by person ({error}): use --group image") from error
    result: NDArray[np.int64] = members[np.concatenate(chosen[:taken])]
    return result


def split_digest(faces: FaceSet, parts: NDArray[np.str_]) -> str:
    """A SHA-256 by which two splits of the same faces can be told to be the same, whatever their order."""
    rows = sorted(f"{face}\t{part}" for face, part in zip(faces.ids, parts.tolist(), strict=True))
    return hashlib.sha256("\n".join(rows).encode()).hexdigest()


def write_split(path: Path, faces: FaceSet, parts: NDArray[np.str_]) -> None:
    """Write a split as csv with the columns id, label (the class's name) and part."""
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(("id", "label", "part"))
    names = (faces.classes[label] for label in faces.labels)
    rows.writerows(zip(faces.ids, names, parts.tolist(), strict=True))
    write_text(path, text.getvalue())


def read_split(path: Path, faces: FaceSet) -> NDArray[np.str_]:
    """The parts [N] of a set's faces as a file of `write_split` has them, in the set's order.

    Raises DataError where the file cannot be read or is of other faces or labels.
    """
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = {row["id"]: (row["label"], row["part"]) for row in csv.DictReader(file)}
    except (OSError, UnicodeDecodeError, csv.Error, KeyError) as error:
        raise DataError(f"{path} cannot be read as a split: {error}") from error
    parts = []
    for face, label in zip(faces.ids, faces.labels, strict=True):
        name, part = rows.get(face, ("", ""))
        if name != faces.classes[label] or part not in ("train", "val", "test", "spare", "dropped"):
            raise DataError(
                f"{path} was made for other data than {faces.name}: it has no {face} labelled {faces.classes[label]}"
            )
        parts.append(part)
    if len(rows) > len(parts):
        raise DataError(f"{path} was made for other data than {faces.name}: {len(rows)} faces, not {len(parts)}")
    return np.array(parts, dtype="<U7")
