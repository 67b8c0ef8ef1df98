"""Lines on a job whose results look odd."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from fercli.core.labels import EXPRESSIONS
from fercli.faces.detection import Detection
from fercli.workflows.predict.advice import advise
from fercli.workflows.predict.options import PredictOptions
from fercli.workflows.predict.results import FacePrediction, PictureResult, PredictSummary


def lines(labels: dict[str, int], classes=EXPRESSIONS, cropped: bool = False, **hard: int) -> list[str]:
    summary = PredictSummary(labels=Counter(labels), hard=Counter(hard), classes=classes)
    return list(advise(summary, PredictOptions(faces_are_cropped=cropped)))


def test_a_class_that_has_nearly_everything_is_told_with_what_to_try():
    (line,) = lines({"sad": 80, "happy": 20})
    assert line.startswith("80% of the faces are sad, against 18% in FER2013")
    assert line.endswith(
        "look at some with --annotate DIR; if the pictures are face crops already, add --faces-are-cropped"
    )
    (line,) = lines({"sad": 80, "happy": 20}, cropped=True)
    assert "leave --faces-are-cropped out" in line


def test_what_is_drawn_already_is_where_to_look():
    summary = PredictSummary(labels=Counter(sad=60), classes=EXPRESSIONS)
    (line,) = advise(summary, PredictOptions(annotate=Path("drawn")))
    assert "look at some in drawn;" in line


def test_the_faces_of_videos_are_few_people_and_do_not_count():
    face = FacePrediction(1, Detection((0, 0, 9, 9), (), 1.0), "sad", 1.0, {"sad": 1.0}, 1)
    summary = PredictSummary(classes=EXPRESSIONS)
    for frame in range(60):
        summary.add(PictureResult(Path("a.mp4"), "ok", "", (face,), frame, frame / 10))
    assert list(advise(summary, PredictOptions())) == []
    for number in range(60):
        summary.add(
            PictureResult(Path(f"{number}.png"), "ok", "", (replace(face, label="happy" if number % 2 else "sad"),))
        )
    (line,) = advise(summary, PredictOptions())
    assert line.startswith("100% of the faces are smaller")


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
