"""Who is in a picture, and what it shows, where file names or a table say so."""

import csv
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from fercli.core.errors import DataError, UsageError
from fercli.core.labels import canonical
from fercli.data.faceset import FaceSet

#: What a table of people is called when it lies in the folder of the pictures.
TABLE_NAMES = ("subjects.csv", "people.csv", "metadata.csv")


@dataclass(frozen=True)
class Person:
    """What a table says of one picture: subject and label, each '' where it does not say."""

    subject: str
    label: str


class People:
    """A table of pictures: the csv file's columns file, subject and label, the last two each optional."""

    def __init__(self, rows: Mapping[str, Person], title: str) -> None:
        """`rows` go by the pictures' names: paths from the table's folder on, with slashes, or bare file names."""
        self.rows, self.title = rows, title
        self.says_labels = any(person.label for person in rows.values())
        self.says_subjects = any(person.subject for person in rows.values())

    def of(self, name: str) -> Person | None:
        """What the table says of a picture, by its path, shortened from the left until the table knows it."""
        parts = PurePosixPath(name).parts
        paths = ("/".join(parts[start:]) for start in range(len(parts)))
        return next((self.rows[path] for path in paths if path in self.rows), None)


def read_people(content: bytes, title: str) -> People:
    """A table from its csv text. Raises DataError naming file and row for anything that is not as it should be."""
    try:
        table = csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline=""))
        columns = {name.strip().lower(): name for name in table.fieldnames or () if name}
        rows = list(table)
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{title} cannot be read as a csv file: {error}") from error
    if "file" not in columns or not {"subject", "label"} & set(columns):
        raise DataError(
            f"{title}: its first line has {', '.join(columns) or 'nothing'}; needed are file, and subject or label "
            "or both"
        )
    people: dict[str, Person] = {}
    for number, row in enumerate(rows, start=1):
        file, subject, label = ((row.get(columns.get(key, "")) or "").strip() for key in ("file", "subject", "label"))
        file = file.replace("\\", "/").removeprefix("./")
        person = Person(subject, canonical(label))
        if not file:
            raise DataError(f"{title}, row {number}: no file name")
        if people.setdefault(file, person) != person:
            raise DataError(f"{title}, row {number}: {file} stands in it twice, with different words")
    return People(people, title)


def read_people_file(path: Path) -> People:
    """A table from its file. Raises DataError where it cannot be read."""
    try:
        return read_people(path.read_bytes(), str(path))
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror or error}") from error


def own_table(names: Sequence[str]) -> str | None:
    """The table of people among a source's files, the outermost; None where there is none."""
    tables = [name for name in names if PurePosixPath(name).name.lower() in TABLE_NAMES]
    return min(tables, key=lambda name: (name.count("/"), name), default=None)


def with_people(faces: FaceSet, people: People) -> FaceSet:
    """The set with the subjects that a table names, and a note on the faces it does not know.

    Raises DataError where it knows none of them.
    """
    found = [people.of(face) for face in faces.ids]
    if not any(found):
        known = next(iter(people.rows), "nothing")
        raise DataError(f"{people.title} names none of the {len(faces)} faces: it has {known}, they are {faces.ids[0]}")
    return _with_subjects(faces, [person.subject if person else "" for person in found])


def with_pattern(faces: FaceSet, pattern: str) -> FaceSet:
    """The set with the subject that a regular expression finds in each id: its group named 'subject', else its first
    group, else the whole match. Faces in whose id it finds nothing are of nobody known, which a note counts.

    Raises UsageError for an expression that is none, or that finds nothing at all.
    """
    try:
        compiled = re.compile(pattern)
    except re.error as error:
        raise UsageError(f"--subject-pattern {pattern}: not a regular expression ({error})") from error
    group: int | str = "subject" if "subject" in compiled.groupindex else min(compiled.groups, 1)
    found = [compiled.search(face) for face in faces.ids]
    subjects = [(match[group] or "") if match else "" for match in found]
    if not any(subjects):
        raise UsageError(f"--subject-pattern {pattern} finds nobody in any of {len(faces)} names, e.g. {faces.ids[0]}")
    return _with_subjects(faces, subjects)


def _with_subjects(faces: FaceSet, subjects: Sequence[str]) -> FaceSet:
    unknown = sum(not subject for subject in subjects)
    notes = (f"it is not known who {unknown:,} of {len(faces):,} faces are",) if unknown else ()
    return replace(faces, subjects=tuple(subjects), notes=faces.notes + notes)
