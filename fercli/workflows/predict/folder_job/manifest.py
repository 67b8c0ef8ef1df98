"""What a job works on, listed once: sources, their sizes and shards, as a Parquet file beside those of the shards."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from math import ceil
from pathlib import Path
from typing import Any

from fercli.core.errors import DataError, RunError, UsageError, reason_of
from fercli.faces.io.archives import Member
from fercli.faces.io.sources import Source
from fercli.faces.io.stores import StoredObject, restore_address
from fercli.workflows.predict.output.parquet import need_pyarrow
from fercli.workflows.predict.output.resume import JobRecord
from fercli.workflows.predict.results import source_text

#: The file's name. pandas, pyarrow and Spark take files whose names begin so for no data.
NAME = "_manifest.parquet"
_KEY = b"fercli"
#: A shard has about so many bytes of pictures unless its number is given.
_SHARD_BYTES = 100_000_000
#: What a picture costs beside its bytes, in bytes.
_OVERHEAD = 20_000


@dataclass(frozen=True)
class ShardTask:
    """One shard: its number, from 1 on, of how many, and its sources."""

    number: int
    count: int
    sources: tuple[Source, ...]

    @property
    def name(self) -> str:
        """The file that it is written to."""
        return f"shard-{self.number:05}-of-{self.count:05}.parquet"

    @property
    def result(self) -> Path:
        """What it counted, in the runner's folder."""
        return Path(f"{self.number:05}", "counts.json")

    def __str__(self) -> str:
        return f"shard {self.number} of {self.count}"


@dataclass(frozen=True)
class Manifest:
    """The inputs as they were typed, the number of shards that was asked for, if any, the job's record, and its shards
    in their order; there are fewer than asked for where there are fewer sources."""

    inputs: tuple[str, ...]
    asked: int | None
    record: JobRecord
    tasks: tuple[ShardTask, ...]

    def write(self, path: Path) -> None:
        """Write it. Raises UsageError for a path that the file cannot hold."""
        arrow = need_pyarrow(path)
        origin = {"inputs": self.inputs, "shards": self.asked, "record": self.record.to_dict()}
        columns = {
            "path": arrow.string(), "kind": arrow.string(), "error": arrow.string(), "bytes": arrow.int64(),
            "etag": arrow.string(), "in_store": arrow.bool_(), "is_archive": arrow.bool_(),
            "archive": arrow.string(), "member": arrow.int64(), "shard": arrow.int64(),
        }  # fmt: skip
        schema = arrow.schema(list(columns.items()), metadata={_KEY: json.dumps(origin)})
        rows = [_to_row(source) | {"shard": task.number} for task in self.tasks for source in task.sources]
        arrow.parquet.write_table(arrow.Table.from_pylist(rows, schema), str(path))

    @classmethod
    def read(cls, path: Path, name: str) -> "Manifest":
        """A manifest from a file; `name` is what messages call it. Raises DataError where it is damaged."""
        arrow = need_pyarrow(path)
        try:
            table = arrow.parquet.read_table(str(path))
            origin = json.loads(table.schema.metadata[_KEY])
            record = JobRecord.parse(origin["record"], path)
            rows = [(row["shard"], _to_source(row)) for row in table.to_pylist()]
            inputs, asked = tuple(map(str, origin["inputs"])), origin["shards"]
        except (arrow.ArrowException, OSError, ValueError, KeyError, TypeError, RunError) as error:
            raise DataError(f"{name} is no manifest of fer predict, or damaged: {reason_of(error)}") from error
        shards = [[source for _, source in group] for _, group in groupby(rows, lambda row: row[0])]
        return cls(inputs, asked, record, tuple(_make_tasks(shards)))


def make_manifest(inputs: Sequence[str], record: JobRecord, sources: Sequence[Source], count: int | None) -> Manifest:
    """Cut the sources, in their order, into `count` shards of about equal bytes, or as many as their bytes ask for.

    An archive in a store is for its shard to unpack. Raises UsageError for a path that no manifest can hold.
    """
    for source in sources:
        if (shown := source_text(source.path)) != restore_address(str(source.path)):
            raise UsageError(f"{shown}: a manifest cannot hold a name that is not UTF-8; write to a file, not a folder")
    ready = [replace(source, error="") if source.stored and source.stored.is_archive else source for source in sources]
    sizes = [_measure(source) for source in ready]
    known = [size for size in sizes if size is not None]
    usual = sum(known) / len(known) if known else 0
    weights = [(usual if size is None else size) + _OVERHEAD for size in sizes]
    wanted = count or ceil(sum(weights) / _SHARD_BYTES)
    return Manifest(tuple(inputs), count, record, tuple(_make_tasks(cut_evenly(ready, weights, wanted))))


def cut_evenly(sources: Sequence[Source], weights: Sequence[float], count: int) -> list[list[Source]]:
    """At most `count` runs of neighbours, none empty, of about equal weight: a source goes where its middle falls."""
    total, before = sum(weights), 0.0
    numbers = []
    for weight in weights:
        numbers.append(min(count - 1, int(count * (before + weight / 2) / total)))
        before += weight
    pairs = groupby(zip(numbers, sources, strict=True), lambda pair: pair[0])
    return [[source for _, source in group] for _, group in pairs]


def _make_tasks(shards: Sequence[Sequence[Source]]) -> Iterator[ShardTask]:
    for number, sources in enumerate(shards, 1):
        yield ShardTask(number, len(shards), tuple(sources))


def _measure(source: Source) -> int | None:
    """The size in bytes, None where it is not known: of what is in an archive, or was not listed, or is not there."""
    if source.stored:
        return source.stored.size
    try:
        return None if source.member or source.error else source.path.stat().st_size
    except OSError:
        return None


def _to_row(source: Source) -> dict[str, Any]:
    stored, member = source.stored, source.member
    return {
        "path": source_text(source.path),
        "kind": source.kind,
        "error": source.error or None,
        "bytes": _measure(source),
        "etag": stored.etag or None if stored else None,
        "in_store": stored is not None,
        "is_archive": stored is not None and stored.is_archive,
        "archive": str(member.archive) if member else None,
        "member": member.number if member else None,
    }


def _to_source(row: dict[str, Any]) -> Source:
    path = Path(row["path"])
    member = None if row["archive"] is None else Member(Path(row["archive"]), row["member"])
    stored = StoredObject(row["bytes"], row["etag"] or "", row["is_archive"]) if row["in_store"] else None
    return Source(path, Path(path.name), row["error"] or "", row["kind"], member, stored)
