"""Annotated pictures and videos: never over an original, never two in one file; of a video its timeline too."""

from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from fercli.core.files import limit_name
from fercli.core.palette import colours
from fercli.core.progress import SILENT
from fercli.core.text import to_printable
from fercli.faces.drawing.labels import Caption, annotate
from fercli.faces.io.decode import SUFFIXES
from fercli.faces.io.folders import Kind
from fercli.faces.io.sources import Source
from fercli.workflows.predict.results import UNSURE, FacePrediction, PictureResult, Predicted
from fercli.workflows.predict.visuals.plan import NOTHING, Resumed, check_free, save_picture

if TYPE_CHECKING:
    from fercli.faces.video.write import VideoWriter


def plan_annotations(
    sources: Iterable[Source], folder: Path, force: bool = False, resumed: Resumed = NOTHING
) -> dict[Path, Path]:
    """A file below `folder` for each source by its path: JPEG stays JPEG, videos become mp4, everything else PNG.

    The files lie as the pictures do in the folder or the archive they come from; a name that is taken gets -2, -3 …
    after it. Beside a video there is room for its timeline (see `timeline_path`). What a resumed job annotated before
    keeps its name.

    Raises UsageError where an annotation would replace an original, or, without `force`, any other file, or where a
    file has the name of a folder; MachineError where there are videos and this machine cannot write any.
    """
    sources, earlier = ([source for source in given if not source.error] for given in (sources, resumed.sources))
    if any(source.kind == "video" for source in sources):
        from fercli.faces.video.write import find_mp4_encoder

        find_mp4_encoder()
    taken: set[str] = set()
    for source in earlier:
        _find_name(folder / source.relative_path, source.kind, taken)
    annotations = {source.path: _find_name(folder / source.relative_path, source.kind, taken) for source in sources}
    timelines = [timeline_path(annotations[source.path]) for source in sources if source.kind == "video"]
    check_free([*annotations.values(), *timelines], folder, [*earlier, *sources], force, resumed.since)
    return annotations


def timeline_path(annotation: Path) -> Path:
    """Where the timeline of a video is drawn whose annotated video lies there."""
    return annotation.with_suffix(".timeline.png")


def _find_name(wanted: Path, kind: Kind, taken: set[str]) -> Path:
    """`wanted` with the ending of its kind, and a number where another annotation has that name in any case."""
    suffix = ".mp4" if kind == "video" else ".jpg" if wanted.suffix.lower() in SUFFIXES["JPEG"] else ".png"
    wanted = limit_name(wanted)
    path, number = wanted.with_suffix(suffix), 1
    while _fold(path) in taken or (kind == "video" and _fold(timeline_path(path)) in taken):
        number += 1
        path = wanted.with_name(f"{wanted.stem}-{number}{suffix}")
    taken |= {_fold(path), _fold(timeline_path(path))} if kind == "video" else {_fold(path)}
    return path


def _fold(file: Path) -> str:
    """What two names have in common that some systems take for one."""
    return str(file).casefold()


def caption_faces(faces: Sequence[FacePrediction], classes: Sequence[str]) -> list[Caption]:
    """What is drawn at each face, in the colour of its expression. `classes` are all of the model's."""
    labels = (*classes, UNSURE)
    palette = dict(zip(labels, colours(labels), strict=True))
    return [Caption(face.box, face.caption, palette[face.label]) for face in faces]


@dataclass(frozen=True)
class Annotator:
    """Writes annotations where `plan_annotations` says; frames of videos are at least `every` seconds apart. `say`
    hears which videos lose their sound, and why."""

    paths: Mapping[Path, Path]
    every: float
    classes: Sequence[str]
    say: Callable[[str], None] = SILENT.say

    def draw(self, predicted: Iterable[Predicted]) -> Iterator[Predicted]:
        """The same predictions, with the annotation of each picture with faces and of each video written on the way.

        Raises RunError where that fails.
        """
        return self._draw_timelines(self._annotate_videos(self._annotate_pictures(predicted)))

    def _annotate_pictures(self, predicted: Iterable[Predicted]) -> Iterator[Predicted]:
        for item in predicted:
            if item.picture.pixels is not None and item.result.faces and item.result.frame is None:
                captions = caption_faces(item.result.faces, self.classes)
                drawn = annotate(item.picture.pixels, captions, legend=True)
                save_picture(drawn, self.paths[item.result.source])
            yield item

    def _annotate_videos(self, predicted: Iterable[Predicted]) -> Iterator[Predicted]:
        """Each video is written whole or not at all. It has the frames that were sampled and lasts as long as the
        original."""
        with ExitStack() as opened:
            film: VideoWriter | None = None
            video: Path | None = None
            for item in predicted:
                result = item.result
                if result.source != video:
                    opened.close()
                    film, video = None, result.source
                if item.picture.pixels is not None and result.time is not None:
                    if film is None:
                        film = opened.enter_context(self._write_video(result.source))
                    captions = caption_faces(result.faces, self.classes)
                    film.write(annotate(item.picture.pixels, captions), result.time)
                yield item

    @contextmanager
    def _write_video(self, video: Path) -> "Iterator[VideoWriter]":
        from fercli.faces.video.sound import can_copy_sound
        from fercli.faces.video.write import VideoWriter

        original = video if can_copy_sound() else None
        with VideoWriter(self.paths[video], self._frame_rate(video), original) as film:
            yield film
        if film.silent_because:
            self.say(f"{to_printable(str(video))}: annotated without sound: {film.silent_because}")

    def _frame_rate(self, video: Path) -> float:
        """How many frames a second are sampled."""
        from fercli.faces.video.read import read_video_info

        rate = read_video_info(video).rate
        return min(rate, 1 / self.every) if self.every else rate

    def _draw_timelines(self, predicted: Iterable[Predicted]) -> Iterator[Predicted]:
        """When a video is over, its timeline is drawn, if there are people in it."""
        video: Path | None = None
        history = _History()
        for item in predicted:
            if item.result.source != video:
                if video:
                    self._draw_timeline(history, video)
                video, history = item.result.source, _History()
            history.add(item.result)
            yield item
        if video:
            self._draw_timeline(history, video)

    def _draw_timeline(self, history: "_History", video: Path) -> None:
        if not history.times:
            return
        from fercli.metrics.timeline import Course, plot_timeline
        from fercli.workflows.predict.video import is_person

        times = history.times
        people = [
            Course(f"person {number}", np.array(seen), np.array(history.probabilities[number]).reshape(len(seen), -1))
            for number, seen in sorted(history.seen.items())
            if is_person(len(seen), len(times), times[-1] - times[0])
        ]
        if people:
            plot_timeline(people, np.array(times), self.classes, timeline_path(self.paths[video]), video.name)


@dataclass
class _History:
    """What a timeline needs of a video, in numbers alone: some 40 bytes a face. By track: when it was seen, and its
    probabilities one after another."""

    times: "array[float]" = field(default_factory=lambda: array("d"))
    seen: "dict[int, array[float]]" = field(default_factory=dict)
    probabilities: "dict[int, array[float]]" = field(default_factory=dict)

    def add(self, result: PictureResult) -> None:
        """Keep a frame's faces; a picture has no time and leaves nothing."""
        if result.time is None or result.status == "failed":
            return
        self.times.append(result.time)
        for face in result.faces:
            number = face.track or 0
            self.seen.setdefault(number, array("d")).append(result.time)
            self.probabilities.setdefault(number, array("f")).extend(face.probabilities.values())
