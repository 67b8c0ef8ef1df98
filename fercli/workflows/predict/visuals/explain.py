"""Where the network looked, face by face: pictures of heat maps in a folder."""

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import numpy as np

from fercli.core.files import limit_name
from fercli.faces.crop import crop_face
from fercli.faces.drawing.heatmaps import draw_heatmap
from fercli.faces.io.sources import Source
from fercli.models.explain import Explainer, need_captum
from fercli.workflows.predict.results import FacePrediction, Predicted
from fercli.workflows.predict.visuals.plan import NOTHING, Resumed, check_free, printable_path, save_picture

#: A picture's name: its source's, the frame of a video, the face.
_NAME = re.compile(r"(.+?)(-frame\d+)?-face\d+\.png")


def plan_explanations(
    sources: Iterable[Source], folder: Path, force: bool = False, resumed: Resumed = NOTHING
) -> dict[Path, Path]:
    """For each source by its path, the beginning of its pictures' names below `folder`.

    They lie as the sources do in the folder they come from, and keep the whole file name: a.png's faces are
    a.png-face1.png and so on. A name that is taken gets -2, -3 … after it. What a resumed job drew before keeps its
    name.

    Raises UsageError where a picture would replace an original, or, without `force`, where one is there already, or
    where a file has the name of a folder, MachineError where captum is missing.
    """
    need_captum()
    sources, earlier = ([source for source in given if not source.error] for given in (sources, resumed.sources))
    stems: dict[Path, Path] = {}
    taken: set[str] = set()
    for source in [*earlier, *sources]:
        first = stem = folder / limit_name(source.relative_path)
        number = 1
        while str(stem).casefold() in taken:
            number += 1
            stem = first.with_name(f"{first.name}-{number}")
        taken.add(str(stem).casefold())
        stems[source.path] = stem
    drawn = {stems[source.path] for source in sources}
    files = [*_find_drawn(drawn), *(stem.with_name(f"{stem.name}-face1.png") for stem in drawn)]
    check_free(files, folder, [*earlier, *sources], force, resumed.since)
    return stems


def _find_drawn(stems: set[Path]) -> list[Path]:
    """The pictures of faces that exist already under these beginnings of names."""
    names = {str(stem).casefold() for stem in stems}
    existing = [path for folder in {stem.parent for stem in stems} for path in folder.glob("*-face*.png")]
    matches = [(path, _NAME.fullmatch(path.name)) for path in existing]
    return [path for path, name in matches if name and str(path.parent / name[1]).casefold() in names]


def write_explanations(
    predicted: Iterable[Predicted], explainer: Explainer, stems: Mapping[Path, Path]
) -> Iterator[Predicted]:
    """The same, with a picture of each face's heat map written on the way, named as `plan_explanations` says.

    Raises RunError where that fails.
    """
    for item in predicted:
        pixels, faces = item.picture.pixels, item.result.faces
        if pixels is not None and faces:
            crops = np.stack([crop_face(pixels, face.detection) for face in faces])
            classes = np.array([list(face.probabilities).index(_top_class(face)) for face in faces])
            heatmaps = explainer.heat(crops[:, None], classes)
            frame = "" if item.result.frame is None else f"-frame{item.result.frame}"
            stem = stems[item.result.source]
            source = f"{printable_path(item.result.source)}{frame.replace('-', ', ')}"
            for face, crop, heatmap in zip(faces, crops, heatmaps, strict=True):
                name = _top_class(face)
                speaks = f"what speaks for '{name}'" if heatmap.any() else f"nothing speaks for '{name}'"
                picture = draw_heatmap(
                    crop, heatmap, _title(face), source, speaks, describe_limits(explainer.map_sides)
                )
                save_picture(picture, stem.with_name(f"{stem.name}{frame}-face{face.number}.png"))
        yield item


def describe_limits(sizes: tuple[int, ...]) -> str:
    """What such a picture can show and what not, in words. `sizes` are the sides of the maps it is drawn from."""
    shown = " and ".join(f"{side} by {side}" for side in sizes)
    return f"Grad-CAM from {shown} cells, drawn smoothly: roughly where, not what, and nothing that speaks against."


def _top_class(face: FacePrediction) -> str:
    """The most probable class, also of a face that is labelled unsure."""
    return max(face.probabilities, key=lambda name: face.probabilities[name])


def _title(face: FacePrediction) -> str:
    top = _top_class(face)
    other = "" if face.label == top else f" (most likely {top})"
    return f"face {face.number}: {face.label} {face.confidence:.0%}".replace("%", " %") + other
