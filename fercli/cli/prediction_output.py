"""Where the results of `fer predict` go: a table, standard output or a file, in the form that was asked for."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TextIO

if TYPE_CHECKING:
    from fercli.workflows.predict.results import PictureResult

Form = Literal["table", "csv", "jsonl", "json"]


def chosen_form(form: Form | None, as_json: bool, output: Path | None) -> Form:
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


def refuse_existing(output: Path | None, force: bool) -> None:
    """Raises UsageError where something is there already."""
    from fercli.core.errors import UsageError

    if output and output.exists() and not force:
        raise UsageError(f"{output} exists already: --force replaces it, or choose another name")


def write(results: "Iterator[PictureResult]", classes: tuple[str, ...], form: Form, output: Path | None) -> None:
    """Print the results, or write them to the file."""
    if form == "table":
        from fercli.cli.prediction_table import print_table

        print_table(results, classes)
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
