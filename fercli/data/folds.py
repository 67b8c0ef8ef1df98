"""Groups of a cross-validation: even in every class, persons whole where asked, the same for the same seed."""

import hashlib
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from fercli.core.errors import DataError
from fercli.data.faceset import FaceSet

#: What must not fall apart: 'subject' keeps a person's faces in one group, 'image' nothing.
Grouping = Literal["image", "subject"]

#: One group to train with, one to validate, one to test.
FEWEST = 3


def assign_groups(faces: FaceSet, folds: int, seed: int, grouping: Grouping) -> NDArray[np.int64]:
    """The group of each face [N], 0 to folds - 1, drawn from the seed and the faces' ids: their order has no say.

    By image a class' faces are spread so that no two groups differ by more than one of them, nor by more than one
    face altogether. By subject the groups are as even as whole persons allow; a face without a subject ID is a
    person of its own.

    Raises DataError for fewer than three folds, for more than there are faces of the rarest class or persons who
    show it, where a class would be missing from a group, and for persons that are not known.
    """
    _check(faces, folds)
    # by id, so that the order of the set has no say; by hash, so that no other face and no library changes a draw
    members = np.array(sorted(range(len(faces)), key=lambda face: _rank(seed, faces.ids[face])), dtype=np.int64)
    if grouping == "image":
        return _deal_images(faces, folds, members)
    return _deal_subjects(faces, folds, seed)


def assign_fold_splits(groups: NDArray[np.int64], fold: int, folds: int) -> NDArray[np.str_]:
    """The split of each face [N] in a fold, from 0 on: its group tests, the next one validates, the others train.

    Source: the reading of Li & Lima 2021 that this project takes.
    """
    splits = np.full(len(groups), "train", dtype="<U5")
    splits[groups == (fold + 1) % folds] = "val"
    splits[groups == fold] = "test"
    return splits


def count_subjects(faces: FaceSet) -> int:
    """How many persons the faces are of, each face without a subject ID being one; 0 where no person is known."""
    if faces.subjects is None or not any(faces.subjects):
        return 0
    return len(set(_list_subjects(faces)))


def _list_subjects(faces: FaceSet) -> list[str]:
    """The subject of each face; one without has a subject of its own: its id, behind a character that begins no
    subject's."""
    subjects = faces.subjects or ("",) * len(faces)
    return [subject or f"\0{face}" for subject, face in zip(subjects, faces.ids, strict=True)]


def _rank(seed: int, name: str) -> bytes:
    return hashlib.sha256(f"fold {seed}\n{name}".encode()).digest()


def _check(faces: FaceSet, folds: int) -> None:
    if folds < FEWEST:
        raise DataError(f"--folds {folds} are too few: one trains, one validates, one tests, so take 3 or more")
    counts = np.bincount(faces.labels, minlength=len(faces.classes))
    there = np.flatnonzero(counts)
    if not len(there):
        raise DataError(f"{faces.name} has no faces to deal out")
    rarest = there[counts[there].argmin()]
    if counts[rarest] < folds:
        raise DataError(
            f"--folds {folds}: {faces.name} has only {counts[rarest]} faces of {faces.classes[rarest]}, its rarest "
            f"class; {_suggest_folds(int(counts[rarest]))}"
        )


def _suggest_folds(folds: int) -> str:
    return f"take --folds {folds} or fewer" if folds >= FEWEST else "too few for any cross-validation"


def _deal_images(faces: FaceSet, folds: int, members: NDArray[np.int64]) -> NDArray[np.int64]:
    """Faces dealt out class by class, each class going on where the one before it ended."""
    groups = np.empty(len(faces), dtype=np.int64)
    dealt = members[np.argsort(faces.labels[members], kind="stable")]
    groups[dealt] = np.arange(len(dealt)) % folds
    return groups


def _deal_subjects(faces: FaceSet, folds: int, seed: int) -> NDArray[np.int64]:
    """Persons dealt out whole."""
    if not count_subjects(faces):
        raise DataError(f"{faces.name} has no subject IDs: use --group image, which deals out by image")
    names = _list_subjects(faces)
    persons = sorted(set(names), key=lambda name: _rank(seed, name))
    index = {name: position for position, name in enumerate(persons)}
    person = np.array([index[name] for name in names], dtype=np.int64)
    counts = np.zeros((len(persons), len(faces.classes)), dtype=np.int64)
    np.add.at(counts, (person, faces.labels), 1)
    _check_subjects(faces, folds, counts)
    groups = _deal(counts, folds)
    if missing := _fill_gaps(groups, counts, folds):
        names_missing = ", ".join(faces.classes[label] for label in missing)
        raise DataError(
            f"--folds {folds}: {faces.name} cannot be dealt out by person so that every group has {names_missing}; "
            "take fewer --folds, or --group image"
        )
    return groups[person]


def _check_subjects(faces: FaceSet, folds: int, counts: NDArray[np.int64]) -> None:
    if len(counts) < folds:
        raise DataError(f"--folds {folds}: {faces.name} has only {len(counts)} persons; {_suggest_folds(len(counts))}")
    showing = (counts > 0).sum(axis=0)
    there = np.flatnonzero(showing)
    rarest = there[showing[there].argmin()]
    if showing[rarest] < folds:
        raise DataError(
            f"--folds {folds}: only {showing[rarest]} persons in {faces.name} show {faces.classes[rarest]}, so it "
            f"would be missing from a group; {_suggest_folds(int(showing[rarest]))}, or --group image"
        )


def _deal(counts: NDArray[np.int64], folds: int) -> NDArray[np.int64]:
    """The group of each person, given their faces of each class [P, C], in the order in which ties are settled.

    Those with most to give come first, each to the group that then is the least uneven: with fractions of the classes
    as the measure, least Σ fraction² is least Σ fraction(group) · fraction(person). scikit-learn's
    StratifiedGroupKFold does the same by trial, which takes minutes for thousands of persons, and may leave a class
    out of a group.
    """
    fractions = counts / np.maximum(counts.sum(axis=0), 1)
    filled, faces = np.zeros((folds, counts.shape[1])), np.zeros(folds, dtype=np.int64)
    groups = np.empty(len(counts), dtype=np.int64)
    for person in np.argsort(-fractions.sum(axis=1), kind="stable"):
        uneven = np.round(filled @ fractions[person], 12)
        group = np.lexsort((faces, uneven))[0]
        groups[person] = group
        filled[group] += fractions[person]
        faces[group] += counts[person].sum()
    return groups


def _fill_gaps(groups: NDArray[np.int64], counts: NDArray[np.int64], folds: int) -> list[int]:
    """Move persons, in place, to groups that lack a class; the classes that still miss somewhere."""
    shows, present = counts > 0, np.flatnonzero(counts.any(axis=0))
    while True:
        holders = np.array([shows[groups == group].sum(axis=0) for group in range(folds)])
        gaps = [(group, label) for label in present for group in range(folds) if not holders[group, label]]
        if not gaps:
            return []
        for group, label in gaps:
            # nobody may leave a group without a class that it has
            free = [
                person
                for person in np.flatnonzero(shows[:, label])
                if (holders[groups[person]] - shows[person] > 0)[holders[groups[person]] > 0].all()
            ]
            if free:
                groups[min(free, key=lambda person: counts[person].sum())] = group
                break
        else:
            return sorted({int(label) for _, label in gaps})
