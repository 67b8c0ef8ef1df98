"""What a benchmark finds: lines of a table, each a ratio of two things measured side by side in one run."""

import argparse
import json
import os
import platform
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal


@dataclass(frozen=True)
class Row:
    """One thing measured beside another, in `unit`. `target` is what `gain` should be at least, where one is set."""

    what: str
    ours: float
    beside: str
    theirs: float
    unit: str
    better: Literal["more", "less"]
    target: float | None = None
    note: str = ""

    @property
    def gain(self) -> float:
        """How many times better ours is: above 1 for better, whichever way the unit points."""
        return self.ours / self.theirs if self.better == "more" else self.theirs / self.ours

    @property
    def verdict(self) -> str:
        """The target and whether it is met, in words; empty without one.

        A target below 1 says how many times worse is still good, as for a command beside a bare import.
        """
        if self.target is None:
            return ""
        wanted = f"at least {self.target:g} ×" if self.target >= 1 else f"within {1 / self.target:g} × the time"
        return f"{wanted}: {'met' if self.gain >= self.target else 'missed'}"

    def to_dict(self) -> dict[str, Any]:
        """All of it as JSON takes it."""
        return {**asdict(self), "gain": round(self.gain, 3), "verdict": self.verdict}


def table(rows: Sequence[Mapping[str, Any]]) -> str:
    """Rows, as `to_dict` gives them, as a table in Markdown."""
    lines = ["| what | here | beside | gain | target |", "|---|---|---|---|---|"]
    for row in rows:
        what = row["what"] + (f" ({row['note']})" if row["note"] else "")
        ours, theirs = f"{figure(row['ours'])} {row['unit']}", f"{figure(row['theirs'])} {row['unit']}"
        lines.append(f"| {what} | {ours} | {row['beside']}: {theirs} | {row['gain']:.2f} × | {row['verdict']} |")
    return "\n".join(lines)


def figure(value: float) -> str:
    """Three figures that count, without an exponent."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def machine() -> str:
    """What was measured on, in a line."""
    name = platform.processor() or platform.machine()
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        name = next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        pass
    return f"{name}, {os.cpu_count()} cores, Python {platform.python_version()}, torch {version('torch')}"


def print_rows(
    doc: str | None,
    measure: Callable[[argparse.Namespace], list[Row]],
    arguments: Callable[[argparse.ArgumentParser], None] = lambda parser: None,
) -> None:
    """The command line of a benchmark: its own arguments and --json; prints its rows."""
    parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="a JSON document instead of a table")
    arguments(parser)
    options = parser.parse_args()
    rows = [row.to_dict() for row in measure(options)]
    if options.json:
        print(json.dumps({"machine": machine(), "rows": rows}, indent=2))
    else:
        print(f"{table(rows)}\n\n{machine()}")
