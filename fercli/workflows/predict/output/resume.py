"""The file of a job: it grows by whole lines, and an interrupted job is resumed from what it holds.

Beside `faces.csv` lies `faces.csv.job`, the record of what decides its rows and whether the job came to its end.
`faces.parquet` is made at the end, of JSON lines that grow beside it; the record then lies in its metadata.
"""

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Self

import fercli
from fercli.core.errors import RunError, UsageError, reason_of
from fercli.core.files import file_digest, read_json, refuse_existing, write_json, write_text
from fercli.core.text import shorten
from fercli.workflows.predict.options import PredictOptions, Setting
from fercli.workflows.predict.output import Form, form_of
from fercli.workflows.predict.output.readers import READERS, CutOffError, read_predictions
from fercli.workflows.predict.output.schema import SCHEMA, classes_of, columns
from fercli.workflows.predict.output.writers import append_results
from fercli.workflows.predict.results import PictureResult

_DEFAULTS = PredictOptions().resume_key()
#: Marks what is typed now, beside what a job was begun with.
NOW = "now "


@dataclass(frozen=True)
class JobRecord:
    """Version, model, and the options that change what a row says, by the names of their flags.

    `weights` has the SHA-256 of the model's file, or of each member of an ensemble. `complete` is whether the job
    came to its end; `whole` the size in bytes that its file had, complete, when pictures were last added to it;
    `schema` the version of the columns.
    """

    version: str
    model: str
    weights: tuple[str, ...]
    settings: Mapping[str, Setting] = field(default_factory=dict)
    complete: bool = False
    whole: int = 0
    schema: int = SCHEMA

    @classmethod
    def of(cls, model: str | None, settings: Mapping[str, Setting]) -> Self:
        """The record of a job with that model, as load_model takes it. Raises ModelError where there is none."""
        from fercli.models.catalogue_file import read_catalogue
        from fercli.models.locate import member_names, weights_path

        names = member_names(model or read_catalogue().shipped)
        paths = [weights_path(name) for name in names]
        shown = [str(path.parent) if name == "last" else name for name, path in zip(names, paths, strict=True)]
        return cls(fercli.__version__, "+".join(shown), tuple(map(file_digest, paths)), dict(settings))

    @classmethod
    def parse(cls, document: Any, path: Path) -> Self:
        """A record from plain values; what another version wrote besides is ignored. Raises RunError, naming `path`,
        where they are no record."""
        try:
            known = {each.name: document[each.name] for each in fields(cls) if each.name in document}
            # the first version's files do not say that they are
            record = cls(**{"schema": 1, **known, "weights": tuple(known["weights"])})
            if not all(isinstance(text, str) for text in (record.version, record.model, *record.weights)):
                raise ValueError("a name in it is no text")
            return replace(record, settings=dict(record.settings), whole=int(record.whole))
        except (TypeError, KeyError, ValueError, AttributeError, OverflowError) as error:
            raise RunError(f"{path} is no record of a job of fer predict, or damaged: {reason_of(error)}") from error

    def differences(self, other: Self, mark: str = "") -> list[str]:
        """What the two do not share, as 'name: this one's, the other's', with `mark` before what is the other's."""
        return [f"{name}: {mine}, {mark}{theirs}" for name, mine, theirs in self._differences(other)]

    def _differences(self, other: Self) -> Iterator[tuple[str, object, object]]:
        if self.version != other.version:
            yield "fercli", self.version, other.version
        if self.schema != other.schema:
            yield "schema", self.schema, other.schema
        if self.weights != other.weights:
            names = (self.model, other.model)
            shown = names if names[0] != names[1] else [f"{job.model} {job._digests()}" for job in (self, other)]
            yield "model", shown[0], shown[1]
        for name in {**self.settings, **other.settings}:
            mine, theirs = self.settings.get(name), other.settings.get(name)
            if mine != theirs:
                yield name, _show(mine), _show(theirs)

    def _digests(self) -> str:
        return f"({' '.join(digest[:8] for digest in self.weights)})"

    def write(self, path: Path) -> None:
        """Write it whole. Raises RunError where that is not possible."""
        write_json(path, self.to_dict())

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)


class JobFile:
    """A file of results in csv, jsonl or parquet, over any number of runs.

    Call `check`, then `begin`, then `write`, then `finish`. All raise RunError where a file cannot be written or read.
    """

    def __init__(self, path: Path, form: Form) -> None:
        self.path = path
        self.converted = form == "parquet"
        self._record = path.with_name(f"{path.name}.job")
        self._grows = path.with_name(f"{path.name}.part.jsonl") if self.converted else path
        self._form: Form = "jsonl" if self.converted else form
        #: the options that the record of a resumed job lacks, since they are newer, as 'name: default'
        self.assumed: list[str] = []

    @property
    def complete(self) -> bool:
        """Whether the file holds all that its job was to give, as far as is known."""
        return self._read_record().complete if self._record.is_file() else self.path.exists()

    @property
    def begun(self) -> bool:
        """Whether there is a job to resume."""
        return self._record.is_file() or self.path.exists()

    @property
    def started(self) -> float | None:
        """When the job began that is resumed, as a file's time: what was written later may be its own."""
        return self._record.stat().st_mtime if self._record.is_file() else None

    def check(self, resume: bool, force: bool) -> None:
        """Raises UsageError where the file must not be written, MachineError where pyarrow is missing for it."""
        if self.converted:
            from fercli.workflows.predict.output.parquet import need_pyarrow

            need_pyarrow(self.path)
        ours = self._record.is_file()
        if resume and not self.path.exists() and (not ours or self.complete):
            raise UsageError(f"nothing to resume: there is no {self.path} (leave --resume out to begin)")
        if resume or force:
            return
        if ours and not self.complete:
            raise UsageError(f"{self.path} is of an interrupted job: --resume continues it, --force starts over")
        can_add = ours or self.converted
        otherwise = "--resume adds the pictures that it lacks" if can_add else "choose another name"
        refuse_existing(self.path, force=False, otherwise=otherwise)

    def begin(self, job: JobRecord, resume: bool) -> Iterator[PictureResult]:
        """What earlier runs wrote, if the job is resumed. If it was interrupted, without the last source's rows, which
        may not all be there.

        Raises RunError where it was begun with another version, model or other options, or has other columns, naming
        them.
        """
        self._job, self._anew = job, not resume
        if not resume:
            return iter(())
        begun = self.find_record()
        newer = {name: _DEFAULTS.get(name) for name in job.settings if name not in begun.settings}
        self.assumed = [f"{name}: {_show(value)}" for name, value in newer.items()]
        begun = replace(begun, settings={**begun.settings, **newer})
        if differences := [
            *begun.differences(job, NOW),
            *_column_differences(self.path if self.complete else self._grows),
        ]:
            shown = shorten("; ".join(differences), 300)
            raise RunError(
                f"{self.path} was begun differently ({shown}): use the same version and settings, or "
                "--force starts over"
            )
        if not self.complete and self._grows.exists():
            cut_back(self._grows, self._form, begun.whole)
        return self.earlier()

    def earlier(self) -> Iterator[PictureResult]:
        """What `begin` gave, once more; not to be asked for once results are written."""
        if self._anew:
            return iter(())
        return read_predictions(self.path) if self.complete else self._read_grown()

    def write(self, results: Iterable[PictureResult], classes: Sequence[str]) -> None:
        """Append the rows of each result as it comes."""
        if self._anew:
            self._grows.unlink(missing_ok=True)
            self._job.write(self._record)
        elif self.complete:
            if self.converted:
                write_text(self._grows, "")
                append_results(self._grows, self._form, read_predictions(self.path), classes)
            replace(self._job, whole=self._grows.stat().st_size).write(self._record)
        append_results(self._grows, self._form, results, classes)

    def finish(self, classes: Sequence[str]) -> None:
        """Record that the job came to its end; a parquet file is made now."""
        if not self._grows.exists():
            raise RunError(f"{self._grows} was removed while the job ran: its rows are lost, start again with --force")
        done = replace(self._job, complete=True)
        if not self.converted:
            done.write(self._record)
            return
        from fercli.workflows.predict.output.parquet import write_parquet

        write_parquet(self.path, self._read_grown(), classes, done.to_dict())
        self._record.unlink()
        self._grows.unlink()

    def _read_record(self) -> JobRecord:
        return JobRecord.parse(read_json(self._record), self._record)

    def find_record(self) -> JobRecord:
        """The record of the job that wrote the file. Raises RunError where there is none."""
        if self._record.is_file():
            return self._read_record()
        if self.converted:
            from fercli.workflows.predict.output.parquet import read_origin

            return JobRecord.parse(read_origin(self.path), self.path)
        raise RunError(
            f"{self.path} has no {self._record.name} beside it, which says what model and settings made it: "
            "choose another name, or --force starts over"
        )

    def _read_grown(self) -> Iterator[PictureResult]:
        size = self._grows.stat().st_size if self._grows.exists() else 0
        return read_predictions(self._grows) if size else iter(())


def _column_differences(path: Path) -> list[str]:
    """What a file's columns, if it has rows, lack and have too much: rows can be added to the same columns only."""
    try:
        line = next(READERS[form_of(path)](path), None) if path.exists() else None
    except CutOffError:
        line = None
    names = list(line.values) if line else []
    expected = list(columns(classes_of(names))) if line else []
    differences = [f"no column {name}" for name in expected if name not in names]
    differences += [f"a column {name}" for name in names if name not in expected]
    return differences or ["columns in another order"] * (names != expected)


def cut_back(path: Path, form: Form, whole: int = 0) -> None:
    """Cut off the rows of the last source, some of which may be missing, and what is no whole row.

    The first `whole` bytes are known to be complete: a source that begins in them keeps its rows. Raises DataError
    where the file is damaged before its end.
    """
    source, start, end = None, 0, 0
    try:
        for line in READERS[form](path):
            if line.values["source"] != source:
                source, start = line.values["source"], end
            end = line.end
    except CutOffError:
        pass
    os.truncate(path, end if start < whole else start)


def _show(value: Setting) -> str:
    """As people write it: yes and no, and a dash for what is not set."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "-" if value is None else str(value)
