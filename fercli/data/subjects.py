"""Subject IDs, and labels, that file names or a table of pictures give."""

import csv
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import TypeVar

from fercli.core.config import LoadOptions
from fercli.core.errors import DataError, UsageError, reason_of
from fercli.core.files import read_content
from fercli.core.labels import canonical
from fercli.core.text import shorten
from fercli.data.faceset import FaceSet

T = TypeVar("T")

#: What a table of subjects is called when it lies in the folder of the pictures.
TABLE_NAMES = ("subjects.csv", "people.csv", "metadata.csv")


@dataclass(frozen=True)
class SubjectRow:
    """What a table says of one picture: subject and label, each '' where it does not say."""

    subject: str
    label: str


class SubjectTable:
    """A table of pictures: the csv file's columns file, subject and label, the last two each optional."""

    def __init__(self, rows: Mapping[str, SubjectRow], title: str) -> None:
        """`rows` go by the pictures' names: paths relative to the table's folder, with slashes, or bare file names."""
        self.rows, self.title = rows, title
        self.has_labels = any(row.label for row in rows.values())
        self.has_subjects = any(row.subject for row in rows.values())

    def find(self, name: str) -> SubjectRow | None:
        """What the table says of a picture, by its path, shortened from the left until the table knows it."""
        return find_row(self.rows, name)


def find_row(rows: Mapping[str, T], name: str) -> T | None:
    """What a table says of a picture, by its path, shortened from the left until the table knows it."""
    pieces = PurePosixPath(name).parts
    paths = ("/".join(pieces[start:]) for start in range(len(pieces)))
    return next((rows[path] for path in paths if path in rows), None)


def parse_subject_table(content: bytes, title: str) -> SubjectTable:
    """A table from its csv text. Raises DataError naming file and row for anything that is not as it should be."""
    names, lines = read_lines(content, title)
    columns = {name.strip().lower(): name for name in names}
    if "file" not in columns or not {"subject", "label"} & set(columns):
        raise DataError(f"{title}: {describe_columns(names)}; needed are file, and subject or label or both")

    def find(line: Mapping[str, str], key: str) -> str:
        return (line.get(columns.get(key, "")) or "").strip()

    pairs = ((find(line, "file"), SubjectRow(find(line, "subject"), canonical(find(line, "label")))) for line in lines)
    return SubjectTable(collect_rows(pairs, title), title)


def explain_unused(content: bytes, title: str) -> str:
    """Why a csv file that lies among the pictures is no table of subjects, '' if it says who is in them or what they
    show. One called subjects.csv is meant to, and always counts. Raises DataError for other text."""
    names, _ = read_lines(content, title)
    if {"subject", "label"} & {name.strip().lower() for name in names} or title.lower().endswith(TABLE_NAMES[0]):
        return ""
    return f"{describe_columns(names)}, and neither subject nor label"


def describe_columns(names: Sequence[str]) -> str:
    """What the first line of a table has, for a message, and what to do where no comma separates it."""
    shown = f"its first line has {shorten(', '.join(names), 80) or 'nothing'}"
    if len(names) == 1 and (other := next((mark for mark in (";", "\t") if mark in names[0]), None)):
        return f"{shown}, with {'semicolons' if other == ';' else 'tabs'} between the columns where commas are needed"
    return shown


def read_lines(content: bytes, title: str) -> tuple[list[str], list[dict[str, str]]]:
    """The names of a csv text's columns, and its lines by them. Raises DataError, naming `title`, for other text."""
    try:
        table = csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline=""))
        return [name for name in table.fieldnames or () if name], list(table)
    except UnicodeDecodeError as error:
        raise DataError(
            f"{title} cannot be read as a csv file: its text is not UTF-8; in Excel, save it as 'CSV UTF-8'"
        ) from error
    except csv.Error as error:
        raise DataError(f"{title} cannot be read as a csv file: {error}") from error


def collect_rows(pairs: Iterable[tuple[str, T]], title: str) -> dict[str, T]:
    """What a table says of each file, by its name with slashes. Raises DataError, naming the row, where a name is
    missing or stands twice with different values."""
    rows: dict[str, T] = {}
    for number, (name, row) in enumerate(pairs, start=1):
        file = name.strip().replace("\\", "/").removeprefix("./")
        if not file:
            raise DataError(f"{title}, row {number}: no file name")
        if rows.setdefault(file, row) != row:
            raise DataError(f"{title}, row {number}: {shorten(file, 100)} is listed twice, with different values")
    return rows


def read_subject_table(path: Path) -> SubjectTable:
    """A table from its file. Raises DataError where it cannot be read."""
    return parse_subject_table(read_content(path, "the table of subjects", DataError), str(path))


def find_subject_tables(names: Sequence[str]) -> list[str]:
    """What may be a table of subjects among a source's files, the outermost first."""
    tables = [name for name in names if PurePosixPath(name).name.lower() in TABLE_NAMES]
    return sorted(tables, key=lambda name: (name.count("/"), name))


def add_subjects(faces: FaceSet, options: LoadOptions) -> FaceSet:
    """The set with the subject IDs that `--subject-pattern` finds in its ids, or that the table of `--subjects`
    gives; the set itself without either.

    Raises UsageError for a pattern that is invalid or finds nothing, DataError for a table that names none of the
    faces or cannot be read.
    """
    if options.subject_pattern:
        return _add_by_pattern(faces, options.subject_pattern)
    if options.subjects:
        return _add_by_table(faces, read_subject_table(Path(options.subjects)))
    return faces


def _add_by_table(faces: FaceSet, table: SubjectTable) -> FaceSet:
    """The set with the subjects that a table names, and a note on the faces it does not know."""
    rows = [table.find(face) for face in faces.ids]
    if not any(rows):
        known = next(iter(table.rows), "nothing")
        raise DataError(
            f"{table.title} names none of the {len(faces)} faces: its first file is {shorten(known, 100)}, the first "
            f"face is {shorten(faces.ids[0], 100)}"
        )
    return _set_subjects(faces, [row.subject if row else "" for row in rows])


def _add_by_pattern(faces: FaceSet, pattern: str) -> FaceSet:
    """The set with the subject that a regular expression finds in each id: its group named 'subject', else its first
    group, else the whole match. Faces in whose id it finds nothing have no subject, and a note counts them."""
    try:
        compiled = re.compile(pattern)
    except (re.error, RecursionError, OverflowError) as error:  # the last two of deep nesting and of huge numbers
        shown = shorten(pattern, 100)
        raise UsageError(f"--subject-pattern {shown}: not a regular expression ({reason_of(error)})") from error
    group: int | str = "subject" if "subject" in compiled.groupindex else min(compiled.groups, 1)
    matches = [compiled.search(face) for face in faces.ids]
    subjects = [(match[group] or "") if match else "" for match in matches]
    if not any(subjects):
        raise UsageError(
            f"--subject-pattern {shorten(pattern, 100)} finds no subject in any of {len(faces)} names, e.g. "
            f"{shorten(faces.ids[0], 100)}"
        )
    return _set_subjects(faces, subjects)


def _set_subjects(faces: FaceSet, subjects: Sequence[str]) -> FaceSet:
    unknown = sum(not subject for subject in subjects)
    notes = (f"{unknown:,} of {len(faces):,} faces have no subject ID",) if unknown else ()
    return replace(faces, subjects=tuple(subjects), notes=faces.notes + notes)
