"""What decides the rows of a job, kept beside its file: whoever goes on with it must mean the same."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Self

import fercli
from fercli.core.errors import RunError
from fercli.core.files import file_digest, read_json, write_json

Setting = str | int | float | bool | None


@dataclass(frozen=True)
class JobRecord:
    """Version, model, and the settings that change what a row says, by the names of their flags.

    `weights` has the SHA-256 of the model's file, or of each member's of an average. `complete` is whether the job
    came to its end; `whole` the bytes of its file that were there when it was last gone on with from its end.
    """

    version: str
    model: str
    weights: tuple[str, ...]
    settings: Mapping[str, Setting] = field(default_factory=dict)
    complete: bool = False
    whole: int = 0

    def differences(self, other: Self) -> list[str]:
        """What the two do not share, as 'name: this one's, the other's'."""
        return list(self._differences(other))

    def _differences(self, other: Self) -> Iterator[str]:
        if self.version != other.version:
            yield f"fercli: {self.version}, {other.version}"
        if self.weights != other.weights:
            names = (self.model, other.model)
            marks = names if names[0] != names[1] else [f"{one.model} {one._mark()}" for one in (self, other)]
            yield f"model: {marks[0]}, {marks[1]}"
        for name in {**self.settings, **other.settings}:
            one, two = self.settings.get(name), other.settings.get(name)
            if one != two:
                yield f"{name}: {_shown(one)}, {_shown(two)}"

    def _mark(self) -> str:
        return f"({' '.join(digest[:8] for digest in self.weights)})"

    def write(self, path: Path) -> None:
        """Write it whole. Raises RunError where that is not possible."""
        write_json(path, self.to_dict())

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)


def job_record(model: str | None, settings: Mapping[str, Setting]) -> JobRecord:
    """The record of a job with that model, as load_model takes it. Raises ModelError where there is none."""
    # they import torch, which whoever is refused should not wait for
    from fercli.models.catalogue import load_catalogue
    from fercli.models.loaded import member_names, weights_path

    names = member_names(model or load_catalogue().default)
    paths = [weights_path(name) for name in names]
    shown = [str(path.parent) if name == "last" else name for name, path in zip(names, paths, strict=True)]
    return JobRecord(fercli.__version__, "+".join(shown), tuple(map(file_digest, paths)), dict(settings))


def read_record(path: Path) -> JobRecord:
    """The record in a file. Raises RunError where it is missing or damaged."""
    return parse_record(read_json(path), path)


def parse_record(document: Any, path: Path) -> JobRecord:
    """A record from plain values. Raises RunError, naming `path`, where they are none."""
    try:
        record = JobRecord(**{**document, "weights": tuple(document["weights"])})
        return replace(record, settings=dict(record.settings), whole=int(record.whole))
    except (TypeError, KeyError, ValueError) as error:
        raise RunError(f"{path} is no record of a job of fer predict, or damaged: {error}") from error


def _shown(value: Setting) -> str:
    """As people write it: yes and no, and a dash for what is not set."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "-" if value is None else str(value)
