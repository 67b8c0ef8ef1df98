"""The people in videos as a table, a row each: how long they are in view, and what they showed."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from fercli.core.errors import UsageError
from fercli.core.files import check_writable, refuse_existing, write_text
from fercli.workflows.predict.output.writers import csv_line, guard_cell
from fercli.workflows.predict.results import UNSURE, source_text

if TYPE_CHECKING:
    from fercli.workflows.predict.video import TrackSummary, VideoSummary

#: The columns before those of the expressions.
_COLUMNS = ("source", "person", "brief", "from", "to", "in_view", "frames", "label", "confidence")


def check_people_file(path: Path, force: bool, resume: bool) -> None:
    """Raises UsageError where the table must not be written, RunError where it cannot be. A job that is resumed writes
    it anew."""
    if path.suffix.lower() != ".csv":
        raise UsageError(f"--by-person {path}: the name must end in .csv")
    refuse_existing(path, force=force or resume)
    check_writable(path)


def write_people(path: Path, videos: "Iterable[VideoSummary]", classes: Sequence[str]) -> None:
    """Write the table whole. Raises RunError where that is not possible."""
    write_text(path, "".join(format_people(list(videos), classes)))


def format_people(videos: "Sequence[VideoSummary]", classes: Sequence[str]) -> Iterator[str]:
    """Lines of csv: the header, then a row a person. Of each expression, and of 'unsure' where it occurs: the fraction
    of the person's frames, the longest stretch in seconds, and the mean probability."""
    unsure = any(UNSURE in track.labels for video in videos for track in video.tracks.values())
    labels = [*classes, *([UNSURE] if unsure else [])]
    fractions = [f"{name}_fraction" for name in labels]
    stretches = [f"{name}_longest" for name in labels]
    yield csv_line([*_COLUMNS, *fractions, *stretches, *(f"{name}_mean" for name in classes)])
    for video in videos:
        people = {track.track for track in video.people}
        for track in video.tracks.values():
            yield csv_line(_list_values(video, track, track.track not in people, labels, classes))


def _list_values(
    video: "VideoSummary", track: "TrackSummary", brief: bool, labels: Sequence[str], classes: Sequence[str]
) -> list[object]:
    step = video.step
    return [
        guard_cell(source_text(video.source)),
        track.track,
        "yes" if brief else "no",
        round(track.first, 3),
        round(track.last, 3),
        round(track.frames * step, 3),
        track.frames,
        track.label,
        round(track.mean_confidence, 6),
        *(round(track.labels[name] / track.frames, 6) for name in labels),
        *(round(track.longest.get(name, 0) * step, 3) for name in labels),
        *(round(track.mean(name), 6) for name in classes),
    ]
