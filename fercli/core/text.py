"""Numbers with their nouns, times as people write them ('0.5s' in, '1:05' out), and names that fit a line."""

import math
import re
import unicodedata
from collections.abc import Sequence

from fercli.core.errors import UsageError

_UNITS = {"": 1.0, "s": 1.0, "ms": 0.001, "min": 60.0}


def format_count(number: int, noun: str, plural: str = "") -> str:
    """A number with its noun: '1 face', '1,234 faces', '2 people' with a plural of its own."""
    return f"{number:,} {noun if number == 1 else plural or f'{noun}s'}"


def to_printable(text: str) -> str:
    """A foreign string as any terminal can show it: line ends, control characters and broken bytes become �."""
    return "".join(character if character.isprintable() else "\ufffd" for character in text)


def shorten(text: str, width: int) -> str:
    """A foreign string in at most `width` characters of one line: printable, with … in its middle if it is longer."""
    shown = to_printable(text)
    if len(shown) <= width:
        return shown
    tail = (width - 1) // 2
    return f"{shown[: width - 1 - tail]}…{shown[len(shown) - tail :]}"


def escape_name(name: str) -> str:
    """A file name with control characters and bytes that are no UTF-8 written as escapes, so that it stays unique."""
    return "".join(
        ascii(character)[1:-1] if unicodedata.category(character) in ("Cc", "Cs") else character for character in name
    )


def list_examples(names: Sequence[str]) -> str:
    """'5 pictures (a, b, c, …)', in characters that every terminal takes."""
    shown = ", ".join(map(escape_name, names[:3])) + (", …" if len(names) > 3 else "")
    return f"{format_count(len(names), 'picture')} ({shown})"


def read_seconds(text: str, flag: str) -> float:
    """The seconds that '0.5s', '500ms', '2' or '1min' mean, 0 or more. Raises UsageError that names the flag."""
    known = re.fullmatch(r"([0-9]+\.?[0-9]*|\.[0-9]+) *(ms|s|min|)", text.strip().lower())
    if not known or not math.isfinite(float(known[1])):
        raise UsageError(f"{flag} {text}: not a time. Write seconds or milliseconds, e.g. 0.5s, 500ms or 2")
    return float(known[1]) * _UNITS[known[2]]


def clock(seconds: float, tenths: bool = False) -> str:
    """A time as minutes and seconds, e.g. '1:05' or '1:05.3', with hours where there are any: '1:01:05'."""
    whole, tenth = divmod(round(10 * seconds), 10) if tenths else (int(seconds), 0)
    minutes, second = divmod(whole, 60)
    hours, minute = divmod(minutes, 60)
    text = f"{hours}:{minute:02}:{second:02}" if hours else f"{minute}:{second:02}"
    return f"{text}.{tenth}" if tenths else text


def format_duration(seconds: float) -> str:
    """Seconds for people: '42 s', '5 min', '2 h 10 min'."""
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h {minutes % 60} min"
