"""Parsed face sets, kept as one file each, so that only the first load takes seconds.

A cached set is found by the content of its source and holds a checksum of its own, so it can be neither stale
nor damaged unnoticed. The cache is a convenience: where it cannot be read or written, the set is parsed.
"""

import hashlib
import json
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from fercli.core.errors import DataError, RunError
from fercli.core.files import file_digest, written_whole
from fercli.data.faceset import FaceSet
from fercli.data.sources import files_below

#: Part of every key: raise it when a loader reads the same source differently than before.
LOADERS_VERSION = 1


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


def cached(source: Path, loader: str, build: Callable[[], FaceSet]) -> FaceSet:
    """The face set that `build` makes of `source`, a file or a folder, from the cache if it is there.

    `loader` names the way it is read. Raises what `build` raises, and DataError where the source cannot be read;
    a cache that cannot be used raises nothing.
    """
    path = cache_folder() / f"{_key(source, loader)}.safetensors"
    faces = _read(path)
    if faces is None:
        faces = build()
        with suppress(RunError, OSError):
            _write(path, faces)
    return faces


def _key(source: Path, loader: str) -> str:
    try:
        content = folder_digest(source) if source.is_dir() else file_digest(source)
    except OSError as error:
        raise DataError(f"cannot read {source}: {error.strerror or error}") from error
    # the name belongs to the key because notes speak of it
    return hashlib.sha256(f"{LOADERS_VERSION}\n{loader}\n{source.name}\n{content}".encode()).hexdigest()


def folder_digest(folder: Path) -> str:
    """The SHA-256 of what a folder's files are called, their sizes and when they were last changed.

    The folder's own place belongs to it: copies of two folders may agree in all of these but their content.
    """
    digest = hashlib.sha256(os.fsencode(folder.resolve()))
    for name, status in files_below(folder):
        digest.update(os.fsencode(name) + f"\0{status.st_size}\0{status.st_mtime_ns}\0".encode())
    return digest.hexdigest()


def _write(path: Path, faces: FaceSet) -> None:
    text = json.dumps(
        {
            "name": faces.name,
            "classes": faces.classes,
            "ids": faces.ids,
            "subjects": faces.subjects,
            "parts": None if faces.parts is None else faces.parts.tolist(),
            "notes": faces.notes,
        }
    )
    header = {"faces": text, "checksum": _checksum(text, faces)}
    content = save({"images": faces.images, "labels": faces.labels}, header)
    with written_whole(path) as temporary:
        temporary.write_bytes(content)


def _read(path: Path) -> FaceSet | None:
    """The set in a cache file; None where there is none, or one that is damaged in any way."""
    try:
        with safe_open(path, framework="numpy") as file:
            header = file.metadata()
            faces = _made(json.loads(header["faces"]), file.get_tensor("images"), file.get_tensor("labels"))
        return faces if header["checksum"] == _checksum(header["faces"], faces) else None
    except (OSError, SafetensorError, KeyError, TypeError, ValueError):
        return None


def _made(facts: dict[str, Any], images: np.ndarray[Any, Any], labels: np.ndarray[Any, Any]) -> FaceSet:
    subjects, parts = facts["subjects"], facts["parts"]
    return FaceSet(
        name=facts["name"],
        images=images,
        labels=labels,
        classes=tuple(facts["classes"]),
        ids=tuple(facts["ids"]),
        subjects=None if subjects is None else tuple(subjects),
        parts=None if parts is None else np.array(parts, dtype=np.str_),
        notes=tuple(facts["notes"]),
    )


def _checksum(text: str, faces: FaceSet) -> str:
    """Over the header's text and, by the set's own fingerprint, over images and labels."""
    return hashlib.sha256(f"{faces.fingerprint}\n{text}".encode()).hexdigest()
