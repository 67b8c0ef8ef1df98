"""A face set without what a check found: `fer data check --fix`.

What was published for measuring stays as it is, so that figures remain comparable: from a set that comes with a split
only its train split loses faces. A set without one may lose faces from train, val and test as they were drawn, and
takes that split along into the file. Of what may go, these go, each for the first reason that holds:

1. nearly blank faces;
2. duplicates with different labels, all of them, since nobody knows which is right;
3. other duplicates, but for one: where one has to stay all others go, else test's is kept before val's before train's;
4. near duplicates in train of a face in val or test, whatever their subject.
"""

import csv
import io
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fercli.core.files import write_text
from fercli.core.text import format_count
from fercli.data.faceset import FaceSet
from fercli.data.loaders.face_file import SUFFIX, write_faces
from fercli.data.quality import duplicates, leaks
from fercli.workflows.check.report import check_output
from fercli.workflows.check.run import Check

REASONS = ("blank", "contradiction", "copy", "near duplicate")


@dataclass(frozen=True)
class Removal:
    """A face that goes, as its index in the set: why, and what it is a duplicate of."""

    face: int
    reason: str
    of: int | None = None


@dataclass(frozen=True)
class Cleaned:
    """Where a cleaned set was written, how many faces it has, and how many went for which reason."""

    path: Path
    table: Path
    faces: int
    removed: dict[str, int]

    def to_dict(self) -> dict[str, Any]:
        """As JSON takes it."""
        return {"file": str(self.path), "table": str(self.table), "faces": self.faces, "removed": self.removed}


def plan_fix(path: Path, force: bool = False) -> Path:
    """The table that lists what is removed, beside the file that is to be written.

    Raises UsageError where the file ends in anything but .safetensors, or one of the two is there already.
    """
    check_output(path, SUFFIX, force)
    table = path.with_suffix(".removed.csv")
    check_output(table, ".csv", force)
    return table


def list_removals(check: Check) -> list[Removal]:
    """What goes, in the set's order."""
    found: dict[int, Removal] = {}
    for removal in (*_list_blanks(check), *_list_duplicates(check), *_list_near_duplicates(check)):
        found.setdefault(removal.face, removal)
    free = _free(check)
    return [found[face] for face in sorted(found) if free[face]]


def fix(check: Check, path: Path, force: bool = False) -> Cleaned:
    """Write the cleaned set to `path`, where `--data` finds it, and the list of what was removed beside it.

    The list has the columns id, part, label, reason and duplicate_of. Raises UsageError or RunError where the files
    cannot be written.
    """
    table = plan_fix(path, force)
    gone = list_removals(check)
    counts = Counter(removal.reason for removal in gone)
    removed = {reason: counts[reason] for reason in REASONS}
    kept = np.ones(len(check.faces), dtype=np.bool_)
    kept[[removal.face for removal in gone]] = False
    note = f"{check.faces.name} without {format_count(len(gone), 'face')}, which {table.name} lists"
    faces = replace(check.faces, name=path.stem, splits=check.splits, notes=(*check.faces.notes, note)).select(kept)
    facts = {
        "cleaned_from": check.faces.name,
        "fingerprint": check.faces.fingerprint,
        "seed": check.seed,
        "group": check.group,
        "removed": removed,
        "faces": dict(Counter(faces.splits.tolist() if faces.splits is not None else [])),
    }
    _write_table(table, check.faces, check.splits, gone)
    write_faces(path, faces, facts)
    return Cleaned(path, table, len(faces), removed)


def _free(check: Check) -> NDArray[np.bool_]:
    """Which faces [N] may go at all."""
    published = check.faces.splits
    return np.ones(len(check.faces), np.bool_) if published is None else published == "train"


def _list_blanks(check: Check) -> Iterator[Removal]:
    return (Removal(int(face), "blank") for face in np.flatnonzero(check.blank))


def _list_duplicates(check: Check) -> Iterator[Removal]:
    free, labels = _free(check), check.faces.labels
    rank = np.array([leaks.LEAK_ORDER.index(split) for split in check.splits.tolist()])
    for members in duplicates.list_duplicates(check.same):
        others = {label: members[labels[members] != label] for label in np.unique(labels[members])}
        # what has to stay comes first, then test before val before train, then the set's order
        first, *rest = sorted(members.tolist(), key=lambda face: (free[face], -rank[face], face))
        if len(others) > 1:
            for face in members.tolist():
                yield Removal(face, "contradiction", int(others[labels[face]][0]))
        else:
            yield from (Removal(face, "copy", first) for face in rest)


def _list_near_duplicates(check: Check) -> Iterator[Removal]:
    for pair in check.near_duplicates.tolist():
        for face, other in (pair, pair[::-1]):
            if check.splits[face] == "train" and check.splits[other] in ("val", "test"):
                yield Removal(face, "near duplicate", other)


def _write_table(path: Path, faces: FaceSet, splits: NDArray[np.str_], gone: list[Removal]) -> None:
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(("id", "part", "label", "reason", "duplicate_of"))
    for removal in gone:
        face = removal.face
        of = "" if removal.of is None else faces.ids[removal.of]
        rows.writerow((faces.ids[face], splits[face], faces.classes[faces.labels[face]], removal.reason, of))
    write_text(path, text.getvalue())
