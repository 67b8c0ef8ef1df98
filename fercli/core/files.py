"""Files that are written whole or not at all, and fingerprints of their content."""

import hashlib
import json
import os
import platform
import re
import secrets
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Any

from fercli.core.errors import FerError, RunError, UsageError, reason_of
from fercli.core.parse import parse_json, parse_yaml
from fercli.core.text import shorten, to_printable

#: The longest name of a file that we choose, in bytes: file systems take 255, and temporary names are longer.
MAX_NAME_BYTES = 200
#: The largest text file that is read as a whole, in bytes; of YAML, whose reader takes a second for 50 KB, less.
MAX_TEXT_BYTES, MAX_YAML_BYTES = 64 << 20, 1 << 18
#: The name of a temporary file: the machine and the process that writes it.
_TEMPORARY = re.compile(r"\..+\.([0-9a-f]{8})-([0-9]{1,10})-[0-9a-f]{8}(\.[^.]*)?")


@contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """A temporary path beside `path` that takes its place when the block ends well.

    On any error, an interrupt included, what stood at `path` before stays as it was.
    Raises RunError where the file cannot be written.
    """
    temporary = path.with_name(_name_temporary(path))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _remove_stale(path.parent)
        yield temporary
        temporary.replace(path)
    except OSError as error:
        raise RunError(f"cannot write {path}: {error.strerror or error}") from error
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def check_writable(path: Path, folder: bool = False) -> None:
    """Raise RunError where no file can be written at `path`, or in it where it is a `folder`: for work that writes at
    its end. A file is made there and removed, and so are the folders that it needs."""
    file = path / _name_temporary(path) if folder else path.with_name(_name_temporary(path))
    missing = [parent for parent in file.parents if not parent.exists()]
    if blocked := next((parent for parent in file.parents if parent.exists() and not parent.is_dir()), None):
        raise RunError(f"cannot write {path}: {blocked} is no folder")
    if path.is_dir() and not folder:
        raise RunError(f"cannot write {path}: there is a folder of that name")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    except OSError as error:
        raise RunError(f"cannot write {path}: {error.strerror or error}") from error
    finally:
        for remove in (file.unlink, *(parent.rmdir for parent in missing)):
            with suppress(OSError):
                remove()


@contextmanager
def folder_written_whole(path: Path, last: str) -> Iterator[Path]:
    """A temporary folder beside `path` that takes its place when the block ends well, with the files written into it.

    In a folder that is there already, files of the same names are replaced and others stay. Its file `last` is removed
    first and written last, so that a folder which has it is whole. Raises RunError where it cannot be written.
    """
    path = path.absolute()  # '.' has no name to put another beside
    temporary = path.with_name(_name_temporary(path))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _remove_stale(path.parent)
        temporary.mkdir()
        yield temporary
        if path.is_dir():
            (path / last).unlink(missing_ok=True)
            for file in sorted(temporary.iterdir(), key=lambda file: file.name == last):
                file.replace(path / file.name)
        else:
            temporary.replace(path)
    except OSError as error:
        raise RunError(f"cannot write {path}: {error.strerror or error}") from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _name_temporary(path: Path) -> str:
    """A name that says which process on which machine writes the file, so that what a killed one left is known."""
    suffix = path.suffix if len(path.suffix) <= 20 else ""  # libraries choose a file's form by its ending
    return f".{limit_name(path, 100).stem}.{_host()}-{os.getpid()}-{secrets.token_hex(4)}{suffix}"


def limit_name(path: Path, most: int = MAX_NAME_BYTES) -> Path:
    """The path, its name shortened in front of its ending to at most so many bytes in UTF-8."""
    name = os.fsencode(path.name)
    if len(name) <= most:
        return path
    suffix = path.suffix if len(os.fsencode(path.suffix)) <= 20 else ""
    stem = name[: most - len(os.fsencode(suffix))].decode("utf-8", "ignore")
    return path.with_name(f"{stem.rstrip('. ') or '_'}{suffix}")


@cache
def _host() -> str:
    """This machine's name as eight characters."""
    return hashlib.sha256(platform.node().encode()).hexdigest()[:8]


@cache
def _remove_stale(folder: Path) -> None:
    """Remove the temporary files and folders that killed processes of this machine left. Looks once a process."""
    with suppress(OSError):
        for file in folder.iterdir():
            named = _TEMPORARY.fullmatch(file.name)
            if named and named[1] == _host() and not _is_running(int(named[2])):
                with suppress(OSError):
                    shutil.rmtree(file) if file.is_dir() else file.unlink()


def _is_running(process: int) -> bool:
    """Whether a process of that number runs on this machine, as far as can be told."""
    if os.name == "nt":  # where os.kill would end it
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        return True
    return True


def refuse_existing(
    *paths: Path, force: bool, otherwise: str = "choose another name", since: float | None = None
) -> None:
    """Raise UsageError for the first of these paths that exists, unless `force` says that they are to be replaced.

    `otherwise` is what else can be typed. Files that were written `since` then, in seconds, may be replaced: they are
    those of the job that is resumed.
    """
    if force:
        return
    for path in paths:
        if os.path.lexists(path) and (since is None or path.lstat().st_mtime < since):
            raise UsageError(f"{path} exists already: --force replaces it, or {otherwise}")


def write_text(path: Path, text: str) -> None:
    """Write a UTF-8 text file whole, with \\n line ends on every system."""
    with written_whole(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")


def write_json(path: Path, document: Any) -> None:
    """Write a JSON document whole, indented, in UTF-8."""
    write_text(path, json.dumps(document, indent=2, ensure_ascii=False) + "\n")


def read_content(path: Path, what: str = "", error: type[FerError] = RunError, most: int = MAX_TEXT_BYTES) -> bytes:
    """All of a regular file of at most so many bytes, `what` being its name in a message.

    Raises `error` where it cannot be read, is larger, or is a folder, a pipe or a device, whose end may never come.
    """
    check_regular(path, what, error)
    try:
        with path.open("rb") as file:
            content = file.read(most + 1)
    except OSError as cause:
        raise error(f"cannot read {_named(what, path)}: {cause.strerror or cause}") from cause
    if len(content) > most:
        raise error(f"cannot read {_named(what, path)}: it has more than {_size(most)}")
    return content


def check_regular(path: Path, what: str = "", error: type[FerError] = RunError) -> None:
    """Raise `error` unless a path is that of a regular file, `what` being its name in a message."""
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError) as cause:  # ValueError: a NUL in the name
        raise error(f"cannot read {_named(what, path)}: {getattr(cause, 'strerror', None) or cause}") from cause
    if not stat.S_ISREG(mode):
        kind = "a folder" if stat.S_ISDIR(mode) else "not a regular file"
        raise error(f"cannot read {_named(what, path)}: it is {kind}")


def _named(what: str, path: Path) -> str:
    shown = to_printable(str(path))
    return f"{what} {shown}" if what else shown


def _size(count: int) -> str:
    return f"{count >> 20} MB" if count >> 20 else f"{count >> 10} KB"


def read_json(path: Path) -> Any:
    """Read a JSON document. Raises RunError where it is missing or damaged."""
    content = read_content(path)
    try:
        return parse_json(content)
    except ValueError as error:
        raise RunError(f"{path} is damaged: {error}") from error


@contextmanager
def damage_in(path: Path) -> Iterator[None]:
    """Raise RunError where the block, which takes a document of ours apart, finds other values than we write."""
    try:
        yield
    except KeyError as error:
        raise RunError(f"{path} is damaged: it has no {shorten(repr(error.args[0]), 60)}") from error
    except (TypeError, ValueError, AttributeError, IndexError, ArithmeticError) as error:
        raise RunError(f"{path} is damaged: a value in it is not what it should be ({reason_of(error)})") from error


def read_yaml(path: Path, what: str, error: type[FerError] = RunError) -> Any:
    """The document in a YAML file, `what` being its name in a message. Raises `error` where it cannot be read."""
    content = read_content(path, what, error, MAX_YAML_BYTES)
    try:
        return parse_yaml(content.decode("utf-8-sig"))
    except ValueError as cause:
        raise error(f"{path} is not valid YAML: {cause}") from cause


def file_digest(path: Path) -> str:
    """The SHA-256 of a file's content, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
