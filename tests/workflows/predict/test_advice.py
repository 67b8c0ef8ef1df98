"""Lines on a job whose results look odd."""

from collections import Counter

import pytest

from fercli.core.labels import EXPRESSIONS
from fercli.workflows.predict.advice import advise
from fercli.workflows.predict.options import PredictOptions
from fercli.workflows.predict.results import PredictSummary


def lines(labels: dict[str, int], classes=EXPRESSIONS, cropped: bool = False, **hard: int) -> list[str]:
    summary = PredictSummary(labels=Counter(labels), hard=Counter(hard), classes=classes)
    return list(advise(summary, PredictOptions(faces_are_cropped=cropped)))


def test_a_class_that_has_nearly_everything_is_told_with_what_to_try():
    (line,) = lines({"sad": 80, "happy": 20})
    assert line.startswith("80% of the faces are sad, against 18% of the validation faces")
    assert "--faces-are-cropped is for" in line
    (line,) = lines({"sad": 80, "happy": 20}, cropped=True)
    assert "leave --faces-are-cropped out" in line


@pytest.mark.parametrize(
    ("labels", "classes"),
    [
        ({"sad": 48, "happy": 1}, EXPRESSIONS),  # few faces
        ({"happy": 70, "neutral": 30}, EXPRESSIONS),  # a party
        ({"sad": 55, "happy": 45}, EXPRESSIONS),
        ({"unsure": 90, "happy": 10}, EXPRESSIONS),
        ({"sad": 90, "other": 10}, ("sad", "other")),  # classes of another set
    ],
)
def test_what_is_usual_or_not_known_is_no_line(labels, classes):
    assert lines(labels, classes) == []


@pytest.mark.parametrize(
    ("hard", "told"), [("small", "smaller than 40 pixels"), ("blurred", "blurred"), ("turned", "turned aside by 30°")]
)
def test_faces_that_are_hard_to_read_are_told(hard, told):
    (line,) = lines({"happy": 30, "neutral": 30}, **{hard: 30})
    assert line.startswith("50% of the faces are")
    assert told in line
    assert lines({"happy": 30, "neutral": 30}, **{hard: 29}) == []
