"""What `fer data build` does: the public halves of a set in, one file that `--data` loads out."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from fercli.core.errors import DataError, UsageError
from fercli.core.files import refuse_existing
from fercli.core.lock import hold_lock
from fercli.core.progress import SILENT, Progress, explain_interrupt
from fercli.data.faceset import FaceSet
from fercli.data.loaders import face_file
from fercli.data.loaders.fergit import BUILT, join_sources
from fercli.data.loaders.muxspace import find_muxspace, read_muxspace
from fercli.data.sets import data_root, load_faces, load_path


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
