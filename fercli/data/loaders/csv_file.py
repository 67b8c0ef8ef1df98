"""csv files in FER2013's form, packed or not: the columns emotion, pixels and Usage.

`fer2013.csv` has the columns emotion,pixels,Usage; `icml_face_data.csv` has `emotion, Usage, pixels`. A row's
pixels are 48·48 numbers of 0 to 255 with blanks between them.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray

from fercli.core.config import LoadOptions
from fercli.core.errors import DataError
from fercli.core.labels import EXPRESSIONS
from fercli.core.progress import ProgressCallback
from fercli.core.text import escape_name
from fercli.data.cache import load_cached
from fercli.data.faceset import SIDE, FaceSet
from fercli.data.loaders import FORMATS, Loader, refuse_detection
from fercli.data.loaders.face_file import is_face_file
from fercli.data.sources import holds_pictures, open_csv
from fercli.data.subjects import add_subjects

#: FER2013's names for the splits, and ours.
USAGES = {"Training": "train", "PublicTest": "val", "PrivateTest": "test"}

#: What FER2013's csv file is called: of several files in an archive it is the one to read.
TABLES = ("fer2013.csv", "icml_face_data.csv")

_COLUMNS = ("emotion", "pixels", "usage")
_PIXELS = SIDE * SIDE
#: The longest line in bytes: without line ends, a file would have to fit in memory as one.
_MAX_LINE = 1 << 20
#: Rows decoded at once: few enough that their arrays stay in the processor's cache.
_BATCH = 64


def load_csv(path: Path, options: LoadOptions, classes: tuple[str, ...] = EXPRESSIONS) -> FaceSet:
    """`read_csv` as `options` say, from the cache where it has been read before."""
    refuse_detection(options, path)
    read: Callable[[], FaceSet] = partial(read_csv, path, classes)
    return add_subjects(load_cached(path, f"csv file with {', '.join(classes)}", read), options)


def read_csv(path: Path, classes: tuple[str, ...] = EXPRESSIONS) -> FaceSet:
    """The faces of a csv file, compressed or in a zip or tar archive or as it is; its labels number the `classes`.

    Columns may stand in any order, with blanks in the header and further columns beside them. Ids are the usage
    and the row's number from 0 ('Training_0'), as in the picture folders' file names. The set is called as the file is.

    Raises DataError that names the file and the row for anything that is not as it should be.
    """
    with open_csv(path, TABLES) as (title, file):
        rows = list(_read_batches(title, file, len(classes)))
    if not rows:
        raise DataError(f"{title}: no faces in it, only a header")
    usages = [usage for batch in rows for usage in batch.usages]
    return FaceSet(
        name=escape_name(path.name.partition(".")[0]),
        images=np.concatenate([batch.images for batch in rows]),
        labels=np.array([label for batch in rows for label in batch.labels], dtype=np.int64),
        classes=classes,
        ids=tuple(f"{usage}_{number}" for number, usage in enumerate(usages)),
        splits=np.array([USAGES[usage] for usage in usages]),
        notes=list_missing_usages(path.name, usages),
    )


def list_missing_usages(source: str, usages: Iterable[str]) -> tuple[str, ...]:
    """A line for each usage that a source has no faces of."""
    present = set(usages)
    return tuple(
        f"{source} has no {usage} faces: there is no {split} split in it"
        for usage, split in USAGES.items()
        if usage not in present
    )


@dataclass(frozen=True)
class _Rows:
    images: NDArray[np.uint8]
    labels: list[int]
    usages: list[str]


def _read_batches(title: str, file: IO[bytes], classes: int) -> Iterator[_Rows]:
    """A file's rows, some at a time: splitting is left to bytes.split, numbers to numpy."""
    lines = _read_lines(title, file)
    columns = _find_columns(title, next(lines, b""))
    labels: list[int] = []
    usages: list[str] = []
    pixels: list[bytes] = []
    positions: list[str] = []
    row = 0
    for line, text in enumerate(lines, start=2):
        if not text.strip():
            continue
        row += 1
        position = f"{title}, row {row} (line {line})"
        fields = [field.strip(b' \t\r\n"') for field in text.split(b",")]
        if len(fields) <= max(columns):
            raise DataError(f"{position}: {len(fields)} columns, not {max(columns) + 1}: is the file cut off?")
        labels.append(_parse_label(position, fields[columns[0]], classes))
        pixels.append(fields[columns[1]])
        usages.append(_parse_usage(position, fields[columns[2]]))
        positions.append(position)
        if len(pixels) == _BATCH:
            yield _Rows(_parse_images(pixels, positions), labels, usages)
            labels, usages, pixels, positions = [], [], [], []
    if pixels:
        yield _Rows(_parse_images(pixels, positions), labels, usages)


def _read_lines(title: str, file: IO[bytes]) -> Iterator[bytes]:
    number = 0
    while text := file.readline(_MAX_LINE + 1):
        number += 1
        if len(text) > _MAX_LINE:
            raise DataError(f"{title}, line {number}: over {_MAX_LINE:,} bytes, where a face has about 8,000")
        yield text


def _find_columns(title: str, header: bytes) -> list[int]:
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


def _parse_label(position: str, text: bytes, classes: int) -> int:
    if len(text) < 9 and text.isdigit() and int(text) < classes:
        return int(text)
    raise DataError(f"{position}: emotion {_quote(text)} is not a number from 0 to {classes - 1}")


def _parse_usage(position: str, text: bytes) -> str:
    usage = text.decode("utf-8", "replace")
    if usage in USAGES:
        return usage
    raise DataError(f"{position}: usage {_quote(text)} is none of {', '.join(USAGES)}")


def _parse_images(texts: list[bytes], positions: list[str]) -> NDArray[np.uint8]:
    """Rows of pixel texts as images [N, 1, 48, 48]. What the fast way doubts is read again number by number,
    which accepts odd blanks and names what is wrong."""
    values = decode_rows(texts)
    if values is None:
        values = np.array(
            [_parse_numbers(text, position) for text, position in zip(texts, positions, strict=True)], np.uint8
        )
    return values.reshape(len(texts), 1, SIDE, SIDE)


def decode_rows(texts: list[bytes]) -> NDArray[np.uint8] | None:
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


def _parse_numbers(text: bytes, position: str) -> list[int]:
    """One row's pixels, slowly and with every fault named."""
    words = text.split()
    if len(words) != _PIXELS:
        raise DataError(f"{position}: {len(words):,} pixels, not {_PIXELS:,} ({SIDE}×{SIDE})")
    for word in words:
        if len(word) > 9 or not word.isdigit() or int(word) > 255:
            raise DataError(f"{position}: pixel {_quote(word)} is not a whole number from 0 to 255")
    return [int(word) for word in words]


def _quote(text: bytes) -> str:
    """A field for a message, cut where it is long."""
    return repr(text[:20].decode("utf-8", "replace"))


def _load(path: Path, options: LoadOptions, _: ProgressCallback) -> FaceSet:
    return load_csv(path, options)


def _sniff(path: Path) -> bool:
    """Any file that is nothing else: reading it says what is wrong with it."""
    return path.is_file() and not is_face_file(path) and not holds_pictures(path)


FORMATS.register("csv file")(Loader(load=_load, sniff=_sniff))
