"""Standard output for results, standard error for everything else; what --quiet and --debug change."""

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from rich.console import Console

_quiet = False
debug = False


def set_quiet(value: bool) -> bool:
    """Typer's callback for --quiet."""
    global _quiet
    _quiet = value
    return value


def set_debug(value: bool) -> bool:
    """Typer's callback for --debug."""
    global debug
    debug = value
    return value


def out() -> "Console":
    """The console for results."""
    from rich.console import Console

    return Console(highlight=False)


def err() -> "Console":
    """The console for everything else, silent with --quiet."""
    from rich.console import Console

    return Console(stderr=True, highlight=False, quiet=_quiet)


def note(text: str) -> None:
    """A line for people on standard error, unless --quiet."""
    if not _quiet:
        # by sys.stderr rather than err=True, which goes past a progress bar and into its line
        typer.echo(text.encode("utf-8", "replace").decode(), file=sys.stderr)


def error(text: str) -> None:
    """A line that is shown in any case, in red where there is colour."""
    red = typer.style("error:", fg="red", bold=True)
    typer.echo(f"{red} {text.encode('utf-8', 'replace').decode()}", file=sys.stderr)


def one_line(text: str) -> str:
    """A name as any terminal can show it, whatever line ends, control characters and broken bytes are in it."""
    return "".join(character if character.isprintable() else "\ufffd" for character in text)


def print_json(document: Any) -> None:
    """One JSON document on standard output."""
    json.dump(document, sys.stdout, indent=2, ensure_ascii=False)
    sys.stdout.write("\n")


@contextmanager
def without_chatter() -> Iterator[None]:
    """Silence what libraries in C write to standard error themselves, as libtiff does of every damaged file; what
    Python writes comes through. Not with --debug, nor where standard error is replaced already."""
    own = sys.__stderr__
    if debug or own is None or own is not sys.stderr:
        yield
        return
    own.flush()
    number = own.fileno()
    kept = os.dup(number)
    with open(kept, "w", encoding="utf-8", errors="replace", buffering=1) as replaced:  # noqa: PTH123 (no path)
        with open(os.devnull, "wb") as nothing:  # noqa: PTH123
            os.dup2(nothing.fileno(), number)
        sys.stderr = replaced
        try:
            yield
        finally:
            sys.stderr = own
            os.dup2(kept, number)
