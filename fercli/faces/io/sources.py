"""From what was typed to the pictures meant: files, folders and what is in them, patterns, archives."""

import codecs
import glob
import os
import stat
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from fercli.core.errors import UsageError
from fercli.faces.io.archives import Member, is_archive, list_members
from fercli.faces.io.folders import Kind, Places, kind_of, look_below, natural_key, safe_path


@dataclass(frozen=True, slots=True)
class Source:
    """One picture or video to read, or a path that gave none and why.

    `path` is as typed (below a folder: joined to it; in an archive: the archive's path joined with the name in it).
    `inside` is where a copy of it goes within a folder of copies: its name, its path within the folder that was
    typed, or the archive's name and its path in there. `member` is where it lies in an archive.
    """

    path: Path
    inside: Path
    fault: str = ""
    kind: Kind = "picture"
    member: Member | None = None


def find_sources(paths: Sequence[Path], recursive: bool = False, listed: Sequence[Path] = ()) -> list[Source]:
    """The pictures and videos at `paths` and then `listed`, each once: arguments in their order, a folder's in
    natural order, an archive's as `list_members` has them.

    A file is taken whatever its ending. In folders those with the endings of pictures and videos count, hidden
    names do not, and archives are not opened. A zip or tar archive that is named itself gives its pictures. A path
    that does not exist but holds *, ? or [ is a pattern, read as a shell would; `listed` holds none. A path that is
    missing, a pattern without a match, a folder or archive without pictures becomes a source with a fault.

    Raises UsageError where there is nothing at all to work on.
    """
    if not paths and not listed:
        raise UsageError(
            "no picture given: fer predict PATH… takes pictures, folders and archives, --from-file LIST a list of "
            "them, --demo has one built in"
        )
    places = Places()
    found: dict[str, Source] = {}
    for path in paths:
        for place, source in _typed(path, recursive, places):
            found.setdefault(place, source)
    for path in listed:
        for place, source in _at(path, None, recursive, places):
            found.setdefault(place, source)
    sources = list(found.values())
    if all(source.fault for source in sources):
        first = f"{sources[0].path}: {sources[0].fault}"
        others = len(sources) - 1
        raise UsageError(f"nothing to work on: {first}" + (f" (and {others:,} more like it)" if others else ""))
    return sources


def sources_at(path: Path, recursive: bool = False) -> Iterator[Source]:
    """What `find_sources` takes one path for."""
    return (source for _, source in _typed(path, recursive, Places()))


def _typed(path: Path, recursive: bool, places: Places) -> Iterator[tuple[str, Source]]:
    """The sources of one argument, each with what tells it from others."""
    if not glob.has_magic(str(path)) or os.path.lexists(path):
        yield from _at(path, None, recursive, places)
        return
    matches = sorted(map(Path, glob.glob(str(path), recursive=True)), key=natural_key)  # noqa: PTH207
    if not matches:
        yield str(path), Source(path, Path(path.name), "nothing matches this pattern", _kind(path))
    fixed = next(number for number, part in enumerate(path.parts) if glob.has_magic(part))
    for match in matches:
        inside = Path(*match.parts[fixed:])
        yield from _at(match, None if ".." in inside.parts else inside, recursive, places)


def _at(path: Path, inside: Path | None, recursive: bool, places: Places) -> Iterator[tuple[str, Source]]:
    """The sources at a path, which is no pattern. `inside` is where copies of it go, if not where they usually do."""
    at = inside or Path(path.name)
    try:
        status = os.lstat(path)
        is_link = stat.S_ISLNK(status.st_mode)
        if is_link and os.path.exists(path):  # noqa: PTH110 (a broken link is told where it is read)
            status = os.stat(path)  # noqa: PTH116
    except FileNotFoundError:
        yield str(path), Source(path, at, "no such file or folder", _kind(path))
    except OSError as error:
        yield str(path), Source(path, at, error.strerror or str(error), _kind(path))
    else:
        if stat.S_ISDIR(status.st_mode):
            yield from _below(path, inside or Path(), recursive, places)
        elif stat.S_ISREG(status.st_mode) and is_archive(path):
            yield from _members(path, at, places.of(path, is_link))
        else:
            yield places.of(path, is_link), Source(path, at, kind=_kind(path))


def _kind(path: Path) -> Kind:
    """What a file that is named is read as: whatever does not end as a video does, as a picture."""
    return kind_of(path.name) or "picture"


def _below(folder: Path, inside: Path, recursive: bool, places: Places) -> Iterator[tuple[str, Source]]:
    below = look_below(folder, recursive)
    for error in below.unreadable:
        barred = Path(error.filename or folder)
        yield str(barred), Source(barred, Path(barred.name), f"cannot look into this folder: {error.strerror}")
    if not below.files and not below.unreadable:
        hint = " (--recursive looks into its folders too)" if below.deeper and not recursive else ""
        yield str(folder), Source(folder, Path(folder.name), f"a folder without pictures{hint}")
    for file, is_link in below.files:
        path = folder / file
        yield places.of(path, is_link), Source(path, inside / file, kind=kind_of(file.name) or "picture")


def _members(path: Path, inside: Path, place: str) -> Iterator[tuple[str, Source]]:
    members, fault = list_members(path)
    for name, member in members:
        # joined as text: a name such as C:/a.jpg would replace the path before it
        at, kind = Path(f"{path}/{name}"), kind_of(name) or "picture"
        fault_of_one = "a video in an archive: unpack it first" if kind == "video" else ""
        yield f"{place}/{name}", Source(at, inside / safe_path(name), fault_of_one, kind, member)
    if fault or not members:
        yield place, Source(path, inside, fault or "an archive without pictures")


def read_list(path: Path) -> list[Path]:
    """The paths in a list, '-' being standard input; see `listed_paths`.

    Raises UsageError where it cannot be read or names nothing.
    """
    name = "standard input" if str(path) == "-" else str(path)
    try:
        content = sys.stdin.buffer.read() if str(path) == "-" else path.read_bytes()
        paths = listed_paths(content)
    except OSError as error:
        raise UsageError(f"cannot read the list {name}: {error.strerror or error}") from error
    except UnicodeError as error:
        raise UsageError(f"cannot read the list {name}: {error}; UTF-8 is expected") from error
    if not paths:
        raise UsageError(f"no paths in the list {name}: it has one on each line")
    return paths


def listed_paths(content: bytes) -> list[Path]:
    """The paths in a text of one a line, or with a NUL after each, as `find -print0` writes them.

    The text is UTF-8, or the UTF-16 that Windows' PowerShell writes; a byte order mark, Windows' line ends and
    blank lines are nothing of it. Blanks within a line belong to the name. Names that are no UTF-8 are kept as the
    file system has them. Raises UnicodeError for damaged UTF-16.
    """
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        text = content.decode("utf-16")
    else:
        text = content.removeprefix(codecs.BOM_UTF8).decode("utf-8", "surrogateescape")
    if "\0" in text:
        return [Path(name) for name in text.split("\0") if name]
    # not splitlines: it also ends lines at characters that names may have
    lines = (line.removesuffix("\r") for line in text.split("\n"))
    return [Path(line) for line in lines if line.strip()]
