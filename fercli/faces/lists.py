"""Lists of paths, as people write them and as programs do."""

import codecs
import sys
from pathlib import Path

from fercli.core.errors import UsageError


def read_list(path: Path) -> list[Path]:
    """The paths in a list, '-' being standard input; see `listed_paths`.

    Raises UsageError where it cannot be read or names nothing.
    """
    name = "standard input" if str(path) == "-" else str(path)
    try:
        content = sys.stdin.buffer.read() if str(path) == "-" else path.read_bytes()
        paths = listed_paths(content)
    except OSError as error:
        raise UsageError(f"cannot read the list {name}: {error.strerror or error}") from error
    except UnicodeError as error:
        raise UsageError(f"cannot read the list {name}: {error}; UTF-8 is expected") from error
    if not paths:
        raise UsageError(f"no paths in the list {name}: it has one on each line")
    return paths


def listed_paths(content: bytes) -> list[Path]:
    """The paths in a text of one a line, or with a NUL after each, as `find -print0` writes them.

    The text is UTF-8, or the UTF-16 that Windows' PowerShell writes; a byte order mark, Windows' line ends and
    blank lines are nothing of it. Blanks within a line belong to the name. Names that are no UTF-8 are kept as the
    file system has them. Raises UnicodeError for damaged UTF-16.
    """
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        text = content.decode("utf-16")
    else:
        text = content.removeprefix(codecs.BOM_UTF8).decode("utf-8", "surrogateescape")
    if "\0" in text:
        return [Path(name) for name in text.split("\0") if name]
    # not splitlines: it also ends lines at characters that names may have
    lines = (line.removesuffix("\r") for line in text.split("\n"))
    return [Path(line) for line in lines if line.strip()]
