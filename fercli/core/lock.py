"""Locks that keep two processes from writing the same file or folder."""

import json
import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from fercli.core.errors import RunError, UsageError

if TYPE_CHECKING:
    from filelock import BaseFileLock

#: Where the holder's record begins in a lock file. The first byte is the one that Windows locks.
_RECORD_START = 1
#: Seconds of waiting that need no message.
_UNNOTICED = 1.0


@contextmanager
def hold_lock(path: Path, wait: float = 0, say: Callable[[str], None] | None = None) -> Iterator[None]:
    """Be the only process that writes `path`, a file or a folder, until the block ends. `say` is told whom it waits
    for, if that takes longer than a moment.

    The lock is a hidden file beside `path`. The system releases it when the process ends, however it ends; the file
    itself, and folders that were made for it alone, are removed when the block ends.

    Raises UsageError, naming the process and its machine, where another one still holds it after `wait` seconds, and
    RunError where no lock can be made.
    """
    from filelock import FileLock, Timeout

    file = lock_path(path)
    missing = [folder for folder in file.parents if not folder.exists()]
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()  # where that fails, the system says why; filelock would only wait
        lock = FileLock(file)
        try:
            lock.acquire(timeout=min(wait, _UNNOTICED))
        except Timeout:
            if say is not None and wait > 0:
                say(f"waiting until {_describe_holder(file)} has written {path}")
            lock.acquire(timeout=max(0.0, wait - _UNNOTICED))
    except Timeout:
        raise UsageError(f"{path} is being written by {_describe_holder(file)}: wait until it has ended") from None
    except OSError as error:
        raise RunError(f"cannot write {path}: {error.strerror or error}") from error
    try:
        _write_record(file)
        yield
    finally:
        _release(lock, file)
        for folder in missing:  # made for the lock; what was written keeps them
            with suppress(OSError):
                folder.rmdir()


def lock_path(path: Path) -> Path:
    """The lock file of a file or folder."""
    whole = Path(os.path.abspath(path))  # noqa: PTH100 (resolve would follow a link)
    return whole.with_name(f".{whole.name}.lock")


def _write_record(file: Path) -> None:
    """Say in the lock file who holds it. It is for a message only, so a failure is no error."""
    record = json.dumps({"process": os.getpid(), "host": socket.gethostname()})
    with suppress(OSError), file.open("r+b") as stream:
        stream.seek(_RECORD_START)
        stream.truncate()
        stream.write(record.encode())


def _describe_holder(file: Path) -> str:
    """'process 123 on host', as far as the lock file says so."""
    try:
        with file.open("rb") as stream:
            stream.seek(_RECORD_START)
            record = json.loads(stream.read(1000))
        return f"process {int(record['process'])} on {str(record['host'])[:100]}"
    except (OSError, ValueError, KeyError, TypeError):
        return "another process"


def _release(lock: "BaseFileLock", file: Path) -> None:
    # removed while it is held: another process that has opened it sees that, and makes a new one
    with suppress(OSError):
        file.unlink()
    with suppress(OSError):
        lock.release()
