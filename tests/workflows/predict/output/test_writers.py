import csv
import io
import json
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fercli.core.errors import UsageError
from fercli.faces.detection import Detection
from fercli.workflows.predict.output import form_of
from fercli.workflows.predict.output.readers import read_predictions
from fercli.workflows.predict.output.schema import classes_of, columns
from fercli.workflows.predict.output.writers import FORMATTERS, format_csv, format_json, format_jsonl
from fercli.workflows.predict.results import FacePrediction, PictureResult

CLASSES = ("angry", "happy", "label")

number = st.floats(-1e5, 1e5, allow_nan=False)
probability = st.floats(0, 1)
text = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
name = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0/\\"), min_size=1, max_size=12)
face = st.builds(
    FacePrediction,
    number=st.integers(1, 99),
    detection=st.builds(
        Detection,
        box=st.tuples(number, number, number, number),
        landmarks=st.tuples(*[st.tuples(number, number)] * 5),
        score=probability,
    ),
    label=st.sampled_from(CLASSES),
    confidence=probability,
    probabilities=st.fixed_dictionaries(dict.fromkeys(CLASSES, probability)),
)
result = st.one_of(
    st.builds(
        PictureResult,
        name.map(Path),
        st.just("ok"),
        st.just(""),
        st.lists(face, min_size=1, max_size=3).map(tuple),
    ),
    st.builds(PictureResult, name.map(Path), st.sampled_from(["no face", "failed"]), text),
)


def expected(results):
    """(source, status, message, face or None) for each row."""
    return [(str(r.source), r.status, r.message, f) for r in results for f in (r.faces or (None,))]


@settings(deadline=None, max_examples=80)
@given(st.lists(result, max_size=5))
def test_csv_reads_back_to_the_same_values(results):
    rows = list(csv.DictReader(io.StringIO("".join(format_csv(results, CLASSES)), newline="")))
    assert len(rows) == len(expected(results))
    for row, (source, status, message, known) in zip(rows, expected(results), strict=True):
        assert (str(Path(row["source"])), row["status"], row["message"]) == (source, status, message)
        if known is None:
            assert row["face"] == row["x1"] == row["nose_x"] == row["label"] == row["happy"] == ""
            continue
        assert int(row["face"]) == known.number
        assert tuple(float(row[c]) for c in ("x1", "y1", "x2", "y2")) == known.detection.box
        assert (float(row["nose_x"]), float(row["nose_y"])) == known.detection.landmarks[2]
        assert float(row["mouth_right_y"]) == known.detection.landmarks[4][1]
        assert float(row["detection_score"]) == known.detection.score
        assert (row["label"], float(row["confidence"])) == (known.label, known.confidence)
        assert float(row["happy"]) == known.probabilities["happy"]
        assert float(row["label_probability"]) == known.probabilities["label"]


@pytest.mark.parametrize("name", ["=1+1.png", "+a.png", "-a.png", "@a.png", "\t=a.png"])
def test_no_spreadsheet_takes_a_path_for_a_formula(tmp_path, name):
    results = [PictureResult(Path(name), "no face")]
    file = tmp_path / "a.csv"
    file.write_text("".join(format_csv(results, CLASSES)), encoding="utf-8", newline="")
    with file.open(newline="", encoding="utf-8") as stream:
        assert next(csv.DictReader(stream))["source"] == f"./{name}"
    assert list(read_predictions(file)) == results


@settings(deadline=None, max_examples=80)
@given(st.lists(result, max_size=5))
def test_json_lines_and_json_read_back_to_the_same_values(results):
    lines = "".join(format_jsonl(results, CLASSES)).split("\n")
    assert lines.pop() == ""
    rows = [json.loads(line) for line in lines]
    assert rows == json.loads("".join(format_json(results, CLASSES)))
    for row, (source, status, message, known) in zip(rows, expected(results), strict=True):
        assert (row["source"], row["status"], row["message"]) == (source, status, message)
        if known is None:
            assert row["face"] is row["landmarks"] is row["happy"] is None
            continue
        assert (row["x1"], row["y1"], row["x2"], row["y2"]) == known.detection.box
        assert tuple(map(tuple, row["landmarks"])) == known.detection.landmarks
        probabilities = {"angry": row["angry"], "happy": row["happy"], "label": row["label_probability"]}
        assert probabilities == known.probabilities


def test_all_forms_have_the_same_columns_whatever_the_rows():
    results = [PictureResult(Path("a.png"), "no face", "no face found")]
    header = next(format_csv(results, CLASSES)).strip().split(",")
    (row,) = [json.loads(line) for line in format_jsonl(results, CLASSES)]
    landmarks = [column for column in header if column.endswith(("_x", "_y"))]
    assert len(landmarks) == 10
    assert [c for c in header if c not in landmarks] == [c for c in row if c != "landmarks"]


def test_rows_are_written_as_results_come():
    def results():
        yield PictureResult(Path("a.png"), "failed", "gone")
        raise KeyboardInterrupt

    for form in ("csv", "jsonl", "json"):
        chunks = []
        with pytest.raises(KeyboardInterrupt):
            chunks.extend(chunk for chunk in FORMATTERS[form](results(), CLASSES) if chunks.append(chunk) is None)
        assert "a.png" in "".join(chunks)


@pytest.mark.skipif(sys.platform == "win32", reason="names are bytes on other systems only")
def test_names_that_are_not_utf_8_can_be_written_and_stay_different():
    results = [PictureResult(Path(name), "failed", "gone") for name in ("caf\udce9.jpg", "caf\udce8.jpg")]
    written = "".join(format_csv(results, CLASSES)).encode().decode()
    assert [line.split(",")[0] for line in written.splitlines()[1:]] == ["caf\\xe9.jpg", "caf\\xe8.jpg"]


def test_a_message_with_half_a_character_can_be_written():
    results = [PictureResult(Path("a.png"), "failed", "no such file: \udce9")]
    for form in FORMATTERS:
        assert "no such file: ?" in "".join(FORMATTERS[form](results, CLASSES)).encode().decode()


def test_a_picture_s_rows_are_one_piece():
    landmarks = ((1.0, 2.0),) * 5
    face = FacePrediction(1, Detection((0.0, 0.0, 9.0, 9.0), landmarks, 0.9), "happy", 0.5, dict.fromkeys(CLASSES, 0.5))
    result = PictureResult(Path("a.png"), "ok", "", (face, replace(face, number=2)))
    assert [piece.count("a.png") for piece in format_csv([result], CLASSES)] == [0, 2]
    assert [piece.count("a.png") for piece in format_jsonl([result], CLASSES)] == [2]


@pytest.mark.parametrize("classes", [("face", "face_probability"), ("nose_x", "landmarks"), ("x_probability", "x")])
def test_no_class_takes_another_column_s_name(classes):
    names = list(columns(classes))
    assert len(set(names)) == len(names)
    assert classes_of(names) == classes


@pytest.mark.parametrize(
    ("file", "form"), [("a.csv", "csv"), ("b.JSONL", "jsonl"), ("c.x.json", "json"), ("d.parquet", "parquet")]
)
def test_the_ending_names_the_form(file, form):
    assert form_of(Path(file)) == form


@pytest.mark.parametrize("file", ["a", "a.txt", "csv"])
def test_an_unknown_ending_is_one_line(file):
    with pytest.raises(UsageError, match=r"\.csv, \.jsonl, \.json, \.parquet"):
        form_of(Path(file))
