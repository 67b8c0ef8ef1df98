"""`fer predict --camera`: the expressions before a camera, as they happen."""

import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from fercli.core.errors import UsageError
from fercli.core.files import refuse_existing
from fercli.faces.drawing.labels import annotate
from fercli.faces.io.pictures import Picture
from fercli.faces.io.sources import Source
from fercli.faces.video.camera import Camera, FrameSource, open_camera
from fercli.faces.video.window import Window
from fercli.workflows.predict import pipeline
from fercli.workflows.predict.options import PredictOptions
from fercli.workflows.predict.output.writers import append_results
from fercli.workflows.predict.results import FacePrediction, PictureResult, Predicted, replace_probabilities
from fercli.workflows.predict.video import VideoSummary, track_people
from fercli.workflows.predict.visuals.annotate import caption_faces

#: What takes the results of a camera without a file: an iterator of them, and the classes.
Show = Callable[[Iterator[PictureResult], tuple[str, ...]], None]


@dataclass(frozen=True)
class CameraSummary:
    """What was seen: frames and people, how many frames were dropped because none was asked for in time, and the
    seconds that it took. `interrupted` is after Ctrl-C, `ended` where the camera gave no more frames."""

    video: VideoSummary
    dropped: int
    seconds: float
    interrupted: bool
    ended: bool


def watch_camera(
    camera: str,
    options: PredictOptions,
    show: Show,
    window: bool = False,
    source: FrameSource | None = None,
    started: Callable[[], None] = lambda: None,
) -> CameraSummary:
    """Predict the expressions before a camera until Ctrl-C, until the window is closed, or until it gives no more.

    Frames are taken as fast as they can be worked on, at least `options.every` seconds apart, and the others dropped:
    results are never late. Each person's probabilities are the mean of the last `options.smooth` seconds. Rows go to
    `options.output` as they come, or to `show`. `source` takes the camera's place. `started` is called once all is
    ready.

    Raises UsageError, MachineError or ModelError before anything is written, for what cannot be.
    """
    _check(camera, options)
    model, finder = pipeline.load_networks(options)
    screen = Window(f"fer: camera {camera}") if window else None
    frames = Camera(source or open_camera(camera))
    name = Source(Path(f"camera {camera}"), Path(f"camera {camera}"))
    started()
    video, start, interrupted, ended = VideoSummary(name.path), time.monotonic(), False, False

    def pictures() -> Iterator[Predicted]:
        due = 0.0
        for frame in frames.frames():
            if frame.time >= due:
                due = frame.time + options.every
                picture = Picture(name, frame.pixels, "", frame.index, frame.time)
                yield from pipeline.classify_batch([picture], model, finder, options.max_faces)

    def results() -> Iterator[PictureResult]:
        nonlocal interrupted, ended
        try:
            for item in _smooth(track_people(pictures()), options):
                video.add(item.result)
                yield item.result
                if screen and item.picture.pixels is not None:
                    captions = caption_faces(item.result.faces, model.classes)
                    if not screen.show(annotate(item.picture.pixels, captions)):
                        return
            ended = True
        except KeyboardInterrupt:
            interrupted = True

    try:
        with frames:
            if options.output is not None:
                if options.force:
                    options.output.unlink(missing_ok=True)
                append_results(options.output, options.form or "csv", results(), model.classes)
            else:
                show(results(), model.classes)
    except KeyboardInterrupt:  # outside the computing
        interrupted = True
    finally:
        if screen:
            screen.close()
    return CameraSummary(video, frames.dropped, time.monotonic() - start, interrupted, ended)


def _check(camera: str, options: PredictOptions) -> None:
    """Raises UsageError for what is no camera, and for what one does not go with."""
    if not camera.isdecimal() and Path(camera).is_file():  # a device is none
        raise UsageError(f"--camera {camera} is a file, not a camera: fer predict {camera} takes pictures and videos")
    flags = [*options.besides, *(["--shard"] if options.shard else []), *(["--resume"] if options.resume else [])]
    if flags:
        raise UsageError(
            f"--camera does not go with {' and '.join(flags)}: leave {'it' if len(flags) == 1 else 'them'} out"
        )
    if options.output is not None:
        if options.form not in ("csv", "jsonl"):
            raise UsageError(
                f"--output {options.output}: with --camera it must end in .csv or .jsonl, which take rows one by one"
            )
        refuse_existing(options.output, force=options.force)


def _smooth(predicted: Iterator[Predicted], options: PredictOptions) -> Iterator[Predicted]:
    """The same, each person's probabilities the mean of the last seconds: what comes later is not waited for."""
    history: dict[int, deque[tuple[float, dict[str, float]]]] = {}
    for item in predicted:
        now = item.result.time or 0.0
        faces = tuple(_average(face, now, history, options.smooth) for face in item.result.faces)
        item = replace(item, result=replace(item.result, faces=faces))
        yield from pipeline.mark_unsure([item], options.min_confidence) if options.min_confidence else [item]


def _average(
    face: FacePrediction, now: float, history: dict[int, deque[tuple[float, dict[str, float]]]], seconds: float
) -> FacePrediction:
    known = history.setdefault(face.track or 0, deque())
    known.append((now, face.probabilities))
    while known[0][0] < now - seconds:
        known.popleft()
    means = {name: sum(each[name] for _, each in known) / len(known) for name in face.probabilities}
    return replace_probabilities(face, means)
