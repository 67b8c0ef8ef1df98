"""Face sets from folders of pictures: a folder a class, below train, val and test or without them; also zipped."""

from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np

from fercli.core.errors import DataError
from fercli.core.labels import EXPRESSIONS, canonical, is_expression, ordered
from fercli.core.progress import ProgressCallback, no_progress
from fercli.data.faceset import FaceSet
from fercli.data.photographs import NO_FACE, find_faces
from fercli.data.pictures import Face, counted, is_picture, opened, printable, read_crops
from fercli.data.subjects import People, own_table, read_people

LAYOUT = "a folder for each class (angry, disgust, …) with its pictures, or train, val and test with such folders"

_PARTS = {
    "train": "train", "training": "train",
    "val": "val", "valid": "val", "validation": "val", "publictest": "val",
    "test": "test", "testing": "test", "privatetest": "test",
}  # fmt: skip
#: Pictures are taken for whole photographs when the median longer side is over this many pixels …
_LARGE = 256
#: … or when most are longer than wide, or wider than long, by more than this.
_OBLONG = 1.25


@dataclass(frozen=True)
class _Picture:
    """A picture's name in its source, the class it is of, the part and the subject, '' where there are none."""

    name: str
    part: str
    label: str
    subject: str = ""


def load_folder(
    path: Path,
    name: str | None = None,
    *,
    detect: bool = False,
    people: People | None = None,
    progress: ProgressCallback = no_progress,
) -> FaceSet:
    """The face set of a folder, or of a zip archive, of class folders; see LAYOUT.

    Class names are matched as expressions (anger is angry). When all are among FER2013's seven, those are the
    classes; otherwise the names found are. Pictures are turned gray and, unless they are 48×48, squeezed to it;
    with `detect` they are photographs, and the largest face that MTCNN finds in each is taken. `people`, else a
    table in the folder itself (subjects.csv, people.csv or metadata.csv), says who is who; where it says labels,
    those count and class folders are not needed. Ids are the file names from the folder on, with slashes.
    What is left out or looks wrong stands in the notes.

    Raises DataError where there are no pictures with a class, or none that can be read.
    """
    with opened(path) as (names, reader):
        notes: list[str] = []
        if people is None and (table := own_table(names)) is not None:
            people = read_people(reader(table), f"{path}/{table}")
            notes.append(f"{table} says {' and '.join(_said(people))}")
        pictures, left_out = _arranged(path, [name for name in names if is_picture(name)], people)
        _classes(path, {picture.label for picture in pictures})  # before minutes are spent on looking for faces
        wanted = [picture.name for picture in pictures]
        read = find_faces(wanted, reader, progress) if detect else read_crops(wanted, reader)
    faults = [(picture.name, fault) for picture, fault in zip(pictures, read, strict=True) if isinstance(fault, str)]
    kept = [(picture, face) for picture, face in zip(pictures, read, strict=True) if not isinstance(face, str)]
    if not kept and detect:
        raise DataError(f"{path}: no face in any of {len(pictures)} pictures; {faults[0][0]}: {faults[0][1]}")
    if not kept:
        raise DataError(f"{path}: none of {len(pictures)} pictures can be read; {faults[0][0]}: {faults[0][1]}")
    notes += [*left_out, *_fault_notes(faults)]
    return _made(path, name or path.stem, kept, [*notes, *([] if detect else _photograph_notes(kept))])


def _made(path: Path, name: str, kept: list[tuple[_Picture, Face]], notes: list[str]) -> FaceSet:
    found = {picture.label for picture, _ in kept}
    classes = _classes(path, found)
    if absent := [name for name in classes if name not in found]:
        notes.append(f"there are no pictures of {', '.join(absent)}")
    parts = [picture.part for picture, _ in kept]
    subjects = tuple(picture.subject for picture, _ in kept)
    if any(subjects) and not all(subjects):
        notes.append(f"it is not known who {subjects.count(''):,} of {len(kept):,} faces are")
    return FaceSet(
        name=name,
        images=np.stack([face.pixels for _, face in kept])[:, None],
        labels=np.array([classes.index(picture.label) for picture, _ in kept], dtype=np.int64),
        classes=classes,
        ids=tuple(printable(picture.name) for picture, _ in kept),
        subjects=subjects if any(subjects) else None,
        parts=np.array(parts) if all(parts) else None,
        notes=tuple(notes),
    )


def has_class_folders(path: Path) -> bool:
    """Whether a folder looks, from its outside, like one that `load_folder` reads: for telling it from one that
    only holds other sets."""
    try:
        names = [inner.name for inner in path.iterdir() if inner.is_dir()]
    except OSError:
        return False
    return any(name.lower() in _PARTS or is_expression(name) for name in names)


def _said(people: People) -> list[str]:
    return ["what pictures show"] * people.says_labels + ["who is in them"] * people.says_subjects


def _arranged(path: Path, names: list[str], people: People | None) -> tuple[list[_Picture], list[str]]:
    """Which class, part and subject each picture is of, by its folders and the table, and notes on those without."""
    if not names:
        raise DataError(f"{path}: no pictures in it; expected: {LAYOUT}")
    folders = {name: PurePosixPath(name).parts[:-1] for name in names}
    outer = _outer(list(folders.values()))
    inner = {name: parts[outer:] for name, parts in folders.items()}
    labelled = people is not None and people.says_labels
    # a part's folder holds class folders, or pictures that the table labels
    split = any(len(parts) > (not labelled) and parts[0].lower() in _PARTS for parts in inner.values())
    pictures = []
    for name, parts in inner.items():
        part = _PARTS.get(parts[0].lower(), "") if split and parts else ""
        known = people.of(name) if people else None
        by_folder = canonical(parts[split]) if len(parts) > split else ""
        label = by_folder if not labelled else known.label if known else ""
        if label and bool(part) == split:
            pictures.append(_Picture(name, part, label, known.subject if known else ""))
    if not pictures:
        where = f"none has a label in {people.title}" if people and labelled else "not in class folders"
        raise DataError(f"{path}: {len(names)} pictures, but {where}; expected: {LAYOUT}")
    placed = {picture.name for picture in pictures}
    outside = [name for name in names if name not in placed]
    where = "the folders train, val and test" if split else "class folders"
    reason = f"that {people.title} does not label" if people and labelled else f"outside of {where}"
    return pictures, [f"left out {counted(outside)} {reason}"] if outside else []


def _outer(folders: list[tuple[str, ...]]) -> int:
    """How many folders around the sets' own are to be looked through: those that all pictures share and that
    are no part or class themselves (archive.zip/fer2013/train/…)."""
    depth = 0
    while all(len(parts) > depth + 1 and parts[depth] == folders[0][depth] for parts in folders):
        if folders[0][depth].lower() in _PARTS or is_expression(folders[0][depth]):
            break
        depth += 1
    return depth


def _classes(path: Path, names: set[str]) -> tuple[str, ...]:
    if names <= set(EXPRESSIONS):
        return EXPRESSIONS
    if len(names) == 1:
        raise DataError(f"{path}: all pictures are of one class, {names.pop()!r}; expected: {LAYOUT}")
    return ordered(names)


def _fault_notes(faults: list[tuple[str, str]]) -> list[str]:
    """What is left out because it has no face, and because it cannot be read."""
    faceless = [name for name, reason in faults if reason == NO_FACE]
    damaged = [f"{name} ({reason})" for name, reason in faults if reason != NO_FACE]
    return [f"left out {counted(faceless)} in which no face is found"] * bool(faceless) + [
        f"left out {counted(damaged)} that cannot be read"
    ] * bool(damaged)


def _photograph_notes(kept: list[tuple[_Picture, Face]]) -> list[str]:
    shorter, longer = np.sort(np.array([face.size for _, face in kept]), axis=1).T
    if np.median(longer) <= _LARGE and np.mean(longer > _OBLONG * shorter) <= 0.5:
        return []
    return [
        f"these look like whole photographs (median longer side {np.median(longer):.0f} pixels), not like face "
        "crops: --detect finds the face in each and crops it"
    ]
