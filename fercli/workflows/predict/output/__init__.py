"""What predictions are written as, and how a file's name says so."""

from pathlib import Path
from typing import Literal

from fercli.core.errors import UsageError

Form = Literal["csv", "jsonl", "json", "parquet"]

FORMS: tuple[Form, ...] = ("csv", "jsonl", "json", "parquet")


class UnknownFormError(UsageError):
    """A file's ending names no form."""


def form_of(path: Path) -> Form:
    """The form that a file's ending names. Raises UnknownFormError for an ending that names none."""
    for form in FORMS:
        if path.suffix.lower() == f".{form}":
            return form
    raise UnknownFormError(f"{path} does not end in {', '.join(f'.{form}' for form in FORMS)}")
