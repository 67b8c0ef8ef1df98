"""What `fer data check` does: a face set in, what is wrong with it out, the worst first."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fercli.core.config import LoadOptions
from fercli.core.progress import ProgressCallback, no_progress
from fercli.data.faceset import FaceSet
from fercli.data.load import load_faces
from fercli.data.quality import duplicates
from fercli.data.splits import Group, assign_splits
from fercli.workflows.check.issues import (
    KINDS,
    Issue,
    find_blanks,
    find_near_duplicate_pairs,
    find_shared_people,
    find_small_classes,
    find_suspicious_labels,
    find_without_face,
    list_duplicate_issues,
    list_near_duplicate_issues,
    make_issue,
)


@dataclass(frozen=True, kw_only=True)
class CheckOptions:
    """Which split is looked at, and for what."""

    seed: int = 0
    group: Group = "auto"
    #: report classes with fewer faces: of a hundred, a tenth for the test split is ten faces, and the 95 % interval of
    #: a recall measured on ten is 50 points wide
    min_class: int = 100
    #: look for near duplicates
    near_duplicates: bool = True
    #: look for faces in which MTCNN finds none, which is slow
    no_face: bool = False


@dataclass(frozen=True)
class Check:
    """A face set, the split that was looked at, and its issues, the worst first; those not found have count 0.

    `same` [N] are the groups of identical images, `blank` [N] the nearly blank ones, `near_duplicates`
    [K, 2] pairs of them: what a cleaned set is made from.
    """

    faces: FaceSet
    splits: NDArray[np.str_]
    seed: int
    group: Group
    issues: tuple[Issue, ...]
    same: NDArray[np.int64]
    blank: NDArray[np.bool_]
    near_duplicates: NDArray[np.int64]

    def pick_examples(self, issue: Issue, group: NDArray[np.int64]) -> list[int]:
        """The faces of one of an issue's groups, one of each split, or of each label, before the others."""
        values = (self.faces.labels if issue.kind == "contradictions" else self.splits)[group].tolist()
        firsts = sorted(group[values.index(value)] for value in dict.fromkeys(values))
        return [int(face) for face in (*firsts, *group[~np.isin(group, firsts)])]

    def to_dict(self) -> dict[str, Any]:
        """As JSON takes it: every issue with the ids of all its faces."""
        splits, counts = np.unique(self.splits, return_counts=True)
        return {
            "data": self.faces.name,
            "fingerprint": self.faces.fingerprint,
            "faces": dict(zip(splits.tolist(), counts.tolist(), strict=True)),
            "seed": self.seed,
            "group": self.group,
            "faults": [
                {
                    "kind": issue.kind,
                    "title": issue.title,
                    "count": issue.count,
                    "found": issue.found,
                    "meaning": issue.meaning,
                    "numbers": issue.numbers,
                    "remarks": list(issue.remarks),
                    "groups": [[self.faces.ids[face] for face in group] for group in issue.groups],
                }
                for issue in self.issues
            ],
            "notes": self.faces.notes,
        }


def check(
    data: str,
    root: Path | None = None,
    load_options: LoadOptions | None = None,
    options: CheckOptions = CheckOptions(),
    probabilities: NDArray[np.floating] | None = None,
    progress: ProgressCallback = no_progress,
) -> Check:
    """Load a set, split it as training with this seed would, and look for issues.

    Suspicious labels are looked for if there are out-of-fold `probabilities` [N, C] (see `predict_out_of_fold`).
    Raises DataError where the set is not there, cannot be read, or cannot be split so.
    """
    faces = load_faces(data, root, load_options or LoadOptions(), progress)
    return check_faces(faces, options, probabilities, progress)


def check_faces(
    faces: FaceSet,
    options: CheckOptions = CheckOptions(),
    probabilities: NDArray[np.floating] | None = None,
    progress: ProgressCallback = no_progress,
) -> Check:
    """The same for a face set in memory."""
    splits = assign_splits(faces, options.seed, group=options.group)
    same, blank = duplicates.group_identical(faces.images), duplicates.find_blank(faces.images)
    pairs = (
        find_near_duplicate_pairs(faces.images, same, blank) if options.near_duplicates else np.empty((0, 2), np.int64)
    )
    found = [
        *list_duplicate_issues(faces.labels, splits, same),
        *find_blanks(duplicates.find_constant(faces.images), blank),
    ]
    if options.near_duplicates:
        found += list_near_duplicate_issues(splits, same, pairs)
    if faces.subjects is not None:
        found.append(find_shared_people(faces.subjects, splits))
    if options.no_face:
        found.append(make_issue("no face", find_without_face(faces.images, progress), "face"))
    if probabilities is not None:
        found.append(find_suspicious_labels(faces, probabilities))
    found.append(find_small_classes(faces, options.min_class))
    found.sort(key=lambda issue: (not issue.count, list(KINDS).index(issue.kind)))
    return Check(faces, splits, options.seed, options.group, tuple(found), same, blank, pairs)
