"""A face set in one file: what the cache keeps, what `fer data build` and `fer data check --fix` make.

A safetensors file with images, labels and, where the set has them, targets; everything else is in its header, with
a checksum over all of it.
"""

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from fercli.core.config import LoadOptions
from fercli.core.errors import DataError
from fercli.core.files import check_regular, written_whole
from fercli.core.parse import parse_json
from fercli.core.progress import ProgressCallback
from fercli.data.faceset import FaceSet
from fercli.data.loaders import FORMATS, Loader, refuse_detection
from fercli.data.subjects import add_subjects

#: The ending of such a file.
SUFFIX = ".safetensors"


def is_face_file(path: Path) -> bool:
    """Whether a path is called as such a file is."""
    return path.suffix == SUFFIX


def load_face_file(path: Path, options: LoadOptions, _: ProgressCallback) -> FaceSet:
    """`read_faces` as `options` say."""
    refuse_detection(options, path)
    return add_subjects(read_faces(path), options)


def write_faces(path: Path, faces: FaceSet, facts: dict[str, Any] | None = None) -> None:
    """Write a face set whole. `facts` are further JSON values for people, under 'facts' in the header.

    Raises RunError where the file cannot be written.
    """
    text = json.dumps(
        {
            "name": faces.name,
            "classes": faces.classes,
            "ids": faces.ids,
            "subjects": faces.subjects,
            "parts": None if faces.splits is None else faces.splits.tolist(),
            "notes": faces.notes,
            "shares": faces.fractions,
        }
    )
    header = {"faces": text, "checksum": _checksum(text, faces), "facts": json.dumps(facts or {}, ensure_ascii=False)}
    arrays: dict[str, NDArray[Any]] = {"images": faces.images, "labels": faces.labels}
    if faces.targets is not None:
        arrays["targets"] = faces.targets
    content = _sort_header(save(arrays, header))
    with written_whole(path) as temporary:
        temporary.write_bytes(content)


def _sort_header(content: bytes) -> bytes:
    """The content of a safetensors file with its header in one order: the library's own differs from save to save."""
    start = 8
    end = start + int.from_bytes(content[:start], "little")
    text = json.dumps(json.loads(content[start:end]), sort_keys=True, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)  # tensors begin at multiples of 8 bytes
    return len(text).to_bytes(start, "little") + text + content[end:]


def read_faces(path: Path) -> FaceSet:
    """The face set in a file of `write_faces`. Raises DataError where it cannot be read or is damaged."""
    check_regular(path, "the face set", DataError)
    try:
        with safe_open(path, framework="numpy") as file:
            header = file.metadata() or {}
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        faces = _make_set(_check(parse_json(header["faces"])), arrays)
        intact = header["checksum"] == _checksum(header["faces"], faces)
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror or error}") from error
    except (SafetensorError, KeyError, TypeError, ValueError) as error:
        raise DataError(f"{path} holds no face set, or is damaged: build or fetch it again") from error
    if not intact:
        raise DataError(f"{path} is damaged (its checksum does not fit): build or fetch it again")
    return faces


def read_facts(path: Path) -> dict[str, Any]:
    """The facts that a face set's file was written with. Raises DataError where they cannot be read."""
    try:
        with safe_open(path, framework="numpy") as file:
            facts: dict[str, Any] = parse_json(file.metadata()["facts"])
    except (OSError, SafetensorError, KeyError, TypeError, ValueError) as error:
        raise DataError(f"{path} holds no face set, or is damaged: build or fetch it again") from error
    return facts


def _check(header: Any) -> dict[str, Any]:
    """What a file says of its faces. Raises ValueError where something in it is not of the kind that it should be."""

    def is_texts(value: Any) -> bool:
        return isinstance(value, list) and all(isinstance(text, str) for text in value)

    needed = is_texts(header["classes"]) and is_texts(header["ids"]) and is_texts(header["notes"])
    needed = needed and all(len(name) <= 255 and name.isprintable() for name in header["classes"])
    optional = all(header[key] is None or is_texts(header[key]) for key in ("subjects", "parts"))
    fractions = header["shares"]
    two = isinstance(fractions, list) and len(fractions) == 2 and all(0 <= fraction < 1 for fraction in fractions)
    if not (needed and optional and two and isinstance(header["name"], str)):
        raise ValueError("a value of the wrong kind")
    checked: dict[str, Any] = header
    return checked


def _make_set(header: dict[str, Any], arrays: dict[str, NDArray[Any]]) -> FaceSet:
    subjects, splits = header["subjects"], header["parts"]
    return FaceSet(
        name=header["name"],
        images=arrays["images"],
        labels=arrays["labels"],
        classes=tuple(header["classes"]),
        ids=tuple(header["ids"]),
        subjects=None if subjects is None else tuple(subjects),
        splits=None if splits is None else np.array(splits, dtype=np.str_),
        targets=arrays.get("targets"),
        notes=tuple(header["notes"]),
        fractions=tuple(header["shares"]),
    )


def _checksum(text: str, faces: FaceSet) -> str:
    """Over the header's text and, by the set's own fingerprint, over images, labels and targets."""
    return hashlib.sha256(f"{faces.fingerprint}\n{text}".encode()).hexdigest()


FORMATS.register("face file")(Loader(load=load_face_file, sniff=is_face_file))
