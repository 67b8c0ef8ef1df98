from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fercli.core.errors import RunError, UsageError
from fercli.faces.detection import Detection
from fercli.faces.io.pictures import Picture
from fercli.faces.io.sources import Source
from fercli.models.load import load_model
from fercli.workflows.predict.options import PredictOptions
from fercli.workflows.predict.results import FacePrediction, PictureResult, Predicted
from fercli.workflows.predict.visuals.report import LISTED, Report, plan_report
from fercli.workflows.predict.visuals.report_html import describe_job, write_report

CLASSES = ("angry", "happy", "neutral")
MADE = {"date": "2026-01-02", "command": "fer predict"}
PIXELS = np.full((40, 40, 3), 128, np.uint8)


def predicted(name, *labels, status="ok", message="", confidence=0.5, frame=None):
    path = Path(name)
    detection = Detection((5.0, 5.0, 35.0, 35.0), ((9.0, 9.0),) * 5, 0.9)
    faces = tuple(
        FacePrediction(number, detection, label, confidence, dict.fromkeys(CLASSES, 1 / 3))
        for number, label in enumerate(labels, start=1)
    )
    time = None if frame is None else frame / 25
    picture = Picture(Source(path, path), None if status == "failed" else PIXELS, message, frame, time)
    return Predicted(picture, PictureResult(path, status, message, faces, frame, time))


class Page(HTMLParser):
    """The elements of a page, and the text outside of its style."""

    def __init__(self, path):
        super().__init__()
        self.elements, self.texts, self._inside = [], [], []
        self.feed(path.read_text(encoding="utf-8"))
        self.text = " ".join(" ".join(self.texts).split())

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        if tag not in ("meta", "link", "img"):
            self._inside.append(tag)

    def handle_endtag(self, tag):
        assert self._inside.pop() == tag

    def handle_data(self, data):
        if self._inside and self._inside[-1] != "style":
            self.texts.append(data)

    def all(self, tag):
        return [attributes for name, attributes in self.elements if name == tag]


def page(tmp_path, *pictures, made=MADE):
    report = Report(CLASSES)
    assert list(report.collect(pictures)) == list(pictures)
    write_report(tmp_path / "report.html", report, made)
    return Page(tmp_path / "report.html")


def test_counts_shares_failures_and_settings_are_on_the_page(tmp_path):
    shown = page(
        tmp_path,
        predicted("a.jpg", "happy", "happy", "angry"),
        predicted("b.jpg", "happy", confidence=0.95),
        predicted("empty.png", status="no face", message="no face found"),
        predicted("broken.jpg", status="failed", message="the file is empty"),
    )
    for text in (
        "Expressions in 4 faces",
        "pictures 4 faces 4 without a face 1 failed 1",
        "happy 3 75.0 % 65 %",
        "angry 1 25.0 % 50 %",
        "neutral 0 0.0 % –",
        "confidence of 50 % or more",
        "broken.jpg the file is empty",
        "1 picture without a face empty.png",
        "date 2026-01-02 command fer predict",
        "not say what a person feels",
    ):
        assert text in shown.text


def test_the_page_needs_nothing_else_and_can_be_read_aloud(tmp_path):
    shown = page(tmp_path, predicted("a.jpg", "happy", "angry"), predicted("film.mp4", "happy", frame=50))
    assert not shown.all("script")
    assert all(link["href"] == "data:," for link in shown.all("link"))
    assert all(link["href"].startswith("#") for link in shown.all("a"))
    assert "http" not in (tmp_path / "report.html").read_text(encoding="utf-8").replace("<!doctype html>", "")
    pictures = shown.all("img")
    assert len(pictures) == 3
    assert all(picture["src"].startswith("data:image/jpeg;base64,/9j/") for picture in pictures)
    assert [picture["alt"] for picture in pictures] == [
        "angry, 50 %: face 2 of a.jpg",
        "happy, 50 %: face 1 of a.jpg",
        "happy, 50 %: face 1 of film.mp4 at 2.0 s",
    ]
    names = [attributes["id"] for _, attributes in shown.elements if "id" in attributes]
    assert len(names) == len(set(names))
    assert {link["href"][1:] for link in shown.all("a")} <= set(names)
    levels = [int(tag[1]) for tag, _ in shown.elements if tag in ("h1", "h2", "h3", "h4")]
    assert levels[0] == 1
    assert all(later - earlier <= 1 for earlier, later in pairwise(levels))
    assert shown.all("html") == [{"lang": "en"}]


names = st.text(st.characters(exclude_characters="/\\\0", exclude_categories=["Cs"]), min_size=1, max_size=20)


@settings(deadline=None, max_examples=40)
@given(st.sampled_from(["<script>alert(1)</script>.jpg", '"><img src=x onerror=a>', "$title &amp; 'x'"]) | names)
def test_whatever_a_file_is_called_it_is_only_text(tmp_path_factory, name):
    folder = tmp_path_factory.mktemp("page")
    shown = page(
        folder,
        predicted(name, "happy"),
        predicted(name, status="no face"),
        predicted(name, status="failed", message=name),
        made={"date": "today", "command": name},
    )
    plain = page(folder, predicted("a", "happy"), predicted("a", status="no face"), predicted("a", status="failed"))
    assert [tag for tag, _ in shown.elements] == [tag for tag, _ in plain.elements]
    (picture,) = shown.all("img")
    assert set(picture) == {"width", "height", "alt", "src"}
    if name.isprintable():
        assert picture["alt"] == f"happy, 50 %: face 1 of {Path(name)}"
        assert sum(" ".join(str(Path(name)).split()) in " ".join(text.split()) for text in shown.texts) >= 3


def test_labels_that_are_no_class_are_a_group_of_their_own(tmp_path):
    shown = page(tmp_path, predicted("a.jpg", "unsure", "happy"))
    assert "unsure 1 50.0 % 50 %" in shown.text
    kinds = [element["class"] for element in shown.all("div") if element.get("class", "").startswith("bar")]
    assert kinds[:2] == ["bar", "bar other"]
    assert "unsure : 1 face" in shown.text


def test_a_long_job_gives_a_short_page_that_says_so(tmp_path):
    pictures = [predicted(f"{i}.jpg", "happy", confidence=i / 500) for i in range(500)]
    bad = [predicted(f"bad{i}.jpg", status="failed", message="damaged") for i in range(LISTED + 7)]
    shown = page(tmp_path, *pictures, *bad)
    size = Report(CLASSES).sample_size
    assert len(shown.all("img")) == 3 * size
    assert f"up to {3 * size} of them" in shown.text
    assert "most confident 100 % 1 · 499.jpg" in shown.text
    assert "least confident 0 % 1 · 0.jpg" in shown.text
    assert f"bad{LISTED - 1}.jpg" in shown.text
    assert f"bad{LISTED}.jpg" not in shown.text
    assert "… and 7 more." in shown.text


def test_many_classes_share_the_room():
    assert 3 * Report(tuple(map(str, range(200)))).sample_size * 201 <= 2000
    assert Report(tuple(map(str, range(5000)))).sample_size == 1


def test_nothing_found_is_said(tmp_path):
    shown = page(tmp_path, predicted("a.jpg", status="no face"))
    assert "No face was found." in shown.text
    assert "Expressions in 0 faces" in shown.text


def test_the_model_says_how_it_was_used():
    model = load_model(None, mirrored=True)
    made = describe_job(model, PredictOptions())
    assert made["model"] == "vgg14, trained on fer2013"
    assert made["confidence"] == f"calibrated: temperature {model.header.temperature['mirrored']:.3f}"
    assert "mirror" in made["views"]
    assert made["weights"] == "weights/vgg14.safetensors"
    assert describe_job(load_model(None, raw=True), PredictOptions())["confidence"] == "as trained, not calibrated"


def test_pages_have_their_ending_and_replace_nothing_unasked(tmp_path):
    plan_report(tmp_path / "new.html")
    with pytest.raises(UsageError, match=r"must end in \.html"):
        plan_report(tmp_path / "new.csv")
    (tmp_path / "old.html").write_text("")
    with pytest.raises(UsageError, match="--force"):
        plan_report(tmp_path / "old.html")
    plan_report(tmp_path / "old.html", force=True)
    (tmp_path / "folder.html").mkdir()
    with pytest.raises(UsageError, match="folder"):
        plan_report(tmp_path / "folder.html", force=True)
    with pytest.raises(RunError, match="cannot write"):
        write_report(tmp_path / "old.html" / "new.html", Report(CLASSES), MADE)
