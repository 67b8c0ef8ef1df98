"""Standard output for results, standard error for everything else; what --quiet and --debug change."""

import json
import sys
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
        typer.echo(text.encode("utf-8", "replace").decode(), err=True)


def error(text: str) -> None:
    """A line that is shown in any case, in red where there is colour."""
    typer.echo(f"{typer.style('error:', fg='red', bold=True)} {text.encode('utf-8', 'replace').decode()}", err=True)


def print_json(document: Any) -> None:
    """One JSON document on standard output."""
    json.dump(document, sys.stdout, indent=2, ensure_ascii=False)
    sys.stdout.write("\n")
