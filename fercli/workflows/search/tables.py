"""A study's tables as text, for the terminal and the page, and its verdict in a sentence."""

from collections.abc import Mapping
from typing import Any

from fercli.core.text import format_count, format_duration
from fercli.workflows.search.confirm import DEFAULT, Ranking
from fercli.workflows.search.result import SHOWN, SearchResult
from fercli.workflows.search.settings import StudyConfig

Table = tuple[list[str], list[list[str]]]


def describe_counts(result: SearchResult) -> str:
    """How many trials there were, and how they ended."""
    counts = ", ".join(f"{count} {name}" for name, count in result.counts.items() if count and name != "tried")
    return f"{format_count(result.counts['tried'], 'trial')} ({counts}), {format_duration(result.seconds)} of training"


def list_best(result: SearchResult) -> Table:
    """The best trials, the settings that differ among all trials as columns, the most important first."""
    names = result.varied
    rows = [
        [
            str(row.number),
            *(format_objective(name, value) for name, value in zip(result.config.objectives, row.values, strict=True)),
            f"{row.parameters:,}",
            *(format_setting(row.settings[name]) if name in row.settings else "–" for name in names),
        ]
        for row in result.rows[:SHOWN]
    ]
    return ["trial", *result.config.objectives, "parameters", *names], rows


def list_confirmed(ranking: Ranking, config: StudyConfig) -> Table:
    """The candidates that were trained anew, the best first."""
    name = config.objectives[0]
    columns = ["", f"{name}, mean", "SD", *(f"seed {config.run.seed + 1 + index}" for index in range(config.seeds))]
    rows = [
        [
            row.name if row.name == DEFAULT else f"trial {int(row.name.removeprefix('trial-'))}",
            format_objective(name, row.mean),
            "–" if row.sd is None else format_objective(name, row.sd),
            *(format_objective(name, value) for value in row.first),
        ]
        for row in ranking.rows
    ]
    return columns, rows


def describe_verdict(result: SearchResult) -> str:
    """What came of it, in a sentence or two."""
    ranking, name = result.ranking, result.config.objectives[0]
    if ranking is None or ranking.winner is None or ranking.lead is None:
        return "The best trials were not trained anew, so nothing is said of them beyond one training each."
    lead, winner = ranking.lead, ranking.winner
    default = next(row for row in ranking.rows if row.name == DEFAULT)
    seeds = len(winner.values)
    figures = f"{name} {format_objective(name, winner.mean)}, the default {format_objective(name, default.mean)}"
    who = f"The best of {result.counts['tried']} trials, trained anew on {seeds} seeds: {figures}."
    if seeds < 2:
        return f"{who} One seed tells nothing of chance: --seeds 3 does."
    chance = f"p = {lead.p:.3f}" if lead.p >= 0.001 else "p < 0.001"
    if lead.mean <= 0:
        return f"{who} Nothing beats the default; best.yaml has the best trial all the same."
    if ranking.beats_default:
        return f"{who} It beats the default ({chance}, paired over the seeds, corrected for the choice)."
    return f"{who} Chance may explain that ({chance}, paired over the seeds, corrected for the choice)."


def format_objective(name: str, value: float) -> str:
    """An objective's value: percent, nats or a count."""
    if name in ("accuracy", "macro-recall"):
        return f"{100 * value:.2f} %"
    return f"{value:,.0f}" if name in ("parameters", "multiply-adds") else f"{value:.4f}"


def format_setting(value: Any) -> str:
    """A setting's value in few characters."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def list_importance(importance: Mapping[str, float]) -> Table:
    """How much of the spread goes with each setting."""
    return ["setting", "importance"], [[name, f"{100 * value:.0f} %"] for name, value in importance.items()]
