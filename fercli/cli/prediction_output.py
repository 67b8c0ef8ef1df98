"""Where the results of `fer predict` go: a table, standard output or a file, in the form that was asked for."""

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TextIO

from fercli.cli import console
from fercli.cli.prediction_tally import Tally

if TYPE_CHECKING:
    from fercli.faces.io.sources import Source
    from fercli.workflows.predict.job_file import JobFile
    from fercli.workflows.predict.record import Setting
    from fercli.workflows.predict.results import PictureResult

#: What standard output takes, and parquet, which only a file holds.
Shown = Literal["table", "csv", "jsonl", "json"]
Form = Shown | Literal["parquet"]


def chosen_form(form: Shown | None, as_json: bool, output: Path | None) -> Form:
    """The one form that the flags and the file's ending agree on. Raises UsageError where they do not."""
    from fercli.core.errors import UsageError
    from fercli.workflows.predict.writers import form_of

    wanted: dict[str, Form] = {"--json": "json"} if as_json else {}
    if form:
        wanted[f"--format {form}"] = form
    if output:
        wanted[f"--output {output}"] = form_of(output)
    if len(set(wanted.values())) > 1:
        raise UsageError(f"{' and '.join(wanted)} name different forms: leave one out")
    return next(iter(wanted.values()), "table")


def output_file(output: Path | None, form: Form, resume: bool, force: bool) -> "JobFile | None":
    """The file that grows with the job, if results go to one. Raises UsageError where it must not be written."""
    from fercli.core.errors import UsageError
    from fercli.workflows.predict.job_file import JobFile

    if resume and force:
        raise UsageError("--resume continues what --force would start over: leave one out")
    if output is None or form == "table" or form == "json":
        if resume:
            json = ": a JSON document is written whole, at its end" if form == "json" else ""
            raise UsageError(f"--resume goes on with an --output FILE.csv, .jsonl or .parquet{json}")
        if output and output.exists() and not force:
            raise UsageError(f"{output} exists already: --force replaces it, or choose another name")
        return None
    file = JobFile(output, form)
    file.check(resume, force)
    return file


def still_to_do(
    sources: "list[Source]",
    file: "JobFile",
    resume: bool,
    model: str | None,
    settings: "Mapping[str, Setting]",
    tally: Tally,
) -> "list[Source]":
    """Begin the file's job, or go on with it: the sources that it lacks; those it has are counted.

    Raises RunError where it was begun with another model or other settings.
    """
    from fercli.workflows.predict.record import job_record
    from fercli.workflows.predict.results import source_text

    done = tally.earlier(file.begin(job_record(model, settings), resume))
    left = [source for source in sources if source_text(source.path) not in done]
    if resume and left:
        console.note(f"going on with {file.path}: {len(done):,} done, {len(left):,} left")
    return left


def write(
    results: "Iterator[PictureResult]",
    classes: tuple[str, ...],
    form: Form,
    output: Path | None,
    file: "JobFile | None" = None,
) -> None:
    """Print the results, or write them to the file."""
    if form == "table":
        from fercli.cli.prediction_table import print_table

        print_table(results, classes)
        return
    if file:
        file.write(results, classes)
        return
    from fercli.workflows.predict.writers import WRITERS

    with _opened(output) as stream:
        for text in WRITERS[form](results, classes):
            stream.write(text)
            stream.flush()


@contextmanager
def _opened(output: Path | None) -> Iterator[TextIO]:
    if output is None:
        yield sys.stdout
        return
    from fercli.core.files import written_whole

    with written_whole(output) as temporary, temporary.open("w", encoding="utf-8", newline="\n") as file:
        yield file
