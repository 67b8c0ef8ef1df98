"""The file of a job: it grows by whole lines, and goes on where an earlier start was broken off.

Beside `faces.csv` lies `faces.csv.job`, the record of what decides its rows and whether the job came to its end.
`faces.parquet` is made at the end, of JSON lines that grow beside it; the record then lies in its metadata.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from fercli.core.errors import RunError, UsageError
from fercli.core.files import write_text
from fercli.workflows.predict.growing import append, cut_back
from fercli.workflows.predict.parquet import need_pyarrow, parquet_origin, write_parquet
from fercli.workflows.predict.reader import read_predictions
from fercli.workflows.predict.record import JobRecord, parse_record, read_record
from fercli.workflows.predict.results import PictureResult
from fercli.workflows.predict.writers import Form


class JobFile:
    """A file of results in csv, jsonl or parquet, over any number of starts.

    Call `check`, then `begin`, then `write`, then `finish`. All raise RunError where a file cannot be written or read.
    """

    def __init__(self, path: Path, form: Form) -> None:
        self.path = path
        self.converted = form == "parquet"
        self._record = path.with_name(f"{path.name}.job")
        self._grows = path.with_name(f"{path.name}.part.jsonl") if self.converted else path
        self._form: Form = "jsonl" if self.converted else form

    @property
    def complete(self) -> bool:
        """Whether the file holds all that its job was to give, as far as is known."""
        return read_record(self._record).complete if self._record.is_file() else self.path.exists()

    @property
    def since(self) -> float | None:
        """When the job began that is resumed, as files have it: what is written later may be its own."""
        return self._record.stat().st_mtime if self._record.is_file() else None

    def check(self, resume: bool, force: bool) -> None:
        """Raises UsageError where the file must not be written, MachineError where pyarrow is missing for it."""
        if self.converted:
            need_pyarrow(self.path)
        ours = self._record.is_file()
        if resume and not self.path.exists() and (not ours or self.complete):
            raise UsageError(f"nothing to resume: there is no {self.path} (leave --resume out to begin)")
        if resume or force:
            return
        if ours and not self.complete:
            raise UsageError(f"{self.path} is of a job that was broken off: --resume goes on, --force starts over")
        if self.path.exists():
            adding = ", --resume adds the pictures that it lacks" if ours or self.converted else ""
            raise UsageError(f"{self.path} exists already: --force replaces it{adding}, or choose another name")

    def begin(self, job: JobRecord, resume: bool) -> Iterator[PictureResult]:
        """What earlier starts wrote, if the job is resumed. If it was broken off, without the last source's rows,
        which may not all be there.

        Raises RunError where it was begun with another model or other settings, naming them.
        """
        self._job, self._anew = job, not resume
        if not resume:
            return iter(())
        begun = self._begun()
        if differences := begun.differences(job):
            raise RunError(
                f"{self.path} was begun otherwise ({'; '.join(differences)}): go on as it was begun, or --force starts "
                "over"
            )
        if not self.complete and self._grows.exists():
            cut_back(self._grows, self._form, begun.whole)
        return self.earlier()

    def earlier(self) -> Iterator[PictureResult]:
        """What `begin` gave, once more; not to be asked for once results are written."""
        if self._anew:
            return iter(())
        return read_predictions(self.path) if self.complete else self._grown()

    def write(self, results: Iterable[PictureResult], classes: Sequence[str]) -> None:
        """Append the rows of each result as it comes."""
        if self._anew:
            self._grows.unlink(missing_ok=True)
            self._job.write(self._record)
        elif self.complete:
            if self.converted:
                write_text(self._grows, "")
                append(self._grows, self._form, read_predictions(self.path), classes)
            replace(self._job, whole=self._grows.stat().st_size).write(self._record)
        append(self._grows, self._form, results, classes)

    def finish(self, classes: Sequence[str]) -> None:
        """Say that the job came to its end; a parquet file is made now."""
        done = replace(self._job, complete=True)
        if not self.converted:
            done.write(self._record)
            return
        write_parquet(self.path, self._grown(), classes, done.to_dict())
        self._record.unlink()
        self._grows.unlink()

    def _begun(self) -> JobRecord:
        if self._record.is_file():
            return read_record(self._record)
        if self.converted:
            return parse_record(parquet_origin(self.path), self.path)
        raise RunError(
            f"{self.path} has no {self._record.name} beside it, which says what model and settings made it: "
            "choose another name, or --force starts over"
        )

    def _grown(self) -> Iterator[PictureResult]:
        size = self._grows.stat().st_size if self._grows.exists() else 0
        return read_predictions(self._grows) if size else iter(())
