"""The faces themselves as pictures, in a folder for each expression, as a start of a face set of one's own."""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from fercli.core.errors import UsageError
from fercli.core.files import limit_name
from fercli.core.text import escape_name
from fercli.faces.crop import crop_face
from fercli.workflows.predict.results import Predicted
from fercli.workflows.predict.visuals.plan import printable_path, save_picture


def plan_crops(folder: Path, may_exist: bool) -> None:
    """Raises UsageError where the folder has files already, unless it may."""
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"--save-crops {folder} is a file: choose a folder")
    if not may_exist and folder.is_dir() and any(folder.iterdir()):
        raise UsageError(f"--save-crops {folder} holds files already: --force adds to them, or choose a new folder")


def save_crops(predicted: Iterable[Predicted], folder: Path) -> Iterator[Predicted]:
    """The same predictions, with each face written on the way as the network sees it, 48×48 gray:
    folder/happy/party-a.png-face1.png. Raises RunError where that fails.

    Names are those of the sources and their folders, so that pictures of the same name do not replace each other.
    """
    for item in predicted:
        if item.picture.pixels is not None:
            stem = printable_path(item.picture.source.relative_path).replace(os.sep, "-")
            frame = "" if item.result.frame is None else f"-frame{item.result.frame}"
            for face in item.result.faces:
                path = folder / escape_name(face.label) / f"{stem}{frame}-face{face.number}.png"
                save_picture(crop_face(item.picture.pixels, face.detection), limit_name(path))
        yield item
