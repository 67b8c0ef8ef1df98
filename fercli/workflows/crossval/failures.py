"""Folds that broke down: kept beside the fold, so that neither a second attempt nor a restart forgets them."""

from dataclasses import asdict, dataclass
from pathlib import Path

from fercli.core.errors import FerError, reason_of
from fercli.core.files import read_json, write_json


@dataclass(frozen=True)
class Failure:
    """Why an attempt ended. `diverged` where the training itself did, so that only another seed helps."""

    reason: str
    diverged: bool


class FoldFailedError(Exception):
    """A fold broke down twice, or what it needs is not there. The pool tells the user."""


def read_failures(place: Path) -> list[Failure]:
    """The attempts of a fold that broke down, in their order."""
    file = place / "failed.json"
    rows = read_json(file) if file.is_file() else []
    # version 0.1 called it 'astray'
    return [Failure(row["reason"], row.get("diverged", row.get("astray", False))) for row in rows]


def record_failure(place: Path, failure: Failure) -> None:
    """Add an attempt that broke down."""
    write_json(place / "failed.json", [asdict(row) for row in (*read_failures(place), failure)])


def failure_of(error: Exception) -> Failure:
    """What an exception from a fold's training says to people."""
    text = reason_of(error)
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError" or "allocate memory" in text:
        return Failure("out of memory", diverged=False)
    return Failure(text, diverged=isinstance(error, FerError))
