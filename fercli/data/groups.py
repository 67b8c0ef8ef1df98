"""What a table says of each face beside its label: an age band, a camera, anything by file name."""

from pathlib import Path

from fercli.core.errors import DataError, UsageError
from fercli.core.files import read_content
from fercli.core.text import shorten, to_printable
from fercli.data.faceset import FaceSet
from fercli.data.subjects import collect_rows, describe_columns, find_row, read_lines

#: More values than this are no groups but names or numbers.
_MOST_GROUPS = 100


def read_groups(faces: FaceSet, column: str, table: Path | None) -> list[str]:
    """The value of each face in a column of a csv file, which names the faces in its column `file`; '' where it has
    none. Without a table, `subject` is the person.

    Raises UsageError for a column that is not there, DataError for a table that cannot be read or names none of the
    faces.
    """
    groups = _read_subjects(faces, column) if table is None else _read_values(faces, column, table)
    if (count := len(set(groups))) > _MOST_GROUPS:
        raise UsageError(f"--by {column}: {count:,} different values, and at most {_MOST_GROUPS} are shown as groups")
    return groups


def _read_values(faces: FaceSet, column: str, table: Path) -> list[str]:
    """The value of each face in a column of a table."""
    rows = _read_table(table, column)
    values = [find_row(rows, face) for face in faces.ids]
    if all(value is None for value in values):
        known = shorten(next(iter(rows), "nothing"), 100)
        raise DataError(
            f"{table} names none of the {len(faces):,} faces: its first file is {known}, the first face is "
            f"{shorten(faces.ids[0], 100)}"
        )
    return [value or "" for value in values]


def _read_subjects(faces: FaceSet, column: str) -> list[str]:
    if column != "subject":
        raise UsageError(f"--by {column} needs --groups FILE, a csv file with the columns file and {column}")
    if faces.subjects is None:
        raise UsageError(f"--by subject: nobody is known in {faces.name} (--subjects or --subject-pattern says who)")
    return list(faces.subjects)


def _read_table(path: Path, column: str) -> dict[str, str]:
    """The values of a column by the file's name."""
    names, lines = read_lines(read_content(path, "the table of groups", DataError), str(path))
    if wanted := [name for name in ("file", column) if name not in names]:
        raise UsageError(f"{path} has no column {' and no column '.join(wanted)}: {describe_columns(names)}")
    pairs = ((line["file"] or "", to_printable((line[column] or "").strip())) for line in lines)
    return collect_rows(pairs, str(path))
