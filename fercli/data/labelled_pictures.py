"""A face set made of pictures, once it is known what each of them shows."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from fercli.core.errors import DataError
from fercli.core.labels import EXPRESSIONS, ordered
from fercli.core.progress import ProgressCallback, no_progress
from fercli.core.text import escape_name
from fercli.data.faceset import FaceSet
from fercli.data.pictures import NO_FACE, Face, find_faces, list_examples, read_crops
from fercli.data.sources import Reader

#: Pictures are taken for whole photographs when the median longer side is over this many pixels …
_LARGE = 256
#: … or when most are longer than wide, or wider than long, by more than this.
_OBLONG = 1.25


@dataclass(frozen=True)
class LabelledPicture:
    """A picture by its name in its source: the class it shows, and the subject and the split ('train', 'val' or
    'test') that it belongs to, '' where these are not known."""

    name: str
    label: str
    subject: str = ""
    split: str = ""


def read_labelled_pictures(
    path: Path,
    pictures: Sequence[LabelledPicture],
    reader: Reader,
    *,
    name: str | None = None,
    detect: bool = False,
    notes: Iterable[str] = (),
    progress: ProgressCallback = no_progress,
) -> FaceSet:
    """The face set of pictures in a folder or archive `path`, called `name` or as `path` is.

    Pictures are turned gray and, unless they are 48×48, squeezed to it; with `detect` they are photographs, and the
    largest face that MTCNN finds in each is taken. Ids are the pictures' names. When all labels are among the seven
    expressions, those are the classes; otherwise the labels found are. Subjects and splits are the set's where one
    picture has a subject and all have a split. What is left out or looks wrong is told in the notes, after `notes`.

    Raises DataError where no picture is there, can be read or has a face, and where all are of one class.
    """
    if not pictures:
        raise DataError(f"{path}: no pictures with a label in it")
    _list_classes(path, {picture.label for picture in pictures})  # before minutes are spent on looking for faces
    names = [picture.name for picture in pictures]
    faces = find_faces(names, reader, progress) if detect else read_crops(names, reader)
    faults = [(picture.name, fault) for picture, fault in zip(pictures, faces, strict=True) if isinstance(fault, str)]
    kept = [(picture, face) for picture, face in zip(pictures, faces, strict=True) if not isinstance(face, str)]
    if not kept and detect:
        raise DataError(f"{path}: no face in any of {len(pictures)} pictures; {faults[0][0]}: {faults[0][1]}")
    if not kept:
        raise DataError(f"{path}: none of {len(pictures)} pictures can be read; {faults[0][0]}: {faults[0][1]}")
    all_notes = [*notes, *_list_faults(faults), *([] if detect else _suspect_photographs(kept))]
    return _make_set(path, name or name_of(path), kept, all_notes)


def name_of(path: Path) -> str:
    """What a set is called by its folder or archive."""
    return escape_name(path.resolve().name if path.is_dir() else path.stem) or "folder"


def _make_set(path: Path, name: str, kept: list[tuple[LabelledPicture, Face]], notes: list[str]) -> FaceSet:
    labels = {picture.label for picture, _ in kept}
    classes = _list_classes(path, labels)
    if absent := [name for name in classes if name not in labels]:
        notes.append(f"there are no pictures of {', '.join(absent)}")
    splits = [picture.split for picture, _ in kept]
    subjects = tuple(picture.subject for picture, _ in kept)
    if any(subjects) and not all(subjects):
        notes.append(f"{subjects.count(''):,} of {len(kept):,} faces have no subject ID")
    return FaceSet(
        name=name,
        images=np.stack([face.pixels for _, face in kept])[:, None],
        labels=np.array([classes.index(picture.label) for picture, _ in kept], dtype=np.int64),
        classes=classes,
        ids=tuple(escape_name(picture.name) for picture, _ in kept),
        subjects=subjects if any(subjects) else None,
        parts=np.array(splits) if all(splits) else None,
        notes=tuple(notes),
    )


def _list_classes(path: Path, labels: set[str]) -> tuple[str, ...]:
    if labels <= set(EXPRESSIONS):
        return EXPRESSIONS
    if len(labels) == 1:
        raise DataError(f"{path}: all pictures are of one class, {labels.pop()!r}")
    return ordered(labels)


def _list_faults(faults: list[tuple[str, str]]) -> list[str]:
    """What is left out because it has no face, and because it cannot be read."""
    no_face = [name for name, reason in faults if reason == NO_FACE]
    damaged = [f"{name} ({reason})" for name, reason in faults if reason != NO_FACE]
    return [f"left out {list_examples(no_face)} in which no face is found"] * bool(no_face) + [
        f"left out {list_examples(damaged)} that cannot be read"
    ] * bool(damaged)


def _suspect_photographs(kept: list[tuple[LabelledPicture, Face]]) -> list[str]:
    shorter, longer = np.sort(np.array([face.size for _, face in kept]), axis=1).T
    if np.median(longer) <= _LARGE and np.mean(longer > _OBLONG * shorter) <= 0.5:
        return []
    return [
        f"these look like whole photographs (median longer side {np.median(longer):.0f} pixels), not like face "
        "crops: --detect finds the face in each and crops it"
    ]
