"""Text, numbers and rows as HTML, for reports."""

import html
import re
from collections.abc import Iterable

from fercli.core.text import format_count


def join_lines(rows: Iterable[str]) -> str:
    """Rows of markup, each with its line end."""
    return "".join(f"{row}\n" for row in rows)


def format_percent(fraction: float, digits: int = 0) -> str:
    """A fraction, 0 to 1, as text."""
    return f"{100 * fraction:.{digits}f} %"


def count_things(number: int, thing: str) -> str:
    """'1 face', '2 faces', '3 pictures and frames'."""
    return format_count(number, thing, plural(thing))


def plural(thing: str) -> str:
    """'faces' of 'face', 'pictures and frames' of 'picture and frame'."""
    return " and ".join(f"{word}s" for word in thing.split(" and "))


def escape(text: str) -> str:
    """Any text as HTML shows it; control characters, which HTML has no place for, as �."""
    return html.escape(re.sub(r"[\x00-\x1f\x7f-\x9f]", "\ufffd", text))


def isolate(text: str) -> str:
    """The same for names of files, whose direction of writing must not run into what stands beside them."""
    return f"<bdi>{escape(text)}</bdi>"
