"""Pictures in a folder for each class, below train, val and test or without them; also in an archive."""

from collections.abc import Callable
from functools import partial
from pathlib import Path, PurePosixPath

from fercli.core.config import LoadOptions
from fercli.core.errors import DataError
from fercli.core.files import file_digest
from fercli.core.labels import EXPRESSIONS, canonical, is_expression
from fercli.core.progress import ProgressCallback, no_progress
from fercli.core.text import list_examples
from fercli.data.cache import load_cached
from fercli.data.faceset import FaceSet
from fercli.data.loaders import FORMATS, Loader
from fercli.data.loaders.face_file import is_face_file
from fercli.data.pictures import DETECTOR_KEY, LabelledPicture, read_labelled_pictures
from fercli.data.sources import SPLIT_FOLDERS, Reader, holds_pictures, is_picture, open_source, read_table
from fercli.data.subjects import (
    SubjectTable,
    add_subjects,
    explain_unused,
    find_subject_tables,
    parse_subject_table,
    read_subject_table,
)

LAYOUT = "a folder for each class (angry, disgust, …) with its pictures, or train, val and test with such folders"


def load_class_folders(path: Path, options: LoadOptions, progress: ProgressCallback) -> FaceSet:
    """`read_class_folders` as `options` say, from the cache where it has been read before."""
    table = Path(options.subjects) if options.subjects else None
    subjects = read_subject_table(table) if table else None
    key = "class folders"
    if options.detect:
        key += f", faces found: {DETECTOR_KEY}"
    if table:
        key += f", subjects of {table.name} {file_digest(table)}"
    read: Callable[[], FaceSet] = partial(
        read_class_folders, path, detect=options.detect, subjects=subjects, progress=progress
    )
    # a table of subjects has been used already: it may say labels too
    return add_subjects(load_cached(path, key, read), options.model_copy(update={"subjects": None}))


def read_class_folders(
    path: Path,
    *,
    detect: bool = False,
    subjects: SubjectTable | None = None,
    progress: ProgressCallback = no_progress,
) -> FaceSet:
    """The face set of a folder, or of a zip or tar archive, of class folders; see LAYOUT.

    Class names are matched as expressions (anger is angry). `subjects`, else a table in the folder itself
    (subjects.csv, people.csv or metadata.csv), gives the subject IDs; where it gives labels, those count and class
    folders are not needed. Otherwise as `read_labelled_pictures` has it.

    Raises DataError where there are no pictures with a class, or none that can be read.
    """
    with open_source(path) as (names, reader):
        notes: list[str] = []
        if subjects is None:
            subjects = _read_own_table(path, names, reader, notes)
        pictures, left_out = _label_pictures(path, [name for name in names if is_picture(name)], subjects)
        return read_labelled_pictures(
            path, pictures, reader, detect=detect, notes=[*notes, *left_out], progress=progress
        )


def _read_own_table(path: Path, names: list[str], reader: Reader, notes: list[str]) -> SubjectTable | None:
    """The table of subjects that lies among the pictures, None where there is none, and a note on what was used."""
    for name in find_subject_tables(names):
        content, title = read_table(path, name, reader), f"{path}/{name}"
        if reason := explain_unused(content, title):
            notes.append(f"{name} is not used: {reason}")
            continue
        table = parse_subject_table(content, title)
        columns = ["labels"] * table.has_labels + ["subject IDs"] * table.has_subjects
        notes.append(f"{name} gives the {' and '.join(columns)}")
        return table
    return None


def _label_pictures(
    path: Path, names: list[str], subjects: SubjectTable | None
) -> tuple[list[LabelledPicture], list[str]]:
    """Class, split and subject of each picture, by its folders and the table, and notes on those without."""
    if not names:
        raise DataError(f"{path}: no pictures in it; expected: {LAYOUT}")
    table = subjects if subjects is not None and subjects.has_labels else None
    outer, has_splits = _arrange([PurePosixPath(name).parts[:-1] for name in names], labelled=table is not None)
    pictures = []
    for name in names:
        folders = PurePosixPath(name).parts[outer:-1]
        split = SPLIT_FOLDERS.get(folders[0].lower(), "") if has_splits and folders else ""
        row = subjects.find(name) if subjects else None
        by_folder = canonical(folders[has_splits]) if len(folders) > has_splits else ""
        label = by_folder if table is None else row.label if row else ""
        if label and bool(split) == has_splits:
            pictures.append(LabelledPicture(name, label, row.subject if row else "", split))
    if not pictures:
        where = f"none has a label in {table.title}" if table else "not in class folders"
        raise DataError(f"{path}: {len(names)} pictures, but {where}; expected: {LAYOUT}")
    if len(labels := {picture.label for picture in pictures}) == 1 and not labels <= set(EXPRESSIONS):
        raise DataError(f"{path}: all pictures are of one class, {labels.pop()!r}; expected: {LAYOUT}")
    labelled = {picture.name for picture in pictures}
    outside = [name for name in names if name not in labelled]
    where = "the folders train, val and test" if has_splits else "class folders"
    reason = f"that {table.title} does not label" if table else f"outside of {where}"
    return pictures, [f"left out {list_examples(outside)} {reason}"] if outside else []


def _arrange(folders: list[tuple[str, ...]], *, labelled: bool) -> tuple[int, bool]:
    """How many outer folders are passed over, and whether those below them are splits: a split's folder holds class
    folders, or pictures that are `labelled` by a table."""
    outer = _count_outer(folders)
    inner = [parts[outer:] for parts in folders]
    has_splits = any(len(parts) > (not labelled) and parts[0].lower() in SPLIT_FOLDERS for parts in inner)
    return outer, has_splits


def _count_outer(folders: list[tuple[str, ...]]) -> int:
    """How many folders around the set's own are passed over: those that all pictures share and that are no split
    or class themselves (archive.zip/fer2013/train/…)."""
    depth = 0
    while all(len(parts) > depth + 1 and parts[depth] == folders[0][depth] for parts in folders):
        if folders[0][depth].lower() in SPLIT_FOLDERS or is_expression(folders[0][depth]):
            break
        depth += 1
    return depth


def _sniff(path: Path) -> bool:
    """A folder, or an archive with a picture in it."""
    return path.is_dir() or (not is_face_file(path) and holds_pictures(path))


FORMATS.register("class folders")(Loader(load=load_class_folders, sniff=_sniff))
