"""Faces of a video get the number of the person they belong to."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from fercli.faces.video.shots import ShotDetector
from fercli.faces.video.track import FaceTracker
from fercli.workflows.predict.results import Predicted

#: The fewest frames in which a person is seen, and the seconds that these make up together. What the detector now and
#: then takes for a face is seen for less.
_FEWEST, _SECONDS = 3, 1.0


def lasts(seen: int, frames: int, seconds: float) -> bool:
    """Whether a track counts as a person that is seen in so many of a video's looked-at frames.

    `seconds` lie between the first and the last of the frames. In a video of fewer frames than that who is in all of
    them is a person.
    """
    needed = _SECONDS * (frames - 1) / seconds if seconds else 0.0
    return seen >= min(frames, max(_FEWEST, round(needed)))


def tracking(predicted: Iterable[Predicted]) -> Iterator[Predicted]:
    """The same, with a track for every face of a video; each video's begin at 1. Pictures pass as they are.

    A track ends where a shot does: after a cut another face may be in the same place.
    """
    video: Path | None = None
    tracks, shots = FaceTracker(), ShotDetector()
    for one in predicted:
        result = one.result
        if result.time is None:
            yield one
            continue
        if result.source != video:
            video, tracks, shots = result.source, FaceTracker(), ShotDetector()
        if one.picture.pixels is not None and shots.is_cut(one.picture.pixels):
            tracks.reset()
        numbers = tracks.update([face.detection.box for face in result.faces], result.time)
        faces = tuple(replace(face, track=number) for face, number in zip(result.faces, numbers, strict=True))
        yield replace(one, result=replace(result, faces=faces))
