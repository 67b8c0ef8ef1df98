"""The tables of docs/papers.md from the records of finished runs."""

import math
import statistics
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.papers_plan import CANNOT, CLAIMS, Row

#: How many standard errors a 95 % interval reaches either way.
_REACH = 1.96


@dataclass(frozen=True)
class Figure:
    """What some runs of a row reach, in percent: mean, sample standard deviation over seeds (0 for one seed), faces."""

    mean: float
    sd: float
    seeds: int
    faces: int

    @property
    def error(self) -> float:
        """The standard error of the mean: of so many faces drawn, and of so many seeds."""
        return math.hypot(_sampling(self.mean, self.faces), self.sd / math.sqrt(self.seeds))

    @property
    def interval(self) -> tuple[float, float]:
        """95 %, normal."""
        return self.mean - _REACH * self.error, self.mean + _REACH * self.error


def _sampling(percent: float, faces: int) -> float:
    """The standard error, in points, of an accuracy on so many faces."""
    return math.sqrt(percent * (100 - percent) / faces)


def figure(records: Sequence[Mapping[str, Any]], key: str = "accuracy", faces: str = "faces") -> Figure:
    """The figure of some runs, at least one."""
    values = [record[key] for record in records]
    spread = statistics.stdev(values) if len(values) > 1 else 0.0
    return Figure(statistics.fmean(values), spread, len(values), records[0][faces])


def verdict(found: Figure, claim: float, claimed_on: int) -> str:
    """'reproduced' where the claim lies in the interval or below it, 'within chance' where the difference is no larger
    than two such measurements of one network differ by (95 %), else 'not reproduced'."""
    if claim <= found.interval[1]:
        return "reproduced"
    reach = _REACH * math.hypot(found.error, _sampling(claim, claimed_on))
    return "within chance" if claim - found.mean <= reach else "not reproduced"


def _of(row: Row, records: Collection[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    return sorted((record for record in records if record["row"] == row.name), key=lambda record: record["seed"])


def _mean(found: Figure) -> str:
    return f"{found.mean:.2f}" + (f" ± {found.sd:.2f}" if found.seeds > 1 else "") + " %"


def _interval(found: Figure) -> str:
    low, high = found.interval
    return f"{low:.2f} to {high:.2f}"


def _command(records: Sequence[Mapping[str, Any]]) -> str:
    seeds = ", ".join(str(record["seed"]) for record in records[1:])
    return f"`{records[0]['command']}`" + (f", {seeds}" if seeds else "")


def _range(values: Sequence[float]) -> str:
    """'81', or '81 to 97'."""
    low, high = min(values), max(values)
    return f"{low:g}" if low == high else f"{low:g} to {high:g}"


def claims_table(records: Collection[Mapping[str, Any]]) -> str:
    """A row a claim: those that have a run, then those that wait for one, then those that cannot be had."""
    lines = [
        "| network | measured on | its paper | here | verdict | 95 % | difference | + mirrored | faces new to it "
        "| best epoch | minutes a run | command |",
        "|---|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    waiting = []
    for row in CLAIMS:
        runs = _of(row, records)
        if not runs:
            waiting.append(
                f"| `{row.model}` | {row.data} {row.split} | {row.claim.accuracy:g} % |"
                + " | not trained yet |"
                + " |" * 7
            )
            continue
        found, new = figure(runs), figure(runs, "new_accuracy", "new_faces")
        seeds = "" if found.seeds > 1 else ", one seed"
        note = f"; {row.note}" if row.note else ""
        lines.append(
            f"| `{row.model}` | {row.data} {row.split}, {found.faces:,} | {row.claim.accuracy:.2f} % | {_mean(found)} "
            f"| {verdict(found, row.claim.accuracy, row.claimed_on)}{seeds}{note} "
            f"| {_interval(found)} | {found.mean - row.claim.accuracy:+.2f} | {_mean(figure(runs, 'mirrored'))} "
            f"| {_mean(new)} of {new.faces:,} | {_range([run['best_epoch'] for run in runs])} of {runs[0]['epochs']} "
            f"| {_range([run['minutes'] for run in runs])} | {_command(runs)} |"
        )
    lines += waiting
    lines += [f"| {one.network} | | {one.claim} | | cannot be had: {one.why} |" + " |" * 7 for one in CANNOT]
    return "\n".join(lines)


def readings_table(rows: Sequence[Row], records: Collection[Mapping[str, Any]]) -> str:
    """A row a reading of a paper that has a run. Without a reading, it is the paper recipe as it stands."""
    lines = [
        "| reading | seeds | single | + mirrored | best epoch | verdict | command |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        runs = _of(row, records)
        if not runs:
            continue
        found, reading = figure(runs), row.reading or "as `paper` in models.yaml"
        lines.append(
            f"| {reading} | {found.seeds} | {_mean(found)} | {_mean(figure(runs, 'mirrored'))} "
            f"| {_range([run['best_epoch'] for run in runs])} of {runs[0]['epochs']} "
            f"| {verdict(found, row.claim.accuracy, row.claimed_on)} | {_command(runs)} |"
        )
        if all("unweighted_accuracy" in run for run in runs):
            plain = figure(runs, "unweighted_accuracy")
            said = verdict(plain, row.claim.accuracy, row.claimed_on)
            lines.append(f"| the same outputs, weights taken out | {plain.seeds} | {_mean(plain)} | | | {said} | |")
    return "\n".join(lines)


def classes_table(row: Row, records: Collection[Mapping[str, Any]]) -> str:
    """Precision and recall of each class beside the paper's, as a run has them and without its class weights."""
    lines = [
        "| expression | precision, its paper | here | weights taken out "
        "| recall, its paper | here | weights taken out |",
        "|---|---|---|---|---|---|---|",
    ]
    for run in _of(row, records)[:1]:
        for name, claimed in row.claim.per_class.items():
            cells = [
                cell
                for measure, claim in (("precision", claimed.precision), ("recall", claimed.recall))
                for cell in (claim, run["per_class"][name][measure], run["unweighted_per_class"][name][measure])
            ]
            lines.append(f"| {name} | " + " | ".join(f"{cell:.0f} %" for cell in cells) + " |")
    return "\n".join(lines)
