"""csv and jsonl files that grow by whole results, and what is cut off them after a kill."""

import os
from collections.abc import Iterable, Sequence
from io import FileIO
from pathlib import Path

from fercli.core.errors import RunError
from fercli.workflows.predict.lines import LINES, CutOffError
from fercli.workflows.predict.results import PictureResult
from fercli.workflows.predict.writers import WRITERS, Form


def append(path: Path, form: Form, results: Iterable[PictureResult], classes: Sequence[str]) -> None:
    """Write each result as it comes behind what the file holds, all its rows in one write.

    Raises RunError where that is not possible.
    """
    with _opened(path) as file:
        texts = WRITERS[form](results, classes)
        if form == "csv" and file.tell():
            next(texts)  # the header stands there already
        for text in texts:
            _write(path, file, text.encode())


def cut_back(path: Path, form: Form, whole: int = 0) -> None:
    """Cut off the rows of the last source, some of which may be missing, and what is no whole row.

    The first `whole` bytes are known to be complete: a source that begins in them keeps its rows. Raises DataError
    where the file is damaged before its end.
    """
    source, start, end = None, 0, 0
    try:
        for line in LINES[form](path):
            if line.values["source"] != source:
                source, start = line.values["source"], end
            end = line.end
    except CutOffError:
        pass
    os.truncate(path, end if start < whole else start)


def _opened(path: Path) -> FileIO:
    """Unbuffered: what was written is the system's, whatever becomes of this process."""
    try:
        return path.open("ab", buffering=0)
    except OSError as error:
        raise _cannot_write(path, error) from error


def _write(path: Path, file: FileIO, data: bytes) -> None:
    try:
        while data:
            data = data[file.write(data) :]
    except OSError as error:
        raise _cannot_write(path, error) from error


def _cannot_write(path: Path, error: OSError) -> RunError:
    return RunError(f"cannot write {path}: {error.strerror or error} (--resume goes on once that is mended)")
