"""The table of groups that `fer eval --by` shows."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from fercli.metrics.groups import GroupScores

#: Columns from which intervals have room.
_ROOMY = 100


def group_table(column: str, scores: "Sequence[GroupScores]", width: int) -> Table:
    """A row a group: accuracy, macro recall and calibration error in percent with intervals, and the difference from
    the others in points. A narrow terminal has no intervals but that of the difference."""
    roomy = width >= _ROOMY
    table = Table(
        box=None, pad_edge=False, header_style="bold", title_justify="left", title_style="dim",
        title=f"by {column}, in percent; difference: recall minus that of all others with the same classes, in points",
    )  # fmt: skip
    table.add_column(column, overflow="ellipsis")
    for heading in ("faces", "accuracy", "macro\nrecall", "ECE", "difference", "p, Holm"):
        table.add_column(heading, justify="right", no_wrap=True)
    for row in scores:
        table.add_row(
            Text(row.group) if row.group else Text("not known", "dim"),
            f"{row.faces:,}",
            _show(row.accuracy, row.accuracy_interval, roomy),
            _show(row.macro_recall, row.macro_recall_interval, roomy),
            f"{100 * row.calibration_error:.1f}",
            *_show_difference(row),
        )
    return table


def describe_power(accuracy: float) -> str:
    """How large a group must be to tell anything."""
    from fercli.metrics.groups import FEWEST, faces_needed

    return (
        f"to detect a difference of 5 points you need about {faces_needed(accuracy):,} faces per group; groups of "
        f"fewer than {FEWEST} are not compared; faces count as independent"
    )


def _show(value: float, interval: tuple[float, float], roomy: bool) -> str:
    low, high = interval
    return f"{100 * value:.1f} ({100 * low:.1f} to {100 * high:.1f})" if roomy else f"{100 * value:.1f}"


def _show_difference(row: "GroupScores") -> tuple[Text, Text]:
    if row.difference is None:
        return Text("-"), Text("-")
    found = row.difference
    style = "bold" if found.p < 0.05 else ""
    text = f"{100 * found.mean:+.1f} ({100 * found.low:+.1f} to {100 * found.high:+.1f})"
    return Text(text, style), Text(f"{found.p:.3f}" if found.p >= 0.001 else "<0.001", style)
