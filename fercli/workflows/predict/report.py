"""What a report page holds, gathered while a job runs: counts and a bounded choice of faces, whatever its length."""

import os
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

from fercli.core.errors import UsageError
from fercli.faces.crop import make_thumbnail
from fercli.faces.io.pictures import Picture
from fercli.faces.io.sources import Source
from fercli.workflows.predict.gallery import Choice, Shown
from fercli.workflows.predict.results import FacePrediction, PictureResult, Predicted

#: Faces that are kept of one label: this many of the surest, the least sure and the rest each.
ROOM = 16
#: Thumbnails of all labels together, at most: 4 KB each, as text.
MOST_THUMBNAILS = 1800
#: Pictures that failed, or have no face, that are listed by name.
LISTED = 200


class Report:
    """The counts and faces of a job over the model's classes. Labels that are no class, such as 'unsure', count too."""

    def __init__(self, classes: tuple[str, ...]) -> None:
        self.classes = classes
        self.room = max(1, min(ROOM, MOST_THUMBNAILS // (3 * (len(classes) + 1))))
        self.status: Counter[str] = Counter()
        self.frames = 0
        self.recalled = 0
        self.labels: Counter[str] = Counter()
        #: the sum of confidence of each label's faces, and all faces by hundredths of confidence
        self.confidence: defaultdict[str, float] = defaultdict(float)
        self.steps = [0] * 100
        self.choices: dict[str, Choice] = {}
        self.failures: list[tuple[str, str]] = []
        self.faceless: list[str] = []

    @property
    def pictures(self) -> int:
        """Pictures and frames of videos, those that failed included."""
        return self.status.total()

    @property
    def faces(self) -> int:
        """Faces found."""
        return self.labels.total()

    @property
    def groups(self) -> list[str]:
        """The classes in their order, then other labels that occurred."""
        return [*self.classes, *sorted(self.labels.keys() - set(self.classes))]

    @property
    def choices_in_order(self) -> list[str]:
        """Those of `groups` that have faces."""
        return [label for label in self.groups if label in self.choices]

    def gathering(self, predicted: Iterable[Predicted]) -> Iterator[Predicted]:
        """The same, with each taken into the report on its way."""
        for one in predicted:
            self.add(one)
            yield one

    def recall(self, results: Iterable[PictureResult]) -> None:
        """Count what an earlier start of the job gave; its faces are not shown, since their pictures are not read."""
        for result in results:
            self.recalled += len(result.faces)
            self.add(Predicted(Picture(Source(result.source, Path()), None), result))

    def add(self, one: Predicted) -> None:
        """Take a picture's result into the report."""
        result = one.result
        self.status[result.status] += 1
        self.frames += result.frame is not None
        name = shown_path(result.source)
        if result.status == "failed" and len(self.failures) < LISTED:
            self.failures.append((name, result.message))
        if result.status == "no face" and result.frame is None and len(self.faceless) < LISTED:
            self.faceless.append(name)
        for face in result.faces:
            self._add_face(one, face, name)

    def _add_face(self, one: Predicted, face: FacePrediction, name: str) -> None:
        self.labels[face.label] += 1
        self.confidence[face.label] += face.confidence
        self.steps[min(99, int(100 * face.confidence))] += 1
        pixels = one.picture.pixels
        if pixels is None:
            return
        choice = self.choices.setdefault(face.label, Choice(self.room, face.label))
        choice.offer(
            face.confidence,
            lambda: Shown(
                make_thumbnail(pixels, face.detection.box), name, face.number, face.confidence, one.result.time
            ),
        )  # fmt: skip


def plan_report(path: Path, force: bool = False, since: float | None = None) -> None:
    """Raise UsageError where the page would be something else than .html, cannot lie there, or, without `force`, would
    replace a file, unless that was written `since` a job began that is resumed."""
    if path.suffix.lower() not in (".html", ".htm"):
        raise UsageError(f"--report {path}: it is a page, so its name must end in .html")
    if path.is_dir():
        raise UsageError(f"--report {path}: there is a folder of that name")
    if any(place.exists() and not place.is_dir() for place in path.parents):
        raise UsageError(f"--report {path}: {path.parent} is no folder")
    if path.exists() and not force and (since is None or path.stat().st_mtime < since):
        raise UsageError(f"{path} exists already: --force replaces it, or choose another name")


def shown_path(path: Path) -> str:
    """A path as text that UTF-8 can hold: bytes of a name that are not UTF-8 become �."""
    return os.fsencode(path).decode("utf-8", "replace")
