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

from fercli.core.errors import DataError, reason_of
from fercli.core.files import write_text
from fercli.core.labels import SPLITS
from fercli.data.faceset import FaceSet

#: What must not fall apart: 'subject' keeps a person's faces together, 'image' nothing, 'auto' persons where they
#: are known.
Group = Literal["auto", "subject", "image"]

#: The fraction of train that becomes val in a set that comes with a split but without val.
VAL_OF_TRAIN = 0.1

#: An extra set of training faces is split by this seed whatever the run's is, so that its test split is the same for
#: every network.
EXTRA_SEED = 0

#: How an extra set without a split of its own is split (see `split_extra`): runs and weights record it.
EXTRA_RULE = 2
_EXTRA_TEST = 0.2


def assign_splits(
    faces: FaceSet,
    seed: int,
    *,
    group: Group = "auto",
    val_fraction: float | None = None,
) -> NDArray[np.str_]:
    """The split of each face [N]: 'train', 'val', 'test' or 'spare'.

    A set's own splits stand; where it has no val, a tenth of its train becomes it. A set without splits is split by
    its `fractions`. `val_fraction` takes that fraction of train as val even from a set with a val of its own, which is
    then 'spare'.

    All draws are stratified by class, and by person as `group` says; the only face of a person, or one without a
    subject ID, is drawn alone. Without persons every class of at least three faces is in every split.

    Raises DataError where persons are asked for and not known, or too few for the fractions.
    """
    subjects = _keep_together(faces, group)
    if faces.splits is None:
        val, test = faces.fractions
        splits = np.full(len(faces), "train", dtype="<U5")
        splits[_draw(faces, splits == "train", test, seed, subjects)] = "test"
        fraction = val / (1 - test) if val_fraction is None else val_fraction
    else:
        splits = faces.splits.astype("<U5")
        if val_fraction is None and "val" in splits:
            return splits
        splits[splits == "val"] = "spare"
        fraction = VAL_OF_TRAIN if val_fraction is None else val_fraction
    splits[_draw(faces, splits == "train", fraction, seed, subjects)] = "val"
    return splits


def split_extra(faces: FaceSet, rule: int = EXTRA_RULE) -> NDArray[np.str_]:
    """The split of each face [N] of a set that gives extra training faces.

    By rule 1 it is split as any other; the networks that ship were long chosen by what it held out. So by rule 2 that
    validates, and a fifth of what rule 1 trained on, people whole, is the test split.
    """
    splits = assign_splits(faces, EXTRA_SEED)
    if rule == 1 or faces.splits is not None:
        return splits
    train = splits == "train"
    splits[~train] = "val"
    splits[_draw(faces, train, _EXTRA_TEST, EXTRA_SEED + 1, _keep_together(faces, "auto"))] = "test"
    return splits


def _keep_together(faces: FaceSet, group: Group) -> NDArray[np.str_] | None:
    """The subject of each face [N], where the faces of a subject are to stay together."""
    if group == "subject" and faces.subjects is None:
        raise DataError(f"{faces.name} has no subject IDs: use --group image, which splits by image")
    if group == "image" or faces.subjects is None:
        return None
    return np.array(faces.subjects)


def _draw(
    faces: FaceSet, among: NDArray[np.bool_], fraction: float, seed: int, subjects: NDArray[np.str_] | None
) -> NDArray[np.bool_]:
    """Which faces [N] are drawn when about this `fraction` of those `among` is, stratified by class."""
    drawn = np.zeros(len(faces), dtype=np.bool_)
    if fraction == 0:
        return drawn
    # in the order of their ids, so that the order of the set has no say
    members = np.array(sorted(np.flatnonzero(among), key=lambda face: faces.ids[face]), dtype=np.int64)
    grouped = np.zeros(len(members), dtype=np.bool_) if subjects is None else _find_grouped(subjects[members])
    if subjects is not None and grouped.any():
        drawn[_draw_subjects(faces, members[grouped], fraction, seed, subjects)] = True
    if len(others := members[~grouped]):
        ranks = [_rank(seed, faces.ids[face]) for face in others]
        drawn[_draw_images(others, faces.labels[others], ranks, fraction)] = True
    return drawn


def _find_grouped(subjects: NDArray[np.str_]) -> NDArray[np.bool_]:
    """Which faces [N] have to stay with others: those whose subject is known and has two faces or more."""
    _, subject, counts = np.unique(subjects, return_inverse=True, return_counts=True)
    grouped: NDArray[np.bool_] = (subjects != "") & (counts[subject] > 1)
    return grouped


def _draw_images(
    members: NDArray[np.int64], labels: NDArray[np.int64], ranks: list[bytes], fraction: float
) -> NDArray[np.int64]:
    """Of each class the lowest ranks, the nearest number to the fraction; at least one and never the last one."""
    order = np.array(sorted(range(len(members)), key=ranks.__getitem__))
    chosen = []
    for label in np.unique(labels):
        of_class = members[order[labels[order] == label]]
        count = min(max(1, int(len(of_class) * fraction + 0.5)), len(of_class) - 1)
        chosen.append(of_class[:count])
    return np.concatenate(chosen)


def _rank(seed: int, face: str) -> bytes:
    """A draw for each face by a hash: no other face and no version of a library changes it."""
    return hashlib.sha256(f"{seed}\n{face}".encode()).digest()


def _draw_subjects(
    faces: FaceSet, members: NDArray[np.int64], fraction: float, seed: int, subjects: NDArray[np.str_]
) -> NDArray[np.int64]:
    """About the fraction asked for, as whole folds of at most twenty, subjects whole and classes as even as that
    allows."""
    from sklearn.model_selection import StratifiedGroupKFold

    wanted = Fraction(min(fraction, 0.95)).limit_denominator(20)
    taken, folds = max(wanted.numerator, 1), wanted.denominator if wanted else 20
    count = len(set(subjects[members]))
    if count < folds:
        raise DataError(
            f"{count} persons in {faces.name} are too few to keep {taken}/{folds} of them apart: use --group image, "
            "which splits by image"
        )
    with warnings.catch_warnings():
        # it warns of classes with fewer faces than folds, and cannot be told that this is no matter
        warnings.simplefilter("ignore", UserWarning)
        splitter = StratifiedGroupKFold(folds, shuffle=True, random_state=seed % 2**32)
        try:
            drawn = [fold for _, fold in splitter.split(members, faces.labels[members], subjects[members])]
        except ValueError as error:
            raise DataError(f"{faces.name} cannot be split by person ({error}): use --group image") from error
    result: NDArray[np.int64] = members[np.concatenate(drawn[:taken])]
    return result


def split_digest(faces: FaceSet, splits: NDArray[np.str_]) -> str:
    """A SHA-256 by which two splits of the same faces can be told to be the same, whatever their order."""
    rows = sorted(f"{face}\t{split}" for face, split in zip(faces.ids, splits.tolist(), strict=True))
    return hashlib.sha256("\n".join(rows).encode()).hexdigest()


def write_split(path: Path, faces: FaceSet, splits: NDArray[np.str_]) -> None:
    """Write a split as csv with the columns id, label (the class's name) and part."""
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(("id", "label", "part"))
    names = (faces.classes[label] for label in faces.labels)
    rows.writerows(zip(faces.ids, names, splits.tolist(), strict=True))
    write_text(path, text.getvalue())


def read_split(path: Path, faces: FaceSet) -> NDArray[np.str_]:
    """The splits [N] of a set's faces as a file of `write_split` has them, in the set's order.

    Raises DataError where the file cannot be read or is of other faces or labels.
    """
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = {row["id"]: (row["label"], row["part"]) for row in csv.DictReader(file)}
    except (OSError, UnicodeDecodeError, csv.Error, KeyError) as error:
        raise DataError(f"{path} cannot be read as a split: {reason_of(error)}") from error
    splits = []
    for face, label in zip(faces.ids, faces.labels, strict=True):
        name, split = rows.get(face, ("", ""))
        if name != faces.classes[label] or split not in (*SPLITS, "spare", "dropped"):
            raise DataError(
                f"{path} was made for other data than {faces.name}: it has no {face} labelled {faces.classes[label]}"
            )
        splits.append(split)
    if len(rows) > len(splits):
        raise DataError(f"{path} was made for other data than {faces.name}: {len(rows)} faces, not {len(splits)}")
    return np.array(splits, dtype="<U7")
