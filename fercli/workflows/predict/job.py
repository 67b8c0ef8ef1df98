"""One job of `fer predict`, put together from its stages."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from fercli.faces.crop import MARGIN
from fercli.faces.pictures import Picture, read_pictures
from fercli.faces.sources import Source
from fercli.workflows.predict.ahead import ahead
from fercli.workflows.predict.copies import drawing
from fercli.workflows.predict.pipeline import ExpressionModel, FaceFinder, predict_pictures
from fercli.workflows.predict.results import PictureResult
from fercli.workflows.predict.unsure import unsure_below

#: Pictures whose faces are found and named before their results are asked for.
AHEAD = 2


def predict_sources(
    sources: Iterable[Source],
    model: ExpressionModel,
    detector: FaceFinder,
    *,
    margin: float = MARGIN,
    min_confidence: float = 0.0,
    copies: Mapping[Path, Path] | None = None,
) -> Iterator[PictureResult]:
    """The expressions in each source, in order; a picture that cannot be read is a result with its reason.

    Faces of a confidence below `min_confidence`, 0 to 1, are named 'unsure'. `copies` says where the annotated copy
    of a picture with faces goes (see fercli.workflows.predict.copies). Raises RunError where a copy cannot be
    written.
    """
    read = read_pictures(sources)
    return predict_read(read, model, detector, margin=margin, min_confidence=min_confidence, copies=copies)


def predict_read(
    pictures: Iterable[Picture],
    model: ExpressionModel,
    detector: FaceFinder,
    *,
    margin: float = MARGIN,
    min_confidence: float = 0.0,
    copies: Mapping[Path, Path] | None = None,
) -> Iterator[PictureResult]:
    """The same for pictures that are read already, or are on their way."""
    predicted = ahead(predict_pictures(pictures, model, detector, margin=margin), AHEAD)
    if min_confidence:
        predicted = unsure_below(predicted, min_confidence)
    if copies:
        predicted = drawing(predicted, copies)
    for one in predicted:
        yield one.result
