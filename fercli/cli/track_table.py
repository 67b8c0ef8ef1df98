"""Videos as a table on the terminal: a row a person, because a row a frame would be a flood."""

from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from fercli.cli.prediction_table import LONGEST_NAME, class_heads, file_names

if TYPE_CHECKING:
    from fercli.workflows.predict.track_summary import VideoSummary

#: Characters of a row without file name and probabilities: person, from, to, frames, expression, confidence, gaps.
_MIDDLE = 49


def track_table(videos: "list[VideoSummary]", classes: tuple[str, ...], width: int) -> Table:
    """The table for a terminal of that many columns: the most frequent expression, means over a person's frames."""
    from fercli.core.times import clock

    names = file_names([video.source for video in videos])
    heads = class_heads(classes, width - _MIDDLE - min(LONGEST_NAME, max(map(len, names), default=0)))
    drawn = Table(box=None, pad_edge=False, collapse_padding=True, header_style="bold")
    drawn.add_column("video", overflow="fold")
    for head in ("person", "from", "to", "frames"):
        drawn.add_column(head, justify="right", no_wrap=True)
    drawn.add_column("mostly", no_wrap=True)
    for head in ("", *heads):
        drawn.add_column(head, justify="right", no_wrap=True)
    for video, name in zip(videos, names, strict=True):
        first = name
        for track in video.people:
            means = [
                Text(f"{100 * track.mean(c):.0f}", "bold" if c == track.label else "dim") for c in classes[: len(heads)]
            ]
            times = (clock(track.first, tenths=True), clock(track.last, tenths=True), f"{track.frames:,}")
            confidence = f"{100 * track.mean_confidence:.0f} %"
            drawn.add_row(Text(first), str(track.track), *times, Text(track.label, "bold"), confidence, *means)
            first = ""
        if others := len(video.tracks) - len(video.people):
            drawn.add_row(Text(first), Text(f"+ {others:,}", "dim"), "", "", "", Text("briefly", "dim"))
        if video.fault or not video.tracks:
            word = Text("failed", "red") if video.fault else Text("no face", "dim")
            drawn.add_row(Text("" if video.tracks else name), "", "", "", "", word)
    return drawn
