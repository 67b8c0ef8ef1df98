"""The kinds of issue that a face set can have, and the functions that find them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from fercli.core.progress import ProgressCallback, no_progress
from fercli.core.text import format_count
from fercli.data.faceset import FaceSet
from fercli.data.quality import duplicates, leaks
from fercli.data.quality.duplicates import find_near_duplicates
from fercli.metrics.calibration import suspects

#: Each kind of issue, the worst first: what makes figures false, what teaches something false, what wastes time.
KINDS = {
    "leaks": ("duplicates across splits", "measured faces were trained on: figures are too high"),
    "contradictions": ("duplicates with different labels", "one label at most is right"),
    "near leaks": (
        "near duplicates across splits",
        "one photograph cropped twice, on both sides: figures are too high",
    ),
    "people": ("people in several splits", "people seen in training are measured: figures are too high"),
    "labels": ("suspicious labels", "a network that was not trained on them is confident of another class"),
    "constant": ("constant frames", "one gray value: there is no face"),
    "blank": ("nearly blank frames", "nothing to see, or a sign for 'no picture'"),
    "no face": ("no face found", "MTCNN sees none; it misses real ones too, so look at them"),
    "copies": ("identical faces", "the surplus ones count twice"),
    "near": ("near duplicates", "one photograph cut more than once"),
    "classes": ("small classes", "too few to learn from or to measure on"),
}

#: MTCNN looks for faces with something around them, so each is framed with gray, this wide, and enlarged. Of 150
#: FER2013 training faces it then finds 143, of 28 blank frames none; with repeated edge pixels, or enlarged to three
#: times, it finds 137 to 143.
_FRAME, _GRAY, _SCALE = 24, 128, 2
#: The smallest face looked for in that picture, in pixels: a face fills the picture that it was cut to.
_MIN_FACE = 40
#: Faces that are searched together.
_BATCH = 64


@dataclass(frozen=True)
class Issue:
    """One kind of issue. `found` says how much of it in words, `numbers` the same for programs.

    `groups` are the faces concerned, as indices into the set: those in one group belong together.
    """

    kind: str
    count: int
    found: str
    numbers: dict[str, int]
    groups: tuple[NDArray[np.int64], ...] = ()
    #: what is to be said of each group, where there is something
    remarks: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """The kind in a few words."""
        return KINDS[self.kind][0]

    @property
    def meaning(self) -> str:
        """Why it matters, in a few words."""
        return KINDS[self.kind][1]


def list_duplicate_issues(
    labels: NDArray[np.int64], splits: NDArray[np.str_], same: NDArray[np.int64]
) -> Iterator[Issue]:
    """Identical images, `same` [N] from `group_identical`: across splits, with different labels, at all."""
    groups = duplicates.list_duplicates(same)
    leaked = leaks.find_leaks(groups, splits)
    yield _leak("leaks", leaked, duplicates.select_differing(groups, splits))
    opposed = duplicates.select_differing(groups, labels)
    count = sum(map(len, opposed))
    found = f"{format_count(len(opposed), 'group')}, {format_count(count, 'face')}"
    yield Issue("contradictions", len(opposed), found, {"faces": count}, tuple(opposed))
    surplus = sum(map(len, groups)) - len(groups)
    found = f"{format_count(len(groups), 'group')}, {format_count(surplus, 'surplus face')}"
    yield Issue("copies", len(groups), found, {"surplus": surplus}, tuple(groups))


def list_near_duplicate_issues(
    splits: NDArray[np.str_], same: NDArray[np.int64], pairs: NDArray[np.int64]
) -> Iterator[Issue]:
    """Near duplicates: across splits, not counting faces that have an exact duplicate there, and at all."""
    exact = leaks.find_leaks(duplicates.list_duplicates(same), splits)
    none = np.empty(0, np.int64)
    leaked = {
        where: left
        for where, there in leaks.find_leaks(list(pairs), splits).items()
        if len(left := np.setdiff1d(there, exact.get(where, none)))
    }
    groups = duplicates.connect_pairs(pairs, len(splits))
    counted = np.concatenate([none, *leaked.values()])
    across = [members for members in duplicates.select_differing(groups, splits) if np.isin(members, counted).any()]
    yield _leak("near leaks", leaked, across)
    count = sum(map(len, groups))
    found = f"{format_count(len(groups), 'group')}, {format_count(count, 'face')}"
    yield Issue("near", len(groups), found, {"faces": count, "pairs": len(pairs)}, tuple(groups))


def find_near_duplicate_pairs(
    images: NDArray[np.uint8], same: NDArray[np.int64], blank: NDArray[np.bool_]
) -> NDArray[np.int64]:
    """The pairs [K, 2] of near duplicates among all images but the blank ones, exact duplicates of either included."""
    _, firsts = np.unique(same, return_index=True)
    firsts = firsts[~blank[firsts]]
    alike = {int(members[0]): members for members in duplicates.list_duplicates(same)}
    pairs = firsts[find_near_duplicates(images[firsts])]
    return np.array(
        [
            sorted((one, other))
            for first, second in pairs.tolist()
            for one in alike.get(first, (first,))
            for other in alike.get(second, (second,))
        ],
        dtype=np.int64,
    ).reshape(-1, 2)


def _leak(kind: str, leaked: dict[tuple[str, str], NDArray[np.int64]], groups: Sequence[NDArray[np.int64]]) -> Issue:
    """Faces of one split that stand in another: '280 val faces also in train'."""
    count = len(np.unique(np.concatenate([np.empty(0, np.int64), *leaked.values()])))
    also = "also" if kind == "leaks" else "much like one"
    found = "; ".join(
        f"{format_count(len(members), f'{later} face')} {also} in {earlier}"
        for (later, earlier), members in leaked.items()
    )
    numbers = {f"{later} in {earlier}": len(members) for (later, earlier), members in leaked.items()}
    return Issue(kind, count, found, numbers, tuple(groups))


def find_shared_people(subjects: Sequence[str], splits: NDArray[np.str_]) -> Issue:
    """People with faces in several splits."""
    divided = leaks.find_divided_subjects(subjects, splits)
    count = sum(map(len, divided.values()))
    found = f"{format_count(len(divided), 'person', 'people')}, {format_count(count, 'face')}"
    return Issue("people", len(divided), found, {"faces": count}, tuple(divided.values()))


def find_blanks(constant: NDArray[np.bool_], blank: NDArray[np.bool_]) -> Iterator[Issue]:
    """Constant frames, and those nearly blank that are not constant."""
    yield make_issue("constant", np.flatnonzero(constant), "frame")
    yield make_issue("blank", np.flatnonzero(blank & ~constant), "frame")


def make_issue(kind: str, indices: NDArray[np.int64], thing: str) -> Issue:
    """An issue of faces one by one, called a `thing` each."""
    return Issue(kind, len(indices), format_count(len(indices), thing), {}, tuple(indices[:, None]))


def find_suspicious_labels(faces: FaceSet, probabilities: NDArray[np.floating]) -> Issue:
    """Labels that out-of-fold probabilities [N, C] contradict, the worst first."""
    found = suspects(probabilities, faces.labels)
    remarks = tuple(
        f"{faces.classes[other]} {probabilities[face, other]:.0%}, {faces.classes[own]} {probabilities[face, own]:.0%}"
        for face, other, own in zip(found.faces, found.labels, faces.labels[found.faces], strict=True)
    )
    amount = f"{format_count(len(found.faces), 'face')}, {len(found.faces) / max(len(faces), 1):.1%}"
    return Issue("labels", len(found.faces), amount, {}, tuple(found.faces[:, None]), remarks)


def find_small_classes(faces: FaceSet, least: int) -> Issue:
    """Classes with fewer faces than `least`."""
    counts = duplicates.find_small_classes(faces.labels, faces.classes, least)
    listed = ", ".join(f"{name} {count}" for name, count in counts.items())
    return Issue("classes", len(counts), listed and f"{listed} (under {least})", counts)


def find_without_face(images: NDArray[np.uint8], progress: ProgressCallback = no_progress) -> NDArray[np.int64]:
    """Which of the images [N, 1, 48, 48] MTCNN finds no face in, as indices. About 15 ms a face on one core.

    Raises MachineError where the detector cannot be loaded.
    """
    from fercli.faces.mtcnn.detector import Detector

    detector = Detector(min_face=_MIN_FACE)
    missing = []
    for first in range(0, len(images), _BATCH):
        found = detector.find_all([_frame_face(image[0]) for image in images[first : first + _BATCH]])
        missing += [index for index, faces in enumerate(found, start=first) if not faces]
        progress(first + len(found), len(images), "looking for faces")
    return np.array(missing, dtype=np.int64)


def _frame_face(face: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A face [48, 48] as a picture to search: RGB [192, 192, 3]."""
    framed = Image.fromarray(np.pad(face, _FRAME, constant_values=_GRAY))
    side = framed.width * _SCALE
    return np.asarray(framed.resize((side, side), Image.Resampling.BILINEAR).convert("RGB"))
