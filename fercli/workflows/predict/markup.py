"""Text as HTML shows it, and the few forms in which a report says things."""

import html
import re
from collections.abc import Iterable


def lines(rows: Iterable[str]) -> str:
    """Rows of markup, each with its line end."""
    return "".join(f"{row}\n" for row in rows)


def percent(share: float, digits: int = 0) -> str:
    """A share of 0 to 1 as text."""
    return f"{100 * share:.{digits}f} %"


def counted(number: int, thing: str) -> str:
    """'1 face', '2 faces', '3 pictures and frames'."""
    return f"{number:,} {thing if number == 1 else plural(thing)}"


def plural(thing: str) -> str:
    """'faces' of 'face', 'pictures and frames' of 'picture and frame'."""
    return " and ".join(f"{word}s" for word in thing.split(" and "))


def escaped(text: str) -> str:
    """Any text as HTML shows it; control characters, which HTML has no place for, as �."""
    return html.escape(re.sub(r"[\x00-\x1f\x7f-\x9f]", "\ufffd", text))


def isolated(text: str) -> str:
    """The same for names of files, whose direction of writing must not run into what stands beside them."""
    return f"<bdi>{escaped(text)}</bdi>"
