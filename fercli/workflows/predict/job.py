"""One job of `fer predict`, put together from its stages."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from fercli.faces.crop import MARGIN
from fercli.faces.io.pictures import Picture, read_pictures
from fercli.faces.io.sources import Source
from fercli.faces.mtcnn.detector import BATCH_PIXELS
from fercli.workflows.predict.ahead import ahead
from fercli.workflows.predict.copies import drawing
from fercli.workflows.predict.explain import Explanations, explaining
from fercli.workflows.predict.films import filming
from fercli.workflows.predict.pipeline import ExpressionModel, FaceFinder, predict_pictures, weight
from fercli.workflows.predict.report import Report
from fercli.workflows.predict.results import PictureResult
from fercli.workflows.predict.smoothing import smoothing
from fercli.workflows.predict.timelines import timelines
from fercli.workflows.predict.tracking import tracking
from fercli.workflows.predict.unsure import unsure_below
from fercli.workflows.predict.video_settings import EVERY

#: What pictures may weigh whose faces are named before their results are asked for.
AHEAD = BATCH_PIXELS


@dataclass(frozen=True)
class Stages:
    """What is done with faces besides finding and naming them; as it stands, nothing.

    `margin` is the crop's (see fercli.faces.crop). Frames of a video that are looked at lie at least `every` seconds
    apart (0: all frames); `smooth` averages a person's expressions over so many seconds (0: not at all). Faces of a
    confidence below `min_confidence`, 0 to 1, are named 'unsure'. `copies` says where the annotated copy of a picture
    with faces or of a video goes (see fercli.workflows.predict.copies); a video's timeline is drawn beside it.
    `explanations` makes a picture of each face's heat map, `report` gathers what its page shows.
    """

    margin: float = MARGIN
    every: float = EVERY
    smooth: float = 0.0
    min_confidence: float = 0.0
    copies: Mapping[Path, Path] | None = None
    explanations: Explanations | None = None
    report: Report | None = None


_NONE = Stages()


def predict_sources(
    sources: Iterable[Source], model: ExpressionModel, detector: FaceFinder, stages: Stages = _NONE
) -> Iterator[PictureResult]:
    """The expressions in each source, in order; a picture that cannot be read is a result with its reason.

    A video gives a result for each frame that is looked at, with faces followed from frame to frame. Raises RunError
    where a copy cannot be written.
    """
    return predict_read(read_pictures(sources, stages.every), model, detector, stages)


def predict_read(
    pictures: Iterable[Picture], model: ExpressionModel, detector: FaceFinder, stages: Stages = _NONE
) -> Iterator[PictureResult]:
    """The same for pictures and frames that are read already, or are on their way."""
    named = predict_pictures(pictures, model, detector, margin=stages.margin)
    predicted = tracking(ahead(named, AHEAD, lambda one: weight(one.picture)))
    if stages.smooth:
        predicted = smoothing(predicted, stages.smooth)
    if stages.min_confidence:
        predicted = unsure_below(predicted, stages.min_confidence)
    if stages.copies:
        predicted = filming(drawing(predicted, stages.copies), stages.copies, stages.every)
        predicted = timelines(predicted, stages.copies, model.classes)
    if stages.explanations:
        predicted = explaining(predicted, stages.explanations, stages.margin)
    if stages.report:
        predicted = stages.report.gathering(predicted)
    for one in predicted:
        yield one.result
