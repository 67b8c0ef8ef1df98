"""A paper's figures beside the measured ones, as a table for the terminal."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from fercli.core.catalogue import Claim
    from fercli.metrics.paper_claims import Pair
    from fercli.workflows.evaluate.evaluation import Evaluation

_HEADINGS = {"precision": "precision", "recall": "recall", "f1": "F1"}

#: Columns that a measure's three figures take, with the gap before them.
_CELL = 20


def class_pairs(pairs: "Sequence[Pair]", width: int) -> Table | None:
    """The paper's figure, ours and the difference for each class and measure; None without such figures.

    A column a measure, or where the terminal is too narrow for that, a row a measure.
    """
    by_class = [pair for pair in pairs if pair.of != "all"]
    if not by_class:
        return None
    measures = [name for name in _HEADINGS if any(pair.measure == name for pair in by_class)]
    longest = max(len(pair.of) for pair in by_class)
    return _long(by_class) if longest + len(measures) * _CELL > width else _wide(by_class, measures)


def _wide(pairs: "Sequence[Pair]", measures: Sequence[str]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("class", no_wrap=True)
    for measure in measures:
        table.add_column(f"{_HEADINGS[measure]}\npaper  here   diff", justify="right", no_wrap=True)
    for name in dict.fromkeys(pair.of for pair in pairs):
        cells = {pair.measure: "  ".join(_figures(pair)) for pair in pairs if pair.of == name}
        table.add_row(Text(name), *(cells.get(measure, "") for measure in measures))
    return table


def _long(pairs: "Sequence[Pair]") -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("class", overflow="ellipsis", no_wrap=True)
    table.add_column("measure", no_wrap=True)
    for heading in ("paper", "here", "diff"):
        table.add_column(heading, justify="right", no_wrap=True)
    for pair in pairs:
        table.add_row(Text(pair.of), _HEADINGS[pair.measure], *_figures(pair))
    return table


def overall_pairs(pairs: "Sequence[Pair]", claim: "Claim") -> Table:
    """Accuracy over all classes: the paper's, ours, the difference, in percent."""
    table = Table.grid(padding=(0, 2))
    for pair in pairs:
        if pair.of != "all":
            continue
        stated, difference = "not stated", ""
        if pair.paper is not None and pair.difference is not None:
            spread = f" ± {claim.sd:g}" if claim.sd else ""
            stated = f"{100 * pair.paper:.2f}{spread} %"
            difference = f"{100 * pair.difference:+.2f} points"
        table.add_row(Text(pair.measure, "bold"), f"paper {stated}", f"here {100 * pair.here:.2f} %", difference)
    return table


def remarks(claim: "Claim", result: "Evaluation") -> list[str]:
    """What must be known to read the comparison."""
    found = [f"the paper measured on {claim.data}" + (f": {claim.note}" if claim.note else "")]
    if claim.data != result.data:
        found.append(f"here {result.data} was measured: other faces, so the difference is not the network's alone")
    if claim.measure == "element-wise accuracy":
        classes = len(result.scores.classes)
        fraction = f"{classes - 1}/{classes} = 0.{10**6 * (classes - 1) // classes:06}…"
        found.append(
            f"{fraction} is the element-wise accuracy of a network that never gives any class more than 0.5: it is no "
            "top-1 accuracy"
        )
    return found


def _figures(pair: "Pair") -> tuple[str, str, str]:
    """'0.62', '0.54', '-0.08'; blanks where the paper states nothing."""
    if pair.paper is None or pair.difference is None:
        return "", f"{pair.here:.2f}", ""
    return f"{pair.paper:.2f}", f"{pair.here:.2f}", f"{pair.difference:+.2f}"
