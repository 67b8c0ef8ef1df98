"""What a check found as files: a row a face in csv, and the faces themselves on a contact sheet."""

import csv
import io
from collections.abc import Iterator
from pathlib import Path

from fercli.core.errors import UsageError
from fercli.core.files import refuse_existing, write_text
from fercli.data.faceset import FaceSet
from fercli.data.quality.contact_sheet import Section, Tile, write_contact_sheet
from fercli.workflows.check.issues import Issue
from fercli.workflows.check.run import Check

COLUMNS = ("fault", "group", "id", "part", "label", "subject", "remark")

#: How many faces a sheet shows of each kind of issue, and of each group in it.
_SHOWN, _SHOWN_OF_GROUP = 60, 6


def check_output(path: Path, ending: str, force: bool) -> None:
    """Raise UsageError where a file to be written has not this ending, or is there already and not to be replaced."""
    if path.suffix.lower() != ending:
        raise UsageError(f"{path} does not end in {ending}: name it {path.with_suffix(ending)}")
    if path.is_dir():
        raise UsageError(f"{path} is a folder: choose another name")
    refuse_existing(path, force=force)


def write_csv(path: Path, check: Check) -> None:
    """Write a row for every face of every issue, groups numbered from 1 within their kind; small classes have a row
    with the class alone. Raises RunError where the file cannot be written."""
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(COLUMNS)
    rows.writerows(_rows(check))
    write_text(path, text.getvalue())


def _rows(check: Check) -> Iterator[tuple[object, ...]]:
    faces = check.faces
    for issue in check.issues:
        for number, group in enumerate(issue.groups, 1):
            for face in group:
                subject = faces.subjects[face] if faces.subjects else ""
                label = faces.classes[faces.labels[face]]
                yield issue.kind, number, faces.ids[face], check.splits[face], label, subject, _remark(issue, number)
        if issue.kind == "classes":
            yield from ((issue.kind, number, "", "", name, "", "") for number, name in enumerate(issue.numbers, 1))


def _remark(issue: Issue, number: int) -> str:
    """What is said of an issue's group, counted from 1."""
    return issue.remarks[number - 1] if issue.remarks else ""


def write_suspects(path: Path, check: Check) -> None:
    """Write a contact sheet (png) of the faces concerned, under a heading for each kind of issue, the worst first.

    Shows the first of each kind; duplicates stand side by side. Raises RunError where the file cannot be written.
    """
    found = [issue for issue in check.issues if issue.groups]
    sections = [_section(issue, check) for issue in found]
    write_contact_sheet(path, sections or [Section(f"{check.faces.name}: nothing found that can be shown", ())])


def _section(issue: Issue, check: Check) -> Section:
    groups: list[tuple[Tile, ...]] = []
    shown = 0
    for number, group in enumerate(issue.groups, 1):
        some = check.pick_examples(issue, group)[:_SHOWN_OF_GROUP]
        if shown + len(some) > _SHOWN:
            break
        groups.append(tuple(tile(check.faces, face, str(check.splits[face]), _remark(issue, number)) for face in some))
        shown += len(some)
    total = sum(map(len, issue.groups))
    some_of = "" if shown == total else f" ({shown} of {total:,} faces shown)"
    return Section(f"{issue.title}: {issue.found}{some_of}", tuple(groups))


def tile(faces: FaceSet, face: int, split: str, remark: str = "") -> Tile:
    """One face of a set for a contact sheet: its id, its split and its label below it, and what is remarked."""
    lines = (faces.ids[face], f"{split} · {faces.classes[faces.labels[face]]}", *([remark] if remark else []))
    return Tile(faces.images[face, 0], lines)
