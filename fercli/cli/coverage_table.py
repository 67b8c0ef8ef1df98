"""Accuracy against the share of faces answered, as a table for the terminal."""

from typing import TYPE_CHECKING

from rich.table import Table

if TYPE_CHECKING:
    from fercli.metrics.coverage import Coverage


def coverage_table(curve: "Coverage") -> Table:
    """A row for each share answered: from which confidence on, and how many of these are right.

    Levels that come to the same, because many faces are equally sure, are one row.
    """
    from fercli.metrics.coverage import LEVELS

    guess = 1 - curve.level(100).accuracy
    text = f"AURC {curve.aurc:.4f} ({guess:.4f} if confidence said nothing)"
    table = Table(box=None, pad_edge=False, header_style="bold", caption=text, caption_justify="left")
    for heading in ("answered", "faces", "confidence from", "accuracy", "95 % interval"):
        table.add_column(heading, justify="right", no_wrap=True)
    for level in dict.fromkeys(curve.level(percent) for percent in LEVELS):
        low, high = level.accuracy_interval
        table.add_row(
            f"{100 * level.share:.0f} %", f"{level.faces:,}", f"{100 * level.threshold:.1f} %",
            f"{100 * level.accuracy:.2f} %", f"{100 * low:.2f} to {100 * high:.2f} %",
        )  # fmt: skip
    return table
