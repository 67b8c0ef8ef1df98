"""What `fer data build` and `fer data show` do: a set made of its public halves, and what is in a set."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fercli.core.config import LoadOptions
from fercli.core.errors import DataError, UsageError
from fercli.core.files import refuse_existing
from fercli.core.labels import SPLITS
from fercli.core.lock import hold_lock
from fercli.core.progress import SILENT, Progress, ProgressCallback, explain_interrupt, no_progress
from fercli.data.faceset import FaceSet
from fercli.data.load import SETS, data_root, load_faces, load_path
from fercli.data.loaders import face_file
from fercli.data.loaders.fergit import BUILT, join_sources
from fercli.data.loaders.muxspace import find_muxspace, read_muxspace
from fercli.data.quality.contact_sheet import Section, write_contact_sheet
from fercli.data.splits import Group, assign_splits
from fercli.workflows.check.report import tile

SPLIT_NAMES = (*SPLITS, "spare", "all")


@dataclass(frozen=True)
class Built:
    """A built set: its file, counts per class of each half, and the names of what was left out, by reason."""

    path: Path
    faces: FaceSet
    counts: Mapping[str, Mapping[str, int]]
    left_out: Mapping[str, list[str]]

    def to_dict(self) -> dict[str, Any]:
        """As JSON takes it."""
        return {"path": str(self.path), "faces": len(self.faces), "counts": self.counts, "left_out": self.left_out}


def build_fergit(
    fer2013: Path | None = None,
    muxspace: Path | None = None,
    *,
    root: Path | None = None,
    output: Path | None = None,
    force: bool = False,
    progress: Progress = SILENT,
) -> Built:
    """FER2013 and the faces that MTCNN finds in muxspace's pictures, as one file: fergit.safetensors in the data
    root, or `output`. Both halves are looked for below the data root unless given.

    After an interruption it resumes when it is started again.
    Raises DataError where a half is not there or cannot be read, UsageError where the output exists already.
    """
    path = output or data_root(root) / BUILT
    if path.suffix != face_file.SUFFIX:
        raise UsageError(f"--output {path}: the set is one file, its name must end in {face_file.SUFFIX}")
    with hold_lock(path):
        refuse_existing(path, force=force, otherwise="name another file with --output")
        return _build(path, fer2013, muxspace, root, progress)


def _build(path: Path, fer2013: Path | None, muxspace: Path | None, root: Path | None, progress: Progress) -> Built:
    for half in (fer2013, muxspace):
        if half is not None and not half.exists():
            raise DataError(f"no such file or folder: {half}")
    pictures = muxspace or find_muxspace(data_root(root))
    first = replace(load_path(fer2013), name="fer2013") if fer2013 else load_faces("fer2013", root)
    with explain_interrupt(progress, lambda: "stopped; the same command resumes"):
        second, left_out = read_muxspace(pictures, progress.update)
    faces = join_sources(first, second)
    counts = {half.name: _counts(half) for half in (first, second, faces)}
    face_file.write_faces(path, faces, {"counts": counts, "left_out": left_out})
    return Built(path, faces, counts, left_out)


def _counts(faces: FaceSet) -> dict[str, int]:
    numbers = np.bincount(faces.labels, minlength=len(faces.classes))
    return dict(zip(faces.classes, numbers.tolist(), strict=True))


@dataclass(frozen=True)
class Description:
    """A face set with the split that a training with this seed would use.

    `counts` [classes, splits] go by the set's classes and by `splits`, of which the empty ones are left out.
    """

    faces: FaceSet
    splits: tuple[str, ...]
    counts: NDArray[np.int64]
    assigned: NDArray[np.str_]
    split_by: str
    source: str
    terms: str

    def to_dict(self) -> dict[str, Any]:
        """As JSON takes it."""
        faces = self.faces
        rows = {
            name: dict(zip(self.splits, row.tolist(), strict=True))
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
    """Load a set and count what is in it; a set that cannot be split as asked is one split, 'all'.

    Raises what load_faces raises.
    """
    faces = load_faces(data, root, options or LoadOptions(), progress)
    try:
        assigned, split_by = assign_splits(faces, seed, group=group), _split_by(faces, seed, group)
    except DataError as error:
        assigned, split_by = np.full(len(faces), "all"), f"none: {error}"
    splits = tuple(split for split in SPLIT_NAMES if (assigned == split).any())
    counts = np.array(
        [np.bincount(faces.labels[assigned == split], minlength=len(faces.classes)) for split in splits]
    ).T.reshape(len(faces.classes), len(splits))
    source, terms = str(Path(data).absolute()), "unknown"
    if data in SETS:
        source, terms = SETS[data].source, SETS[data].terms
    return Description(
        faces,
        splits,
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
    """Where the splits come from, in words."""
    if faces.splits is not None:
        return "the set's own" if "val" in faces.splits else f"the set's own, val drawn from train with seed {seed}"
    unit = "image" if group == "image" or faces.subjects is None else "subject"
    return f"drawn with seed {seed}, stratified by class, by {unit}"
