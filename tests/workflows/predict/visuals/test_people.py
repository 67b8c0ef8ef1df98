from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from fercli.core.palette import EXPRESSION_COLOURS
from fercli.faces.detection import Detection
from fercli.faces.io.pictures import Picture
from fercli.faces.io.sources import Source
from fercli.workflows.predict.results import FacePrediction, PictureResult, Predicted
from fercli.workflows.predict.visuals import people, report
from fercli.workflows.predict.visuals.people import FilmCollector, Span
from fercli.workflows.predict.visuals.report import Report
from fercli.workflows.predict.visuals.report_html import write_report

CLASSES = ("happy", "sad")
PIXELS = np.full((120, 120, 3), 128, np.uint8)
FRONTAL = Detection(
    (10.0, 10.0, 110.0, 110.0), ((40.0, 40.0), (80.0, 40.0), (60.0, 60.0), (45.0, 80.0), (75.0, 80.0)), 1.0
)


def face(track, label="happy", confidence=0.9, blur=0.3, detection=FRONTAL):
    return FacePrediction(1, detection, label, confidence, dict.fromkeys(CLASSES, 0.5), track, blur)


def frame(time, *faces, name="film.mp4", pixels=PIXELS):
    path = Path(name)
    result = PictureResult(path, "ok" if faces else "no face", "", faces, round(5 * time), time)
    return Predicted(Picture(Source(path, path), pixels, "", result.frame, time), result)


def collect(*frames, most=9):
    film = FilmCollector(Path("film.mp4"))
    for item in frames:
        film.add(item)
    return film.finish(most)


def page(tmp_path, *frames):
    shown = Report(CLASSES)
    list(shown.collect(frames))
    write_report(tmp_path / "page.html", shown, {"date": "2026-01-02"})
    return (tmp_path / "page.html").read_text(encoding="utf-8")


def test_people_are_ordered_by_time_in_view_and_brief_ones_are_counted():
    film = collect(*(frame(i / 5, *([face(1)] if i < 10 else []), face(2), *([face(3)] * (i == 4))) for i in range(20)))
    assert [person.track.track for person in film.people] == [2, 1]
    assert [round(person.in_view, 3) for person in film.people] == [4.0, 2.0]
    assert (film.first, film.last, film.more, film.brief) == (0.0, 4.0, 0, 1)


def test_no_more_are_shown_than_asked_for():
    film = collect(*(frame(i / 5, face(1), face(2), face(3)) for i in range(10)), most=2)
    assert [person.track.track for person in film.people] == [1, 2]
    assert film.more == 1


def test_spans_follow_the_labels_with_gaps_where_nobody_is_seen():
    labels = ["happy"] * 4 + ["sad"] * 3 + [None] * 5 + ["sad"] * 3
    film = collect(*(frame(i / 5, *([face(1, label)] if label else [])) for i, label in enumerate(labels)))
    (person,) = film.people
    assert [(round(span.start, 3), round(span.end, 3), span.label) for span in person.spans] == [
        (0.0, 0.8, "happy"), (0.8, 1.4, "sad"), (2.4, 3.0, "sad"),
    ]  # fmt: skip


def test_a_single_missed_frame_is_no_gap():
    film = collect(*(frame(i / 5, *([] if i in (3, 6) else [face(1, "sad" if i > 6 else "happy")])) for i in range(10)))
    spans = [Span(round(span.start, 3), round(span.end, 3), span.label) for span in film.people[0].spans]
    assert spans == [Span(0.0, 1.4, "happy"), Span(1.4, 2.0, "sad")]


def test_a_long_video_has_a_bounded_timeline(monkeypatch):
    monkeypatch.setattr(people, "COLUMNS", 10)
    film = collect(*(frame(i / 5, face(1, CLASSES[i % 3 == 0])) for i in range(300)))
    assert [span.label for span in film.people[0].spans] == ["happy"]
    assert film.people[0].track.labels == {"happy": 200, "sad": 100}


@pytest.mark.parametrize(
    "worse",
    [
        {"blur": 0.7},
        {"confidence": 0.5},
        {"detection": Detection((50.0, 50.0, 70.0, 70.0), FRONTAL.landmarks, 1.0)},
        {"detection": replace(FRONTAL, landmarks=((40.0, 40.0), (80.0, 40.0), (85.0, 60.0)))},
    ],
)
def test_the_picture_is_the_clearest_one_of_the_usual_expression(worse):
    light = np.full_like(PIXELS, 250)
    dull, best = face(1, **worse), face(1)
    sad = [frame(3 + i / 5, face(1, "sad", confidence=1.0, blur=0.0)) for i in range(2)]
    film = collect(*(frame(i / 5, dull) for i in range(5)), frame(1.0, best, pixels=light), frame(1.2, dull), *sad)
    (alone,) = collect(*(frame(i / 5, best, pixels=light) for i in range(3))).people
    assert film.people[0].picture == alone.picture


def test_the_page_shows_everyone_once_in_the_colours_of_their_expressions(tmp_path):
    frames = [frame(i / 5, face(1), face(2, "sad" if i < 5 else "happy")) for i in range(20)]
    text = page(tmp_path, *frames, frame(4.0, face(3)))
    assert text.count("<img") == 2
    for number in (1, 2):
        assert text.count(f"Person {number}: <bdi>happy</bdi>") == 1
    assert "in view for 4.0 s, from 0:00.0 to 0:03.8" in text
    assert "<bdi>happy</bdi> 75 %, <bdi>sad</bdi> 25 %" in text
    assert text.count(f'fill="{EXPRESSION_COLOURS["happy"]}"') == 2
    assert text.count(f'fill="{EXPRESSION_COLOURS["sad"]}"') == 1
    assert "1 face was in view only briefly" in text
    assert '<h2 id="faces">' not in text


def test_pictures_have_their_gallery_beside_the_people_of_videos(tmp_path):
    photo = frame(0.0, face(None), name="a.jpg")
    photo = replace(photo, result=replace(photo.result, time=None, frame=None))
    text = page(tmp_path, photo, *(frame(i / 5, face(1), name=name) for name in ("a.mp4", "b.mp4") for i in range(5)))
    assert text.index("a.mp4</bdi>: 1 person") < text.index("b.mp4</bdi>: 1 person") < text.index('<h2 id="faces">')
    assert text.count("<img") == 3
    assert "people in videos</dt><dd>2<" in text
    assert "<bdi>happy</bdi></a> 1<" in text
    assert "<bdi>happy</bdi>: 1 face</h3>" in text


def test_people_of_an_earlier_run_have_a_timeline_and_no_picture(tmp_path):
    text = page(tmp_path, *(frame(i / 5, face(1), pixels=None) for i in range(5)))
    assert "seen in an earlier run" in text
    assert "<rect" in text
    assert "<img" not in text


def test_many_videos_show_a_bounded_number_of_people(tmp_path, monkeypatch):
    monkeypatch.setattr(report, "MAX_PEOPLE", 2)
    monkeypatch.setattr(report, "MAX_PEOPLE_OF_ALL", 3)
    frames = [frame(i / 5, face(1), face(2), face(3), name=f"{n}.mp4") for n in range(3) for i in range(5)]
    text = page(tmp_path, *frames)
    assert text.count("<img") == 3
    for rest in ("1 more person is not shown.", "2 more people are not shown.", "3 more people are not shown."):
        assert text.count(rest) == 1
    assert "2.mp4</bdi>: 3 people" in text
