"""The campaign's table, for a terminal and for docs/reliability.md."""

import os
import platform
from collections.abc import Mapping
from pathlib import Path

from benchmarks.faults.campaign import Count

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reliability.md"
_BEGIN, _END = "<!-- begin campaign -->", "<!-- end campaign -->"


def table(counts: Mapping[str, Count]) -> str:
    """A row a kind, and one for all."""
    lines = ["| kind | cases | handled | refused in one line | failures | memory | seconds |", "|---|" + "--:|" * 6]
    total = Count()
    for name, count in counts.items():
        lines.append(_row(name, count))
        total.outcomes.update(count.outcomes)
        total.seconds += count.seconds
        total.memory = max(total.memory, count.memory)
    return "\n".join([*lines, _row("**all**", total)])


def _row(name: str, count: Count) -> str:
    failures = ", ".join(
        f"{number} {outcome}" for outcome, number in count.outcomes.items() if outcome not in ("result", "refused")
    )
    handled, refused = count.outcomes["result"], count.outcomes["refused"]
    memory = f"{count.memory / 1e6:,.0f} MB" if count.memory else ""
    return (
        f"| {name} | {count.cases:,} | {handled:,} | {refused:,} | {failures or 0} | {memory} | {count.seconds:,.0f} |"
    )


def section(counts: Mapping[str, Count], command: str, minutes: float, restarts: int) -> str:
    """The table with the command that made it and the machine."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    machine = f"{platform.system()} on {platform.machine()}, {cores} cores, Python {platform.python_version()}"
    return (
        f"`{command}`, {minutes:.0f} minutes, {machine}. Restarts of the process that reads "
        f"the files: {restarts}.\n\n{table(counts)}"
    )


def write(text: str, page: Path = PAGE) -> None:
    """Put a section between the page's markers."""
    before, begin, rest = page.read_text(encoding="utf-8").partition(_BEGIN)
    _, end, after = rest.partition(_END)
    if not (begin and end):
        raise SystemExit(f"{page} lacks the markers {_BEGIN} and {_END}")
    page.write_text(f"{before}{_BEGIN}\n{text}\n{_END}{after}", encoding="utf-8", newline="\n")
