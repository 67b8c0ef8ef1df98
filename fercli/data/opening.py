"""What a path holds, told by what is in it: a csv file, a folder or archive of pictures, or a built set."""

from pathlib import Path

from fercli.core.config import LoadOptions
from fercli.core.errors import UsageError
from fercli.core.files import file_digest
from fercli.core.progress import ProgressCallback, no_progress
from fercli.data.cache import cached
from fercli.data.faceset import FaceSet
from fercli.data.loaders import ckplus, face_file
from fercli.data.loaders.class_folders import load_folder
from fercli.data.loaders.fer2013 import TABLES, load_csv, usages_as_parts
from fercli.data.loaders.muxspace import holds_muxspace, muxspace_set
from fercli.data.photographs import FINDER
from fercli.data.pictures import is_picture
from fercli.data.sources import is_zip, opened_zip
from fercli.data.subjects import read_people_file, with_pattern, with_people

_PACKED = (".zip", ".gz", ".tar.gz", ".tgz")
#: What FER2013's table is called, packed or not.
FER2013_FILES = (
    *TABLES,
    *(table + ending for table in TABLES for ending in _PACKED),
    *(table.removesuffix(".csv") + ending for table in TABLES for ending in _PACKED),
    "challenges-in-representation-learning-facial-expression-recognition-challenge.zip",
)
_TABLE_FILES = (*FER2013_FILES, ckplus.TABLE)
_PLAIN = LoadOptions()


def load_path(
    path: Path, name: str | None = None, options: LoadOptions = _PLAIN, progress: ProgressCallback = no_progress
) -> FaceSet:
    """The face set of a file or folder, recognised by what is in it, with the subjects that `options` finds.

    Raises DataError where nothing fits, UsageError where faces are to be found in what is no folder of pictures.
    """
    if holds_muxspace(path):
        return with_subjects(muxspace_set(path, progress), options)
    inside = next((path / file for file in _TABLE_FILES if (path / file).is_file()), None) if path.is_dir() else path
    if inside is None or (inside.suffix != face_file.SUFFIX and is_zip(inside) and _holds_pictures(inside)):
        return with_subjects(
            _cached_folder(path, name, options, progress), options.model_copy(update={"subjects": None})
        )
    if options.detect:
        raise UsageError(f"--detect looks for faces in photographs, and {inside} holds 48×48 faces: leave it out")
    if inside.suffix == face_file.SUFFIX:
        return with_subjects(face_file.read_faces(inside), options)
    return with_subjects(_cached_table(inside, name or inside.name.partition(".")[0]), options)


def with_subjects(faces: FaceSet, options: LoadOptions) -> FaceSet:
    """The set with the subjects that a pattern finds in its ids, or that a table names."""
    if options.subject_pattern:
        return with_pattern(faces, options.subject_pattern)
    if options.subjects:
        return with_people(faces, read_people_file(Path(options.subjects)))
    return faces


def _cached_table(path: Path, name: str) -> FaceSet:
    if path.name.lower().startswith(Path(ckplus.TABLE).stem):
        return cached(path, f"ck+ csv as {name}", lambda: load_csv(path, name, ckplus.EXTENDED))
    return cached(path, f"fer2013 csv as {name}", lambda: load_csv(path, name))


def _cached_folder(path: Path, name: str | None, options: LoadOptions, progress: ProgressCallback) -> FaceSet:
    name = name or (path.resolve().name if path.is_dir() else path.stem) or "folder"
    table = Path(options.subjects) if options.subjects else None
    people = read_people_file(table) if table else None
    loader = f"class folders as {name}"
    if options.detect:
        loader += f", faces found: {FINDER}"
    if table:
        loader += f", people of {table.name} {file_digest(table)}"

    def build() -> FaceSet:
        faces = load_folder(path, name, detect=options.detect, people=people, progress=progress)
        return ckplus.subjects_from_names(usages_as_parts(faces))

    return cached(path, loader, build)


def _holds_pictures(path: Path) -> bool:
    """Whether a zip archive is one of pictures rather than of a table."""
    with opened_zip(path) as archive:
        names = archive.namelist()
    return not any(Path(name).name in _TABLE_FILES for name in names) and any(map(is_picture, names))
