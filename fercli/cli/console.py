"""Standard output for results, standard error for everything else; what --quiet and --debug change."""

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any

import typer

from fercli.core.text import to_printable

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


def is_quiet() -> bool:
    """Whether --quiet was given."""
    return _quiet


def out() -> "Console":
    """The console for results."""
    return _safe_console()(highlight=False)


def err() -> "Console":
    """The console for everything else, silent with --quiet."""
    return _safe_console()(stderr=True, highlight=False, quiet=_quiet)


@cache
def _safe_console() -> "type[Console]":
    """Rich's console, made safe for names of files and classes in whatever is printed."""
    from rich.console import Console, ConsoleOptions, RenderableType
    from rich.segment import Segment

    class SafeConsole(Console):
        def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterator[Segment]:
            for segment in super().render(renderable, options):
                if segment.control or segment.text.isprintable():
                    yield segment
                else:
                    yield Segment(_make_safe(segment.text), segment.style)

    return SafeConsole


def note(text: str) -> None:
    """A line for people on standard error, unless --quiet."""
    if not _quiet:
        # by sys.stderr rather than err=True, which goes past a progress bar and into its line
        typer.echo(_make_safe(text), file=sys.stderr)


def error(text: str) -> None:
    """A line that is shown in any case, in red where there is colour."""
    red = typer.style("error:", fg="red", bold=True)
    typer.echo(f"{red} {_make_safe(text)}", file=sys.stderr)


def _make_safe(text: str) -> str:
    """A message whose foreign names can't move the cursor or change colours. Its own line ends stay."""
    return "\n".join(map(to_printable, text.split("\n")))


def write_data(text: str) -> None:
    """Part of a csv or JSON document on standard output, at once. Data stay as they are."""
    sys.stdout.write(text)
    sys.stdout.flush()


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
