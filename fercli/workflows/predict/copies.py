"""Where annotated copies go: never over an original, never two in one place."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from fercli.core.errors import UsageError
from fercli.core.files import written_whole
from fercli.faces.annotate import annotated
from fercli.faces.decode import SUFFIXES
from fercli.faces.sources import Source
from fercli.workflows.predict.results import Predicted


def plan_copies(sources: Iterable[Source], folder: Path, force: bool = False) -> dict[Path, Path]:
    """A file below `folder` for each source by its path: JPEG stays JPEG, everything else becomes PNG.

    Copies lie as the pictures do in the folder they come from; a name that is taken gets -2, -3 … after it.

    Raises UsageError where a copy would replace an original, or, without `force`, any other file.
    """
    sources = [source for source in sources if not source.fault]
    originals = {source.path.resolve() for source in sources}
    copies: dict[Path, Path] = {}
    taken: set[str] = set()
    for source in sources:
        copy = _free(folder / source.inside, taken)
        if copy.resolve() in originals:
            raise UsageError(f"{copy} is one of the originals: choose another folder for the annotated copies")
        if copy.exists() and not force:
            raise UsageError(f"{copy} exists already: choose another folder, or --force to replace such files")
        copies[source.path] = copy
    return copies


def drawing(predicted: Iterable[Predicted], copies: Mapping[Path, Path]) -> Iterator[Predicted]:
    """The same, with the copy of each picture with faces written on the way. Raises RunError where that fails."""
    for one in predicted:
        if one.picture.pixels is not None and one.result.faces:
            captions = [(face.detection.box, face.caption) for face in one.result.faces]
            save_copy(annotated(one.picture.pixels, captions, legend=True), copies[one.result.source])
        yield one


def save_copy(picture: NDArray[np.uint8], path: Path) -> None:
    """Write RGB pixels [H, W, 3] whole. Raises RunError where that is not possible."""
    with written_whole(path) as temporary:
        Image.fromarray(picture).save(temporary, quality=92)


def _free(wanted: Path, taken: set[str]) -> Path:
    """`wanted` with the ending of its kind, and a number where another copy has that name in any case."""
    suffix = ".jpg" if wanted.suffix.lower() in SUFFIXES["JPEG"] else ".png"
    copy, number = wanted.with_suffix(suffix), 1
    while str(copy).casefold() in taken:
        number += 1
        copy = wanted.with_name(f"{wanted.stem}-{number}{suffix}")
    taken.add(str(copy).casefold())
    return copy
