"""Parsed face sets, kept as one file each, so that only the first load takes seconds.

A cached set is found by the content of its source and holds a checksum of its own, so it can be neither stale
nor damaged unnoticed. The cache is a convenience: where it cannot be read or written, the set is parsed.
"""

import hashlib
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from fercli.core.errors import DataError, RunError
from fercli.core.files import file_digest
from fercli.data.faceset import FaceSet
from fercli.data.loaders.face_file import SUFFIX, read_faces, write_faces
from fercli.data.sources import list_files

#: Part of every key: raise it when a loader reads the same source differently than before.
LOADERS_VERSION = 3


def cache_folder() -> Path:
    """Where parsed sets are kept: FER_CACHE, else `fercli` in this system's folder for a user's caches."""
    if chosen := os.environ.get("FER_CACHE"):
        return Path(chosen)
    if sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    elif sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return base / "fercli"


def load_cached(source: Path, loader: str, build: Callable[[], FaceSet]) -> FaceSet:
    """The face set that `build` makes of `source`, a file or a folder, from the cache if it is there.

    `loader` names the way it is read. Raises what `build` raises, and DataError where the source cannot be read;
    a cache that cannot be used raises nothing.
    """
    path = cache_folder() / f"{_key(source, loader)}{SUFFIX}"
    # one that is not there, or damaged, is made anew
    with suppress(DataError):
        return read_faces(path)
    faces = build()
    with suppress(RunError, OSError):
        write_faces(path, faces)
    return faces


def _key(source: Path, loader: str) -> str:
    try:
        content = folder_digest(source) if source.is_dir() else file_digest(source)
    except OSError as error:
        raise DataError(f"cannot read {source}: {error.strerror or error}") from error
    # the name belongs to the key because notes speak of it
    return hashlib.sha256(os.fsencode(f"{LOADERS_VERSION}\n{loader}\n{source.name}\n{content}")).hexdigest()


def folder_digest(folder: Path) -> str:
    """The SHA-256 of what a folder's files are called, their sizes and when they were last changed.

    The folder's own path is part of it: copies of two folders may agree in all of these but their content.
    """
    digest = hashlib.sha256(os.fsencode(folder.resolve()))
    for name, status in list_files(folder):
        digest.update(os.fsencode(name) + f"\0{status.st_size}\0{status.st_mtime_ns}\0".encode())
    return digest.hexdigest()
