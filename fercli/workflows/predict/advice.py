"""What a whole job's predictions say of its pictures: lines for people whose results look odd, and what to try."""

from collections.abc import Iterator

from fercli.core.text import shorten
from fercli.faces.quality import BLURRED, SMALL, TURNED
from fercli.workflows.predict.options import PredictOptions
from fercli.workflows.predict.results import PredictSummary

#: Below so many faces nothing is said: chance does as it likes.
_ENOUGH = 50
#: A class that so much of all faces have, and so many times what the validation faces have, is worth a line.
_MUCH, _TIMES = 0.6, 3
#: FER2013's PublicTest, 3,589 faces, on which the networks that ship were chosen.
_VALIDATION = {
    "angry": 467, "disgust": 56, "fear": 496, "happy": 895, "sad": 653, "surprise": 415, "neutral": 607,
}  # fmt: skip
#: What makes faces hard to read, and what helps.
_HARD = {
    "small": (f"smaller than {SMALL} pixels", "larger pictures"),
    "blurred": (f"blurred ({BLURRED:g} or more in the column blur)", "sharper pictures"),
    "turned": (f"turned aside by {TURNED}° or more", "pictures from the front"),
}


def advise(summary: PredictSummary, options: PredictOptions) -> Iterator[str]:
    """Lines on a job with many faces in pictures: those that are hard to read, and a class that has far more of them
    than the faces on which the network was chosen. Faces of videos do not count: few people have many."""
    labels = summary.picture_labels
    faces = labels.total()
    if faces < _ENOUGH:
        return
    for name, (text, remedy) in _HARD.items():
        fraction = summary.hard[name] / faces
        if fraction >= 0.5:
            yield f"{fraction:.0%} of the faces are {text}, where expressions are read less well; {remedy} help"
    label, count = max(labels.items(), key=lambda item: item[1])
    fraction, usual = count / faces, _VALIDATION.get(label, 0) / sum(_VALIDATION.values())
    if set(summary.classes) == set(_VALIDATION) and usual and fraction >= _MUCH and fraction >= _TIMES * usual:
        yield (
            f"{fraction:.0%} of the faces are {shorten(label, 40)}, against {usual:.0%} in FER2013, on which the "
            f"networks were chosen: {_suggest(options)}"
        )


def _suggest(options: PredictOptions) -> str:
    if options.faces_are_cropped:
        return "leave --faces-are-cropped out for pictures that show more than one upright face each"
    where = options.annotate or options.report
    look = f"look at some in {where}" if where else "look at some with --annotate DIR"
    return f"{look}; if the pictures are face crops already, add --faces-are-cropped"
