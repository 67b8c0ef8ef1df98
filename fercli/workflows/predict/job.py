"""One job of `fer predict`, put together from its stages."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from fercli.faces.crop import MARGIN
from fercli.faces.detect import TOGETHER
from fercli.faces.pictures import read_pictures
from fercli.faces.sources import Source
from fercli.workflows.predict.ahead import ahead
from fercli.workflows.predict.copies import drawing
from fercli.workflows.predict.pipeline import ExpressionModel, FaceFinder, predict_pictures, weight
from fercli.workflows.predict.results import PictureResult

#: What pictures may weigh whose faces are named before their results are asked for.
AHEAD = TOGETHER


def predict_sources(
    sources: Iterable[Source],
    model: ExpressionModel,
    detector: FaceFinder,
    *,
    margin: float = MARGIN,
    copies: Mapping[Path, Path] | None = None,
) -> Iterator[PictureResult]:
    """The expressions in each source, in order; a picture that cannot be read is a result with its reason.

    `copies` says where the annotated copy of a picture with faces goes (see fercli.workflows.predict.copies).
    Raises RunError where a copy cannot be written.
    """
    named = predict_pictures(read_pictures(sources), model, detector, margin=margin)
    predicted = ahead(named, AHEAD, lambda one: weight(one.picture))
    if copies:
        predicted = drawing(predicted, copies)
    for one in predicted:
        yield one.result
