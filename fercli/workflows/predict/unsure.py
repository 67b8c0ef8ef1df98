"""Faces whose confidence is too low for a name."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from fercli.core.errors import UsageError
from fercli.workflows.predict.results import UNSURE, FacePrediction, Predicted


def check_share(minimum: float) -> None:
    """Raises UsageError where a least confidence is not of 0 to 1."""
    if not 0 <= minimum <= 1:
        percent = f" ({minimum / 100:g} for {minimum:g} %)" if 1 < minimum <= 100 else ""
        raise UsageError(f"--min-confidence {minimum:g}: it is a share from 0 to 1{percent}")


def unsure_below(predicted: Iterable[Predicted], minimum: float) -> Iterator[Predicted]:
    """The same, with the label 'unsure' where the confidence is below `minimum`, 0 to 1; all figures stay."""
    for one in predicted:
        faces = tuple(_doubted(face, minimum) for face in one.result.faces)
        yield replace(one, result=replace(one.result, faces=faces))


def _doubted(face: FacePrediction, minimum: float) -> FacePrediction:
    return replace(face, label=UNSURE) if face.confidence < minimum else face
