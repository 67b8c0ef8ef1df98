"""Finding the pictures and videos that a user means: files, folders, patterns, archives, and lists of paths."""

import codecs
import glob
import os
import re
import stat
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from fercli.core.errors import PictureError, UsageError
from fercli.core.files import read_content
from fercli.faces.io.archives import Member, archive_format, list_members
from fercli.faces.io.folders import Kind, RealPaths, find_matches, guess_kind, make_safe_path, natural_key, scan_folder
from fercli.faces.io.stores import StoredObject, is_address, list_objects

_ARCHIVE_IN_STORE = "an archive in a store: write to a folder (--output faces/), or copy the archive here first"


@dataclass(frozen=True, slots=True)
class Source:
    """A picture or video to read, or a path that gave none, with the reason in `error`.

    `path` is the path as typed; for a file in a folder, the two joined; for one in an archive, the archive's path
    joined with the member's name. `relative_path` is where an annotated picture goes in the output folder: the file's
    name, its path within the folder that was typed, or the archive's name and the path in it. `member` is set for a
    file in an archive, `stored` for an object in a store.
    """

    path: Path
    relative_path: Path
    error: str = ""
    kind: Kind = "picture"
    member: Member | None = None
    stored: StoredObject | None = None


def find_sources(paths: Sequence[Path], recursive: bool = False, listed: Sequence[Path] = ()) -> list[Source]:
    """Find the pictures and videos at `paths`, then at `listed`, each once.

    Arguments keep their order; a folder's files are in natural order, an archive's in that of `list_members`. A named
    file is taken whatever its ending. In folders, only files with the endings of pictures and videos are taken, hidden
    names are skipped and archives are not opened. A named zip or tar archive gives its pictures, whatever its ending,
    unless that is a picture's or a video's. A path that does not exist and contains *, ? or [ is a pattern as in a
    shell; those in `listed` never are. A missing path, a pattern without a match, and a folder or archive without
    pictures each become a source with an error. An address in an object store, such as s3://bucket/prefix, gives the
    pictures below it (see fercli.faces.io.stores).

    Raises UsageError if there are no paths at all.
    """
    if not paths and not listed:
        raise UsageError(
            "no picture given: fer predict PATH… takes pictures, folders and archives, --from-file LIST a list of "
            "them, --demo has one built in"
        )
    real_paths = RealPaths()
    sources_by_key: dict[str, Source] = {}
    for path in paths:
        for key, source in _expand_argument(path, recursive, real_paths):
            sources_by_key.setdefault(key, source)
    for path in listed:
        for key, source in _expand_path(path, None, recursive, real_paths):
            sources_by_key.setdefault(key, source)
    return list(sources_by_key.values())


def expand_path(path: Path, recursive: bool = False) -> Iterator[Source]:
    """The sources that `find_sources` finds at a single path."""
    return (source for _, source in _expand_argument(path, recursive, RealPaths()))


def _expand_argument(path: Path, recursive: bool, real_paths: RealPaths) -> Iterator[tuple[str, Source]]:
    """The sources of one argument, which may be a pattern. Each comes with a key that is the same for the same file."""
    if is_address(path) or not glob.has_magic(str(path)) or os.path.lexists(path):
        yield from _expand_path(path, None, recursive, real_paths)
        return
    matches = sorted(set(find_matches(path)), key=natural_key)
    if not matches:
        yield str(path), Source(path, Path(path.name), "nothing matches this pattern", _kind_to_read(path))
    first_magic = next(index for index, part in enumerate(path.parts) if glob.has_magic(part))
    for match in matches:
        relative = Path(*match.parts[first_magic:])
        yield from _expand_path(match, None if ".." in relative.parts else relative, recursive, real_paths)


def _expand_path(
    path: Path, relative: Path | None, recursive: bool, real_paths: RealPaths
) -> Iterator[tuple[str, Source]]:
    """The sources at a path that is not a pattern, with their keys. `relative` overrides the usual relative path."""
    file_relative = relative or Path(path.name)
    if is_address(path):
        yield from _expand_address(path)
        return
    try:
        status = os.lstat(path)
        is_link = stat.S_ISLNK(status.st_mode)
        if is_link and os.path.exists(path):  # noqa: PTH110 (a broken link is reported when it is read)
            status = os.stat(path)  # noqa: PTH116
    except FileNotFoundError:
        address = re.match(r"[a-z0-9]{2,}:/", str(path), re.IGNORECASE)  # Path has dropped one slash
        hint = ": nothing is fetched, download it first" if address else ""
        yield str(path), Source(path, file_relative, f"no such file or folder{hint}", _kind_to_read(path))
    except OSError as error:
        yield str(path), Source(path, file_relative, error.strerror or str(error), _kind_to_read(path))
    else:
        if stat.S_ISDIR(status.st_mode):
            yield from _expand_folder(path, relative or Path(), recursive, real_paths)
        elif stat.S_ISREG(status.st_mode) and guess_kind(path.name) is None and archive_format(path):
            yield from _expand_archive(path, file_relative, real_paths.resolve(path, is_link))
        else:
            yield real_paths.resolve(path, is_link), Source(path, file_relative, kind=_kind_to_read(path))


def _expand_address(path: Path) -> Iterator[tuple[str, Source]]:
    """The objects at an address in a store."""
    try:
        for found, stored in list_objects(path):
            inner = found.relative_to(path) if found != path else Path(found.name)
            reason = _ARCHIVE_IN_STORE if stored.is_archive else ""
            yield str(found), Source(found, make_safe_path(inner.as_posix()), reason, stored=stored)
    except PictureError as error:
        yield str(path), Source(path, Path(path.name), str(error))


def _kind_to_read(path: Path) -> Kind:
    """How a named file is read: as a video if it has the ending of one, otherwise as a picture."""
    return guess_kind(path.name) or "picture"


def _expand_folder(
    folder: Path, relative: Path, recursive: bool, real_paths: RealPaths
) -> Iterator[tuple[str, Source]]:
    contents = scan_folder(folder, recursive)
    for error in contents.unreadable:
        unreadable = Path(error.filename or folder)
        reason = f"cannot look into this folder: {error.strerror}"
        yield str(unreadable), Source(unreadable, Path(unreadable.name), reason)
    if not contents.files and not contents.unreadable:
        hint = " (--recursive looks into its folders too)" if contents.has_folders and not recursive else ""
        yield str(folder), Source(folder, Path(folder.name), f"a folder without pictures{hint}")
    for file, is_link in contents.files:
        path = folder / file
        yield real_paths.resolve(path, is_link), Source(path, relative / file, kind=_kind_to_read(file))


def expand_copy(archive: Path, file: Path) -> list[Source]:
    """The sources in an archive of a store, read from its copy in a file of this machine."""
    return [source for _, source in _expand_archive(archive, Path(archive.name), str(archive), file)]


def _expand_archive(
    path: Path, relative: Path, real_path: str, file: Path | None = None
) -> Iterator[tuple[str, Source]]:
    """The sources in an archive, which is read from `file` if that is another one than its path."""
    members, error = list_members(file or path)
    for name, member in members:
        # joined as text, because Path would let a name such as C:/a.jpg replace the archive's path
        member_path, kind = Path(f"{path}/{name}"), guess_kind(name) or "picture"
        reason = "a video in an archive: unpack it first" if kind == "video" else ""
        yield f"{real_path}/{name}", Source(member_path, relative / make_safe_path(name), reason, kind, member)
    if error or not members:
        yield real_path, Source(path, relative, error or "an archive without pictures")


def read_list(path: Path) -> list[Path]:
    """Read a list of paths from a file, or from standard input for '-'. See `parse_list` for its format.

    Raises UsageError if it cannot be read or is empty.
    """
    name = "standard input" if str(path) == "-" else str(path)
    try:
        content = sys.stdin.buffer.read() if str(path) == "-" else read_content(path, "the list", UsageError)
        paths = parse_list(content)
    except OSError as error:
        raise UsageError(f"cannot read the list {name}: {error.strerror or error}") from error
    except UnicodeError as error:
        raise UsageError(f"cannot read the list {name}: {error}; UTF-8 is expected") from error
    if not paths:
        raise UsageError(f"no paths in the list {name}: it has one on each line")
    return paths


def parse_list(content: bytes) -> list[Path]:
    """The paths in a text with one on each line, or with a NUL after each, as `find -print0` writes them.

    The text is UTF-8, or UTF-16 as Windows' PowerShell writes it. A byte order mark, carriage returns at line ends and
    blank lines are dropped; blanks in other lines belong to the name. Names that are not UTF-8 are kept in the form
    that the file system uses. Raises UnicodeError for damaged UTF-16.
    """
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        text = content.decode("utf-16")
    else:
        text = content.removeprefix(codecs.BOM_UTF8).decode("utf-8", "surrogateescape")
    if "\0" in text:
        return [Path(name) for name in text.split("\0") if name]
    # not splitlines, which also splits at characters that file names may contain
    lines = (line.removesuffix("\r") for line in text.split("\n"))
    return [Path(line) for line in lines if line.strip()]
