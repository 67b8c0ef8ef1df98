"""Annotated copies of videos, written while the faces in them are named."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path

from fercli.faces.drawing.labels import annotate
from fercli.faces.video.read import read_video_info
from fercli.faces.video.write import VideoWriter
from fercli.workflows.predict.results import Predicted


def filming(predicted: Iterable[Predicted], copies: Mapping[Path, Path], every: float = 0.0) -> Iterator[Predicted]:
    """The same, with the copy of each video written on the way, whole or not at all; pictures are for `drawing`.

    A copy has the frames that were looked at, at least `every` seconds apart, and lasts as long as its video.
    Raises RunError where it cannot be written.
    """
    with ExitStack() as opened:
        film: VideoWriter | None = None
        video: Path | None = None
        for one in predicted:
            result = one.result
            if result.source != video:
                opened.close()
                film, video = None, result.source
            if one.picture.pixels is not None and result.time is not None:
                if film is None:
                    film = opened.enter_context(VideoWriter(copies[result.source], _rate(result.source, every)))
                captions = [(face.detection.box, face.caption) for face in result.faces]
                film.write(annotate(one.picture.pixels, captions), result.time)
            yield one


def _rate(video: Path, every: float) -> float:
    """How many frames a second are looked at."""
    rate = read_video_info(video).rate
    return min(rate, 1 / every) if every else rate
