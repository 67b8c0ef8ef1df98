"""One job of `fer predict`, put together from its stages."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from fercli.faces.crop import MARGIN
from fercli.faces.pictures import read_pictures
from fercli.faces.sources import Source
from fercli.workflows.predict.ahead import ahead
from fercli.workflows.predict.copies import drawing
from fercli.workflows.predict.explain import Explanations, explaining
from fercli.workflows.predict.pipeline import ExpressionModel, FaceFinder, predict_pictures
from fercli.workflows.predict.report import Report
from fercli.workflows.predict.results import PictureResult

#: Pictures whose faces are found and named before their results are asked for.
AHEAD = 2


def predict_sources(
    sources: Iterable[Source],
    model: ExpressionModel,
    detector: FaceFinder,
    *,
    margin: float = MARGIN,
    copies: Mapping[Path, Path] | None = None,
    report: Report | None = None,
    explanations: Explanations | None = None,
) -> Iterator[PictureResult]:
    """The expressions in each source, in order; a picture that cannot be read is a result with its reason.

    `copies` says where the annotated copy of a picture with faces goes (see fercli.workflows.predict.copies); `report`
    gathers what its page shows; `explanations` makes a picture of each face's heat map.
    Raises RunError where a copy cannot be written.
    """
    predicted = ahead(predict_pictures(read_pictures(sources), model, detector, margin=margin), AHEAD)
    if copies:
        predicted = drawing(predicted, copies)
    if explanations:
        predicted = explaining(predicted, explanations, margin)
    if report:
        predicted = report.gathering(predicted)
    for one in predicted:
        yield one.result
