"""What corruptions cost a network, as a table for the terminal."""

from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from fercli.metrics.robustness import CorruptedScores
    from fercli.workflows.evaluate.robustness import Robustness

#: Columns that the table needs with the amounts and with whole headings.
_ROOMY = 90


def corruption_table(measured: "Robustness", width: int) -> Table:
    """A row a corruption and strength: accuracy, what was lost, macro recall and calibration error, in percent and
    points.

    Where the terminal is narrow the amounts are left out and headings stand in two lines.
    """
    roomy = width >= _ROOMY
    table = Table(
        box=None, pad_edge=False, header_style="bold", title_justify="left", title_style="dim",
        title="corrupted faces: percent, and points against the same faces as they are",
    )  # fmt: skip
    for heading in ("corruption", "strength", *(("amount",) if roomy else ())):
        table.add_column(heading, no_wrap=True)
    for heading in ("accuracy", "difference\n± 95 %", "macro\nrecall", "calibration\nerror" if roomy else "ECE"):
        table.add_column(heading, justify="right", no_wrap=True)
    clean = measured.clean
    accuracy, *others = (
        f"{100 * share:.2f}" for share in (clean.accuracy, clean.balanced_accuracy, clean.calibration_error)
    )
    table.add_row("none", "", *("",) * roomy, Text(accuracy, "bold"), "", *others)
    for row in measured.rows:
        first = row.strength == measured.rows[0].strength
        amount = (row.amount,) if roomy else ()
        table.add_row(row.corruption if first else "", row.strength, *amount, *_figures(row))
    return table


def _figures(row: "CorruptedScores") -> tuple[str, ...]:
    """Percent, and points with half the interval's width."""
    interval = row.difference
    reach = 50 * (interval.high - interval.low)
    lost = f"{100 * interval.mean:+.1f} ± {reach:.1f}"
    return f"{100 * row.accuracy:.2f}", lost, f"{100 * row.macro_recall:.2f}", f"{100 * row.calibration_error:.2f}"
