"""What `fer data show` says of a set: how many faces of what, in which part, from where."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fercli.core.config import LoadOptions
from fercli.core.errors import DataError
from fercli.core.labels import SPLITS
from fercli.core.progress import ProgressCallback, no_progress
from fercli.data.faceset import FaceSet
from fercli.data.quality.contact_sheet import Section, write_contact_sheet
from fercli.data.sets import SETS, load_faces
from fercli.data.splits import Group, split
from fercli.workflows.check.report import tile

PARTS = (*SPLITS, "spare", "all")


@dataclass(frozen=True)
class Description:
    """A face set with the split that a training with this seed would use.

    `counts` [classes, parts] go by the set's classes and by `parts`, of which the empty ones are left out.
    """

    faces: FaceSet
    parts: tuple[str, ...]
    counts: NDArray[np.int64]
    assigned: NDArray[np.str_]
    split_by: str
    source: str
    terms: str

    def to_dict(self) -> dict[str, Any]:
        """As JSON takes it."""
        faces = self.faces
        rows = {
            name: dict(zip(self.parts, row.tolist(), strict=True))
            for name, row in zip(faces.classes, self.counts, strict=True)
        }
        return {
            "name": faces.name,
            "faces": len(faces),
            "counts": rows,
            "subjects": known_subjects(faces),
            "split": self.split_by,
            "bytes": int(faces.images.nbytes),
            "fingerprint": faces.fingerprint,
            "source": self.source,
            "terms": self.terms,
            "notes": faces.notes,
        }


def describe(
    data: str,
    root: Path | None = None,
    options: LoadOptions | None = None,
    *,
    seed: int = 0,
    group: Group = "auto",
    progress: ProgressCallback = no_progress,
) -> Description:
    """Load a set and count what is in it; a set that cannot be split as asked is one part, 'all'.

    Raises what load_faces raises.
    """
    faces = load_faces(data, root, options or LoadOptions(), progress)
    try:
        assigned, split_by = split(faces, seed, group=group), _split_by(faces, seed, group)
    except DataError as error:
        assigned, split_by = np.full(len(faces), "all"), f"none: {error}"
    parts = tuple(part for part in PARTS if (assigned == part).any())
    counts = np.array(
        [np.bincount(faces.labels[assigned == part], minlength=len(faces.classes)) for part in parts]
    ).T.reshape(len(faces.classes), len(parts))
    source, terms = str(Path(data).absolute()), "unknown"
    if data in SETS:
        source, terms = SETS[data].source, SETS[data].terms
    return Description(
        faces,
        parts,
        counts,
        assigned,
        split_by,
        source,
        terms,
    )


def write_samples(path: Path, found: Description, seed: int = 0, count: int = 24) -> None:
    """Write a contact sheet (png): of each class `count` faces drawn at random, or all where there are fewer.

    Raises RunError where the file cannot be written.
    """
    faces, draws = found.faces, np.random.default_rng(seed)
    sections = []
    for label, name in enumerate(faces.classes):
        members = np.flatnonzero(faces.labels == label)
        chosen = np.sort(draws.choice(members, min(count, len(members)), replace=False)) if len(members) else members
        shown = f"{name}: {len(chosen)} of {len(members):,} faces, drawn at random"
        sections.append(Section(shown, (tuple(tile(faces, int(face), str(found.assigned[face])) for face in chosen),)))
    write_contact_sheet(path, sections)


def known_subjects(faces: FaceSet) -> int | None:
    """How many people are known by name, None where nobody is."""
    return None if faces.subjects is None else len(set(faces.subjects) - {""})


def _split_by(faces: FaceSet, seed: int, group: Group) -> str:
    """Where the parts come from, in words."""
    if faces.parts is not None:
        return "the set's own" if "val" in faces.parts else f"the set's own, val drawn from train with seed {seed}"
    unit = "image" if group == "image" or faces.subjects is None else "subject"
    return f"drawn with seed {seed}, stratified by class, by {unit}"
