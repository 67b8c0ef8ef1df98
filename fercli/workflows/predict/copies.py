"""Where annotated copies go: never over an original, never two in one place."""

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from fercli.core.errors import UsageError
from fercli.core.files import written_whole
from fercli.faces.drawing.labels import annotate
from fercli.faces.io.decode import SUFFIXES
from fercli.faces.io.folders import Kind
from fercli.faces.io.sources import Source
from fercli.faces.video.write import find_mp4_encoder
from fercli.workflows.predict.results import Predicted

#: A file's number: its device's and its own on it.
_File = tuple[int, int]


def plan_copies(
    sources: Iterable[Source],
    folder: Path,
    force: bool = False,
    *,
    done: Iterable[Source] = (),
    since: float | None = None,
) -> dict[Path, Path]:
    """A file below `folder` for each source by its path: JPEG stays JPEG, videos become mp4, everything else PNG.

    Copies lie as the pictures do in the folder or the archive they come from; a name that is taken gets -2, -3 …
    after it. Beside a video's copy there is room for its timeline (see `timeline_of`). Those that are `done` had their
    copies in an earlier start of the job and keep their names; files written `since` that start, a time as files
    have it, are its own and may be replaced.

    Raises UsageError where a copy would replace an original, or, without `force`, any other file, or where a file
    stands in the place of a folder; MachineError where there are videos and this machine cannot write any.
    """
    sources, earlier = ([one for one in given if not one.error] for given in (sources, done))
    if any(source.kind == "video" for source in sources):
        find_mp4_encoder()
    taken: set[str] = set()
    for one in earlier:
        _free(folder / one.relative_path, one.kind, taken)
    copies = {source.path: _free(folder / source.relative_path, source.kind, taken) for source in sources}
    timelines = [timeline_of(copies[source.path]) for source in sources if source.kind == "video"]
    check_free([*copies.values(), *timelines], folder, [*earlier, *sources], force, since)
    return copies


def check_free(
    files: Sequence[Path], folder: Path, sources: Sequence[Source], force: bool, since: float | None = None
) -> None:
    """Raises UsageError where a file that is to be written below `folder` must not be: an original in any case,
    another without `force`, unless it was written `since` then."""
    inner = {folder, *(file.parent for file in files)}
    for place in {place for low in inner for place in (low, *low.parents)}:
        if place.exists() and not place.is_dir():
            raise UsageError(f"{place} is a file: choose another folder for what is drawn")
    existing = [file for file in files if os.path.lexists(file)]
    if not existing:
        return
    read = {source.member.archive if source.member else source.path for source in sources}
    originals = set[_File]().union(*map(_numbers, read))
    for file in existing:
        if not originals.isdisjoint(_numbers(file)):
            raise UsageError(f"{file} is one of the originals: choose another folder for what is drawn")
        if not force and (since is None or file.stat().st_mtime < since):
            raise UsageError(f"{file} exists already: choose another folder, or --force to replace such files")


def timeline_of(copy: Path) -> Path:
    """Where the timeline of a video is drawn whose annotated copy lies there."""
    return copy.with_suffix(".timeline.png")


def _numbers(path: Path) -> set[_File]:
    """The file at a path and the one that it leads to, by their numbers on the disk: names may differ in case."""
    found = set()
    for status in (os.stat, os.lstat):
        with suppress(OSError):
            file = status(path)
            found.add((file.st_dev, file.st_ino))
    return found


def drawing(predicted: Iterable[Predicted], copies: Mapping[Path, Path]) -> Iterator[Predicted]:
    """The same, with the copy of each picture with faces written on the way; videos are for `filming`.

    Raises RunError where that fails.
    """
    for one in predicted:
        if one.picture.pixels is not None and one.result.faces and one.result.frame is None:
            captions = [(face.detection.box, face.caption) for face in one.result.faces]
            save_copy(annotate(one.picture.pixels, captions, legend=True), copies[one.result.source])
        yield one


def save_copy(picture: NDArray[np.uint8], path: Path) -> None:
    """Write RGB pixels [H, W, 3] whole. Raises RunError where that is not possible."""
    with written_whole(path) as temporary:
        Image.fromarray(picture).save(temporary, quality=92)


def _free(wanted: Path, kind: Kind, taken: set[str]) -> Path:
    """`wanted` with the ending of its kind, and a number where another copy has that name in any case."""
    suffix = ".mp4" if kind == "video" else ".jpg" if wanted.suffix.lower() in SUFFIXES["JPEG"] else ".png"
    copy, number = wanted.with_suffix(suffix), 1
    while _same(copy) in taken or (kind == "video" and _same(timeline_of(copy)) in taken):
        number += 1
        copy = wanted.with_name(f"{wanted.stem}-{number}{suffix}")
    taken |= {_same(copy), _same(timeline_of(copy))} if kind == "video" else {_same(copy)}
    return copy


def _same(file: Path) -> str:
    """What two names have in common that some systems take for one."""
    return str(file).casefold()
