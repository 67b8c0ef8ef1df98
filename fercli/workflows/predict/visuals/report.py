"""What a report holds, collected while a job runs: counts and a bounded sample of faces, however long the job is."""

import heapq
import random
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from fercli.core.errors import UsageError
from fercli.core.files import refuse_existing
from fercli.faces.crop import make_thumbnail
from fercli.faces.io.pictures import Picture
from fercli.faces.io.sources import Source
from fercli.workflows.predict.results import FacePrediction, PictureResult, Predicted
from fercli.workflows.predict.visuals.people import FilmCollector, FilmPeople
from fercli.workflows.predict.visuals.plan import printable_path

#: Faces that are kept of one label: this many of the most confident, the least confident and a random draw each.
SAMPLE_SIZE = 16
#: Thumbnails of all labels together, at most: 4 KB each, as text.
MAX_THUMBNAILS = 1800
#: People that are shown of one video, and of all videos together.
MAX_PEOPLE, MAX_PEOPLE_OF_ALL = 40, 400
#: Pictures that failed, or have no face, that are listed by name.
LISTED = 200


class Report:
    """The counts and faces of a job over the model's classes. Labels that are no class, such as 'unsure', count too.

    The faces of people who are followed through a video are shown once for each person, the others by their labels.
    """

    def __init__(self, classes: tuple[str, ...]) -> None:
        self.classes = classes
        self.sample_size = max(1, min(SAMPLE_SIZE, MAX_THUMBNAILS // (3 * (len(classes) + 1))))
        self.status: Counter[str] = Counter()
        self.frames = 0
        self.earlier_faces = 0
        self.labels: Counter[str] = Counter()
        #: the sum of confidence of each label's faces, and all faces by hundredths of confidence
        self.confidence: defaultdict[str, float] = defaultdict(float)
        self.histogram = [0] * 100
        self.samples: dict[str, FaceSample] = {}
        self.failures: list[tuple[str, str]] = []
        self.no_face: list[str] = []
        self._films: list[FilmPeople] = []
        self._film: FilmCollector | None = None

    @property
    def pictures(self) -> int:
        """Pictures and frames of videos, those that failed included."""
        return self.status.total()

    @property
    def faces(self) -> int:
        """Faces found."""
        return self.labels.total()

    @property
    def films(self) -> list[FilmPeople]:
        """The videos with people, so far."""
        films = [*self._films, *([self._finish(self._film)] if self._film else [])]
        return [film for film in films if film.people or film.more or film.brief]

    @property
    def groups(self) -> list[str]:
        """The classes in their order, then other labels that occurred."""
        return [*self.classes, *sorted(self.labels.keys() - set(self.classes))]

    @property
    def shown_groups(self) -> list[str]:
        """Those of `groups` that have faces to show."""
        return [label for label in self.groups if label in self.samples]

    def collect(self, predicted: Iterable[Predicted]) -> Iterator[Predicted]:
        """The same, with each added to the report on its way."""
        for item in predicted:
            self.add(item)
            yield item

    def add_earlier(self, results: Iterable[PictureResult]) -> None:
        """Count what earlier runs of the job gave; its faces are not shown, since their pictures are not read."""
        for result in results:
            self.earlier_faces += len(result.faces)
            self.add(Predicted(Picture(Source(result.source, Path()), None), result))

    def add(self, item: Predicted) -> None:
        """Add a picture's result."""
        result = item.result
        self.status[result.status] += 1
        self.frames += result.frame is not None
        name = printable_path(result.source)
        if result.status == "failed" and len(self.failures) < LISTED:
            self.failures.append((name, result.message))
        if result.status == "no face" and result.frame is None and len(self.no_face) < LISTED:
            self.no_face.append(name)
        if result.time is not None and result.status != "failed" and all(face.track for face in result.faces):
            self._follow(item)
        for face in result.faces:
            self._add_face(item, face, name)

    def _follow(self, item: Predicted) -> None:
        if self._film is None or self._film.source != item.result.source:
            if self._film:
                self._films.append(self._finish(self._film))
            self._film = FilmCollector(item.result.source)
        self._film.add(item)

    def _finish(self, film: FilmCollector) -> FilmPeople:
        shown = sum(len(finished.people) for finished in self._films)
        return film.finish(min(MAX_PEOPLE, MAX_PEOPLE_OF_ALL - shown))

    def _add_face(self, item: Predicted, face: FacePrediction, name: str) -> None:
        self.labels[face.label] += 1
        self.confidence[face.label] += face.confidence
        self.histogram[min(99, int(100 * face.confidence))] += 1
        pixels = item.picture.pixels
        if pixels is None or face.track:
            return
        sample = self.samples.setdefault(face.label, FaceSample(self.sample_size, face.label))
        sample.offer(
            face.confidence,
            lambda: ShownFace(
                make_thumbnail(pixels, face.detection.box), name, face.number, face.confidence, item.result.time
            ),
        )  # fmt: skip


@dataclass(frozen=True)
class ShownFace:
    """One face to show: a JPEG, the picture it comes from as typed, its number there, the confidence.

    `time` is that of a video's frame, in seconds.
    """

    thumbnail: bytes = field(repr=False)
    source: str
    number: int
    confidence: float
    time: float | None = None


class FaceSample:
    """Of one label's faces the most confident, the least confident and a random draw: at most `size` of each.

    Where they are `3 · size` at most, all of them. The draw is by `seed`: the same faces give the same sample.
    """

    def __init__(self, size: int, seed: str) -> None:
        self.faces = 0
        self._size, self._seed = size, seed
        self._rng = random.Random(seed)
        # (rank, minus the face's index in the job, face): the first of equals stays
        self._highest: list[tuple[float, int, ShownFace]] = []
        self._lowest: list[tuple[float, int, ShownFace]] = []
        self._random: list[tuple[int, ShownFace]] = []

    def offer(self, confidence: float, make: Callable[[], ShownFace]) -> None:
        """Take one face more into account; `make` is called only if it is kept."""
        index = self.faces
        self.faces += 1
        made: list[ShownFace] = []

        def face() -> ShownFace:
            if not made:
                made.append(make())
            return made[0]

        for kept, rank in ((self._highest, confidence), (self._lowest, -confidence)):
            if len(kept) < self._size:
                heapq.heappush(kept, (rank, -index, face()))
            elif rank > kept[0][0]:
                heapq.heapreplace(kept, (rank, -index, face()))
        # reservoir sampling: every face has the same chance to be among them in the end
        slot = index if index < 3 * self._size else self._rng.randrange(self.faces)
        if slot == len(self._random):
            self._random.append((index, face()))
        elif slot < 3 * self._size:
            self._random[slot] = (index, face())

    def all(self) -> list[ShownFace] | None:
        """All faces, the most confident first; None where some were left out."""
        if self.faces > 3 * self._size:
            return None
        return _sort(self._random)

    def highest(self) -> list[ShownFace]:
        """The faces with the highest confidence, the highest first."""
        return [face for *_, face in sorted(self._highest, key=lambda kept: (-kept[0], -kept[1]))]

    def lowest(self) -> list[ShownFace]:
        """The faces with the lowest confidence, the lowest first."""
        return [face for *_, face in sorted(self._lowest, key=lambda kept: (-kept[0], -kept[1]))]

    def draw(self) -> list[ShownFace]:
        """Faces drawn at random, the most confident first."""
        # not simply the first of the reservoir: a slot has its first face or a late one, never another early one
        drawn = random.Random(f"{self._seed}, drawn").sample(self._random, min(self._size, len(self._random)))
        return _sort(drawn)


def _sort(faces: Iterable[tuple[int, ShownFace]]) -> list[ShownFace]:
    """The most confident first, of equals the first in the job."""
    return [face for _, face in sorted(faces, key=lambda kept: (-kept[1].confidence, kept[0]))]


def plan_report(path: Path, force: bool = False, since: float | None = None) -> None:
    """Raises UsageError where the page is not named .html, cannot lie there, or, without `force`, would replace a file,
    unless that was written `since` a job began that is resumed."""
    if path.suffix.lower() not in (".html", ".htm"):
        raise UsageError(f"--report {path}: it is a page, so its name must end in .html")
    if path.is_dir():
        raise UsageError(f"--report {path}: there is a folder of that name")
    if any(parent.exists() and not parent.is_dir() for parent in path.parents):
        raise UsageError(f"--report {path}: {path.parent} is no folder")
    refuse_existing(path, force=force, since=since)
