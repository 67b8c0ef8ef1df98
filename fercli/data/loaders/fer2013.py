"""FER2013 (Goodfellow et al. 2013) as its users have it: a csv file, packed or not.

`fer2013.csv` has the columns emotion,pixels,Usage; `icml_face_data.csv` has `emotion, Usage, pixels`. A row's
pixels are 48·48 numbers of 0 to 255 with blanks between them. Folders of pictures are read by `folder.py`, and
`usages_as_parts` then reads their names.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from gzip import GzipFile
from pathlib import Path, PurePosixPath
from typing import IO

import numpy as np
from numpy.typing import NDArray

from fercli.core.errors import DataError
from fercli.core.labels import EXPRESSIONS
from fercli.data.faceset import SIDE, FaceSet
from fercli.data.sources import opened_csv

#: FER2013's names for the parts, and ours.
USAGES = {"Training": "train", "PublicTest": "val", "PrivateTest": "test"}

#: What the challenge and its Kaggle page call the csv file.
TABLES = ("fer2013.csv", "icml_face_data.csv")

_COLUMNS = ("emotion", "pixels", "usage")
_PIXELS = SIDE * SIDE
#: Rows decoded at once: few enough that their arrays stay in the processor's cache.
_BATCH = 64


def load_csv(path: Path, name: str = "fer2013", classes: tuple[str, ...] = EXPRESSIONS) -> FaceSet:
    """The faces of a csv file, or of a .zip, .gz or .tar.gz with one in it; its labels number the `classes`.

    Columns may stand in any order, with blanks in the header and further columns beside them. Ids are the usage
    and the row's number from 0 ('Training_0'), as in the picture folders' file names.

    Raises DataError that names the file and the row for anything that is not as it should be.
    """
    with opened_csv(path, TABLES) as (title, file):
        rows = list(_batches(title, file, len(classes)))
    if not rows:
        raise DataError(f"{title}: no faces in it, only a header")
    usages = [usage for batch in rows for usage in batch.usages]
    return FaceSet(
        name=name,
        images=np.concatenate([batch.images for batch in rows]),
        labels=np.array([label for batch in rows for label in batch.labels], dtype=np.int64),
        classes=classes,
        ids=tuple(f"{usage}_{number}" for number, usage in enumerate(usages)),
        parts=np.array([USAGES[usage] for usage in usages]),
        notes=_missing(path.name, set(usages)),
    )


def usages_as_parts(faces: FaceSet) -> FaceSet:
    """The set with parts as its file names say: PublicTest_123.jpg is val, whatever folder it lies in.

    A face without such a name stays in the part of its folder; where it has none, nothing is changed.
    """
    found = [re.match("(Training|PublicTest|PrivateTest)_", PurePosixPath(face).name) for face in faces.ids]
    if not any(found) or (faces.parts is None and not all(found)):
        return faces
    folders = [""] * len(faces) if faces.parts is None else faces.parts.tolist()
    parts = [USAGES[usage[1]] if usage else part for usage, part in zip(found, folders, strict=True)]
    usages = {usage for usage, part in USAGES.items() if part in parts}
    return replace(faces, parts=np.array(parts), notes=faces.notes + _missing("the folder", usages))


def _missing(where: str, usages: set[str]) -> tuple[str, ...]:
    """A line for each usage that a source has no faces of."""
    return tuple(
        f"{where} has no {usage} faces: there is no {part} part in it"
        for usage, part in USAGES.items()
        if usage not in usages
    )


@dataclass(frozen=True)
class _Rows:
    images: NDArray[np.uint8]
    labels: list[int]
    usages: list[str]


def _batches(title: str, file: IO[bytes] | GzipFile, classes: int) -> Iterator[_Rows]:
    """A file's rows, some at a time: splitting is left to bytes.split, numbers to numpy."""
    columns = _columns(title, file.readline())
    labels: list[int] = []
    usages: list[str] = []
    pixels: list[bytes] = []
    places: list[str] = []
    row = 0
    for line, text in enumerate(file, start=2):
        if not text.strip():
            continue
        row += 1
        place = f"{title}, row {row} (line {line})"
        fields = [field.strip(b' \t\r\n"') for field in text.split(b",")]
        if len(fields) <= max(columns):
            raise DataError(f"{place}: {len(fields)} columns, not {max(columns) + 1}: is the file cut off?")
        labels.append(_label(place, fields[columns[0]], classes))
        pixels.append(fields[columns[1]])
        usages.append(_usage(place, fields[columns[2]]))
        places.append(place)
        if len(pixels) == _BATCH:
            yield _Rows(_images(pixels, places), labels, usages)
            labels, usages, pixels, places = [], [], [], []
    if pixels:
        yield _Rows(_images(pixels, places), labels, usages)


def _columns(title: str, header: bytes) -> list[int]:
    """Where emotion, pixels and usage stand."""
    names = [name.strip(' \t\r\n"').lower() for name in header.decode("utf-8-sig", "replace").split(",")]
    if names == [""]:
        raise DataError(f"{title}: the file is empty")
    absent = [name for name in _COLUMNS if name not in names]
    if absent:
        shown = ", ".join(names)
        raise DataError(
            f"{title}: no column {' and no column '.join(absent)}; its first line has {shown[:80]!r}, "
            "FER2013's has emotion,pixels,Usage"
        )
    return [names.index(name) for name in _COLUMNS]


def _label(place: str, text: bytes, classes: int) -> int:
    if text.isdigit() and int(text) < classes:
        return int(text)
    raise DataError(f"{place}: emotion {_shown(text)} is not a number from 0 to {classes - 1}")


def _usage(place: str, text: bytes) -> str:
    usage = text.decode("utf-8", "replace")
    if usage in USAGES:
        return usage
    raise DataError(f"{place}: usage {_shown(text)} is none of {', '.join(USAGES)}")


def _images(texts: list[bytes], places: list[str]) -> NDArray[np.uint8]:
    """Rows of pixel texts as images [N, 1, 48, 48]. What the fast way doubts is read again number by number,
    which accepts odd blanks and names what is wrong."""
    values = _decoded(texts)
    if values is None:
        values = np.array([_numbers(text, place) for text, place in zip(texts, places, strict=True)], np.uint8)
    return values.reshape(len(texts), 1, SIDE, SIDE)


def _decoded(texts: list[bytes]) -> NDArray[np.uint8] | None:
    """Numbers of one to three digits with single blanks between them, all rows at once; None where the texts
    are anything else."""
    characters = np.frombuffer(b"  " + b" ".join(texts) + b" ", dtype=np.uint8)
    blanks = np.flatnonzero(characters == ord(" "))[1:]
    row_ends = np.cumsum([len(text) + 1 for text in texts]) + 1
    if len(blanks) != len(texts) * _PIXELS + 1 or not np.array_equal(blanks[_PIXELS::_PIXELS], row_ends):
        return None
    digits = np.diff(blanks) - 1
    # blanks become 240, every other character that is no digit something else over 9
    numbers = characters - np.uint8(ord("0"))
    if not 1 <= digits.min() <= digits.max() <= 3 or np.count_nonzero(numbers > 9) != len(blanks) + 1:
        return None
    ends = blanks[1:]
    values = numbers[ends - 1].astype(np.uint16)
    values += np.where(digits > 1, numbers[ends - 2], 0).astype(np.uint16) * 10
    values += np.where(digits > 2, numbers[ends - 3], 0).astype(np.uint16) * 100
    return values.astype(np.uint8) if values.max() <= 255 else None


def _numbers(text: bytes, place: str) -> list[int]:
    """One row's pixels, slowly and with every fault named."""
    words = text.split()
    if len(words) != _PIXELS:
        raise DataError(f"{place}: {len(words):,} pixels, not {_PIXELS:,} ({SIDE}×{SIDE})")
    for word in words:
        if not word.isdigit() or int(word) > 255:
            raise DataError(f"{place}: pixel {_shown(word)} is not a whole number from 0 to 255")
    return [int(word) for word in words]


def _shown(text: bytes) -> str:
    """A field for a message, cut where it is long."""
    return repr(text[:20].decode("utf-8", "replace"))
