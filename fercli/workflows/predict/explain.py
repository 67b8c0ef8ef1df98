"""Where the network looked, face by face: pictures of heat maps in a folder."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from fercli.faces.crop import MARGIN, crop_face
from fercli.faces.drawing.heatmaps import draw_heatmap
from fercli.faces.io.sources import Source
from fercli.models.explain import Explainer, need_captum
from fercli.workflows.predict.copies import check_free, save_copy
from fercli.workflows.predict.report import shown_path
from fercli.workflows.predict.results import FacePrediction, Predicted

#: A picture's name: its source's, the frame of a video, the face.
_NAME = re.compile(r"(.+?)(-frame\d+)?-face\d+\.png")


@dataclass(frozen=True)
class Explanations:
    """What explains faces, and for each source by its path the beginning of its pictures' names."""

    explainer: Explainer
    stems: Mapping[Path, Path]


def plan_explanations(
    sources: Iterable[Source],
    folder: Path,
    force: bool = False,
    *,
    done: Iterable[Source] = (),
    since: float | None = None,
) -> dict[Path, Path]:
    """For each source by its path, the beginning of its pictures' names below `folder`.

    They lie as the sources do in the folder they come from, and keep the whole file name: a.png's faces are
    a.png-face1.png and so on. A name that is taken gets -2, -3 … after it. `done` and `since` are those of
    `plan_copies`.

    Raises UsageError where a picture would replace an original, or, without `force`, where one is there already, or
    where a file stands in the place of a folder, MachineError where captum is missing.
    """
    need_captum()
    sources, earlier = ([one for one in given if not one.error] for given in (sources, done))
    stems: dict[Path, Path] = {}
    taken: set[str] = set()
    for source in [*earlier, *sources]:
        stem, number = folder / source.relative_path, 1
        while str(stem).casefold() in taken:
            number += 1
            stem = folder / source.relative_path.with_name(f"{source.relative_path.name}-{number}")
        taken.add(str(stem).casefold())
        stems[source.path] = stem
    drawn = {stems[source.path] for source in sources}
    names = {str(stem).casefold() for stem in drawn}
    there = [path for place in {stem.parent for stem in drawn} for path in place.glob("*-face*.png")]
    matches = [(path, _NAME.fullmatch(path.name)) for path in there]
    wanted = [path for path, name in matches if name and str(path.parent / name[1]).casefold() in names]
    check_free(
        [*wanted, *(stem.with_name(f"{stem.name}-face1.png") for stem in drawn)],
        folder,
        [*earlier, *sources],
        force,
        since,
    )
    return stems


def explaining(
    predicted: Iterable[Predicted], explanations: Explanations, margin: float = MARGIN
) -> Iterator[Predicted]:
    """The same, with a picture of each face's heat map written on the way. Raises RunError where that fails."""
    explainer, stems = explanations.explainer, explanations.stems
    for one in predicted:
        pixels, faces = one.picture.pixels, one.result.faces
        if pixels is not None and faces:
            crops = np.stack([crop_face(pixels, face.detection, margin) for face in faces])
            classes = np.array([list(face.probabilities).index(_named(face)) for face in faces])
            heats = explainer.heat(crops[:, None], classes)
            moment = "" if one.result.frame is None else f"-frame{one.result.frame}"
            stem = stems[one.result.source]
            for face, crop, heat in zip(faces, crops, heats, strict=True):
                named = _named(face)
                speaks = f"what speaks for '{named}'" if heat.any() else f"no place speaks for '{named}'"
                source = f"{shown_path(one.result.source)}{moment.replace('-', ', ')}"
                picture = draw_heatmap(crop, heat, _title(face), source, speaks, remark(explainer.places))
                save_copy(picture, stem.with_name(f"{stem.name}{moment}-face{face.number}.png"))
        yield one


def remark(places: tuple[int, ...]) -> str:
    """What such a picture can show and what not. `places` a side are what its heat is drawn from."""
    sizes = " and ".join(f"{side} by {side}" for side in places)
    return f"Grad-CAM from {sizes} places, drawn smoothly: roughly where, not what, and nothing that speaks against."


def _named(face: FacePrediction) -> str:
    """The most probable class, also of a face that is called unsure."""
    return max(face.probabilities, key=lambda name: face.probabilities[name])


def _title(face: FacePrediction) -> str:
    other = "" if face.label == _named(face) else f" (most likely {_named(face)})"
    return f"face {face.number}: {face.label} {face.confidence:.0%}".replace("%", " %") + other
