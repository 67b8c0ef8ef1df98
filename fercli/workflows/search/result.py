"""What a study found, as the command's tables and its files tell it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fercli.core.config import RunConfig
from fercli.workflows.search.confirm import Ranking
from fercli.workflows.search.settings import StudyConfig

#: How many of the best trials are shown.
SHOWN = 10


@dataclass(frozen=True)
class TrialRow:
    """A trial for people: its state, the value of each objective where it came to its end, what it took."""

    number: int
    state: str
    values: tuple[float, ...]
    epochs: int
    seconds: float
    parameters: int
    multiply_adds: int
    #: what it had reached where it was given up
    reached: float | None
    settings: dict[str, Any]


@dataclass(frozen=True)
class SearchResult:
    """What a study found. `rows` are the trials that came to their end, the best first; `importance` is the fraction
    of the spread in the first objective that goes with each setting; `best` are the settings in best.yaml."""

    folder: Path
    config: StudyConfig
    counts: dict[str, int]
    rows: tuple[TrialRow, ...]
    importance: dict[str, float]
    ranking: Ranking | None
    best: RunConfig
    seconds: float

    @property
    def varied(self) -> list[str]:
        """The settings that differ among trials, the most important first."""
        space = self.config.parsed_space.dimensions
        names = [name for name in space if len(space[name].examples) > 1]
        return [*self.importance, *(name for name in names if name not in self.importance)]

    def to_dict(self) -> dict[str, Any]:
        """As JSON takes it."""
        return {
            "folder": str(self.folder),
            "objectives": list(self.config.objectives),
            "trials": self.counts,
            "best": [vars(row) | {"values": list(row.values)} for row in self.rows[:SHOWN]],
            "importance": self.importance,
            "confirmed": self.ranking.to_dict() if self.ranking else None,
            "seconds": self.seconds,
        }
