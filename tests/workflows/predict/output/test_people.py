"""A row a person of a video: times, fractions, stretches."""

import csv
import io
from pathlib import Path

import pytest

from fercli.core.errors import UsageError
from fercli.faces.detection import Detection
from fercli.workflows.predict.options import PredictOptions
from fercli.workflows.predict.output.people import format_people
from fercli.workflows.predict.results import FacePrediction, PictureResult
from fercli.workflows.predict.run import run_job
from fercli.workflows.predict.video import VideoSummary

CLASSES = ("happy", "sad")


def face(track: int, label: str) -> FacePrediction:
    probabilities = {"happy": 0.75, "sad": 0.25} if label == "happy" else {"happy": 0.5, "sad": 0.5}
    return FacePrediction(1, Detection((0.0, 0.0, 9.0, 9.0), (), None), label, 0.75, probabilities, track)


def summarise(*frames: dict[int, str], step: float = 0.5, source: str = "clip.mp4") -> VideoSummary:
    """A video whose frames show these labels by track."""
    video = VideoSummary(Path(source))
    for number, shown in enumerate(frames):
        faces = tuple(face(track, label) for track, label in shown.items())
        video.add(PictureResult(Path(source), "ok" if faces else "no face", "", faces, number, number * step))
    return video


def rows(*videos: VideoSummary) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO("".join(format_people(videos, CLASSES)))))


def test_a_person_s_time_fractions_and_stretches():
    (row,) = rows(summarise(*({1: label} for label in ("happy", "happy", "sad", "happy", "happy", "happy"))))
    assert row["source"] == "clip.mp4"
    assert (row["person"], row["brief"], row["label"]) == ("1", "no", "happy")
    assert (row["from"], row["to"], row["in_view"], row["frames"]) == ("0.0", "2.5", "3.0", "6")
    assert float(row["happy_fraction"]) == pytest.approx(5 / 6, abs=1e-6)
    assert (row["happy_longest"], row["sad_longest"]) == ("1.5", "0.5")
    assert float(row["happy_mean"]) == pytest.approx((5 * 0.75 + 0.5) / 6, abs=1e-6)


def test_everyone_has_a_row_and_the_brief_ones_say_so():
    found = rows(summarise({1: "sad"}, {1: "sad", 2: "happy"}, {1: "sad"}, {1: "sad"}, {1: "sad"}))
    assert [(row["person"], row["brief"], row["label"]) for row in found] == [("1", "no", "sad"), ("2", "yes", "happy")]
    assert found[1]["in_view"] == "0.5"


def test_unsure_has_columns_where_it_occurs():
    (row,) = rows(summarise({1: "unsure"}, {1: "sad"}, {1: "sad"}))
    assert (row["unsure_fraction"], row["unsure_longest"]) == (str(round(1 / 3, 6)), "0.5")
    assert "unsure_mean" not in row
    assert "unsure_fraction" not in rows(summarise({1: "sad"}))[0]


def test_a_video_of_one_frame_and_a_path_that_looks_like_a_formula():
    (row,) = rows(summarise({1: "sad"}, source="=a.mp4"))
    assert (row["source"], row["in_view"]) == ("./=a.mp4", "0.0")


def test_the_job_writes_it_and_a_resumed_one_the_same(crossing, tmp_path):
    people = tmp_path / "people.csv"
    options = {"device": "cpu", "output": tmp_path / "rows.csv", "by_person": people, "every": 0.2}
    assert run_job([crossing], PredictOptions(**options)).people == people
    written = people.read_bytes()
    found = list(csv.DictReader(io.StringIO(written.decode())))
    assert len([row for row in found if row["brief"] == "no"]) == 2
    people.unlink()
    run_job([crossing], PredictOptions(resume=True, **options))
    assert people.read_bytes() == written
    with pytest.raises(UsageError, match=r"people\.csv"):
        run_job([crossing], PredictOptions(device="cpu", by_person=people))


def test_other_endings_are_refused(crossing, tmp_path):
    with pytest.raises(UsageError, match=r"must end in \.csv"):
        run_job([crossing], PredictOptions(by_person=tmp_path / "people.txt"))
