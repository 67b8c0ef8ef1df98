import csv
import json
from dataclasses import replace
from pathlib import Path

import pyarrow
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import parquet as pq

from fercli.core.errors import DataError, UsageError
from fercli.faces.detection import Detection
from fercli.workflows.predict.output import FORMS
from fercli.workflows.predict.output.parquet import write_parquet
from fercli.workflows.predict.output.readers import read_predictions
from fercli.workflows.predict.output.schema import POINTS
from fercli.workflows.predict.output.writers import FORMATTERS
from fercli.workflows.predict.results import FacePrediction, PictureResult

CLASSES = ("angry", "happy", "label")

number = st.floats(-1e5, 1e5)
probability = st.floats(0, 1)
text = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
name = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0/\\"), min_size=1, max_size=12).map(Path)
point, box = st.tuples(number, number), st.tuples(number, number, number, number)
face = st.builds(
    FacePrediction,
    number=st.just(1),
    detection=st.one_of(
        st.builds(Detection, box=box, landmarks=st.just(()) | st.tuples(*[point] * 5), score=probability),
        st.builds(Detection, box=box, landmarks=st.just(()), score=st.none()),  # nobody searched for it
    ),
    label=st.sampled_from((*CLASSES, "unsure")),
    confidence=probability,
    probabilities=st.fixed_dictionaries(dict.fromkeys(CLASSES, probability)),
    track=st.none() | st.integers(1, 99),
)


def numbered(faces):
    return tuple(FacePrediction(**{**vars(one), "number": i}) for i, one in enumerate(faces, start=1))


moment = st.one_of(
    st.just({}),
    st.fixed_dictionaries({"frame": st.integers(0, 10**6), "time": st.integers(0, 10**6).map(lambda ms: ms / 1000)}),
)
seen = st.builds(
    lambda source, faces, moment: PictureResult(source, "ok", "", numbered(faces), **moment),
    name,
    st.lists(face, min_size=1, max_size=3),
    moment,
)
unseen = st.builds(
    lambda source, status, message, moment: PictureResult(source, status, message, **moment),
    name,
    st.sampled_from(["no face", "failed"]),
    text,
    moment,
)

FACE = FacePrediction(
    1,
    Detection((1.0, 2.0, 11.5, 12.25), tuple((float(i), i + 0.5) for i in range(5)), 0.99),
    "happy",
    0.75,
    {"angry": 0.25, "happy": 0.75},
)
RESULTS = [
    PictureResult(Path("a.png"), "ok", "", (FACE,)),
    PictureResult(Path("b, c.png"), "no face", "no face found"),
    PictureResult(Path("d.png"), "failed", "the file is empty"),
]


def write(path, results=RESULTS, classes=("angry", "happy")):
    form = path.suffix[1:]
    if form == "parquet":
        write_parquet(path, results, classes, {})
    else:
        path.write_bytes("".join(FORMATTERS[form](results, classes)).encode())
    return path


@pytest.mark.parametrize("form", FORMS)
@settings(deadline=None, max_examples=40)
@given(results=st.lists(st.one_of(seen, unseen), max_size=5))
def test_every_form_reads_back_to_the_same_results(form, results, tmp_path_factory):
    path = write(tmp_path_factory.getbasetemp() / f"round.{form}", results, CLASSES)
    assert list(read_predictions(path)) == results


def test_results_are_plain_values_on_demand():
    document = json.loads(json.dumps(RESULTS[0].to_dict()))
    assert document["source"] == "a.png"
    assert document["faces"][0]["probabilities"] == {"angry": 0.25, "happy": 0.75}
    assert document["faces"][0]["landmarks"][1] == [1.0, 1.5]


def test_a_file_that_a_spreadsheet_saved_can_be_read(tmp_path):
    path = write(tmp_path / "a.csv")
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n"))
    assert list(read_predictions(str(path))) == RESULTS


LANDMARKS = "0.0,0.5,1.0,1.5,2.0,2.5,3.0,3.5,4.0,4.5"


@pytest.mark.parametrize(
    ("good", "bad", "told"),
    [
        ("source,", "file,", "line 1: not the columns"),
        (",angry,happy,", ",", "line 1: not the columns"),
        ("11.5", "wide", "line 2: x2 is 'wide', not a number"),
        ("11.5", "nan", "line 2: x2 is nan, not a number"),
        (",1,,1.0", ",1.5,,1.0", "line 2: face is '1.5', not a number"),
        ("happy,0.75,", "happy,,", "line 2: confidence is empty"),
        (",0.5,1.0", ",0.5,", "line 2: right_eye_x is empty"),
        (f"{LANDMARKS},0.99", f"{LANDMARKS},", "line 2: detection_score is empty"),
        ("happy,0.75", "merry,0.75", "line 2: label is 'merry', not angry, happy or unsure"),
        ("no face,", "asleep,", "line 3: status is 'asleep', not ok, no face, failed"),
        (",no face,", ",ok,", "line 3: status is ok, but there is no face"),
        ("0.75,ok,", "0.75,failed,", "line 2: status is failed, but there is a face"),
        (",no face,", ",", "line 3: 28 values for 29 columns"),
        ('"b, c.png"', '"b, c"x.png', "line 3: "),
        ("is empty\n", "is empty", "line 4: cut off before its end"),
        ("the file", '"the file', "line 4: unexpected end of data"),
    ],
)
def test_a_damaged_csv_file_is_one_line_that_says_where(tmp_path, good, bad, told):
    path = write(tmp_path / "a.csv")
    text = path.read_text()
    assert text.count(good) >= 1
    path.write_bytes(text.replace(good, bad, 1).encode())
    with pytest.raises(DataError) as error:
        list(read_predictions(path))
    assert str(error.value).startswith(f"{path}, {told}")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("good", "bad", "told"),
    [
        ("{", "", "line 1: no JSON"),
        ('"landmarks": [[', '"landmarks": [7, [', "line 1: landmarks are no list of 5 pairs"),
        ('"face": 1', '"face": true', "line 1: face is True, not a whole number"),
        ('"happy", ', "7, ", "line 1: label is 7, not text"),
        ('"source": "b, c.png"', '"source": null', "line 2: source is empty"),
        ('"x2": 11.5, ', "", "line 1: not the columns"),
        ("is empty", "is \udcff", "line 3: no UTF-8"),
    ],
)
def test_a_damaged_file_of_json_lines_is_one_line_that_says_where(tmp_path, good, bad, told):
    path = write(tmp_path / "a.jsonl")
    path.write_bytes(path.read_text().replace(good, bad, 1).encode("utf-8", "surrogateescape"))
    with pytest.raises(DataError) as error:
        list(read_predictions(path))
    assert str(error.value).startswith(f"{path}, {told}")


@pytest.mark.parametrize(
    ("file", "content", "told"),
    [
        ("a.json", b"{", "no JSON document"),
        ("a.json", b"{}", "no list of rows"),
        ("a.json", b"[3]", "row 1: no JSON object"),
        ("a.csv", b"", "line 1: nothing"),
        ("a.parquet", b"PAR1", "no Parquet file, or damaged"),
    ],
)
def test_what_another_program_wrote_is_refused_at_once(tmp_path, file, content, told):
    (tmp_path / file).write_bytes(content)
    with pytest.raises(DataError, match=told):
        read_predictions(tmp_path / file)


def test_a_parquet_file_of_something_else_is_refused(tmp_path):
    pq.write_table(pyarrow.table({"a": [1]}), tmp_path / "a.parquet")
    with pytest.raises(DataError, match=r"its columns: not the columns .*: there is no source, no face"):
        read_predictions(tmp_path / "a.parquet")


def test_no_file_and_no_form(tmp_path):
    with pytest.raises(DataError, match=r"(?i)no such file"):
        read_predictions(tmp_path / "a.csv")
    with pytest.raises(UsageError, match="does not end in"):
        read_predictions(tmp_path / "a.txt")


#: Columns that a file may lack, and what is read for them.
OPTIONAL = ("frame", "time", "track", *POINTS, "detection_score", "message")


def change_columns(path, without=(), extra=None):
    """Write a file of predictions anew, without some columns, with others at its end."""
    extra, form = extra or {}, path.suffix[1:]
    if form == "csv":
        with path.open(newline="", encoding="utf-8") as file:
            rows = [{name: value for name, value in row.items() if name not in without} for row in csv.DictReader(file)]
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, [*rows[0], *extra], lineterminator="\n")
            writer.writeheader()
            writer.writerows({**row, **extra} for row in rows)
    elif form == "parquet":
        table = pq.read_table(path)
        table = table.select([name for name in table.column_names if name not in without])
        for name, value in extra.items():
            table = table.append_column(name, pyarrow.array([value] * len(table)))
        pq.write_table(table, path)
    else:
        without = {*without, *(["landmarks"] if POINTS[0] in without else [])}
        rows = json.loads(path.read_text()) if form == "json" else map(json.loads, path.read_text().splitlines())
        texts = [
            json.dumps({**{name: value for name, value in row.items() if name not in without}, **extra}) for row in rows
        ]
        path.write_text(f"[{','.join(texts)}]" if form == "json" else "".join(f"{text}\n" for text in texts))


@pytest.mark.parametrize("form", FORMS)
def test_columns_that_nobody_knows_are_ignored(tmp_path, form):
    path = write(tmp_path / f"a.{form}")
    change_columns(path, extra={"age": 30, "remark": "a, b"})
    assert list(read_predictions(path)) == RESULTS


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("without", [OPTIONAL, POINTS, *((name,) for name in OPTIONAL if name not in POINTS)])
def test_columns_that_are_missing_are_none(tmp_path, form, without):
    film = PictureResult(Path("a.mp4"), "ok", "", (replace(FACE, track=3),), frame=4, time=0.5)
    path = write(tmp_path / f"a.{form}", [*RESULTS, film])
    change_columns(path, without)
    results = list(read_predictions(path))
    assert [result.status for result in results] == ["ok", "no face", "failed", "ok"]
    assert results[2].message == ("" if "message" in without else "the file is empty")
    assert (results[3].frame, results[3].time) == (
        None if "frame" in without else 4,
        None if "time" in without else 0.5,
    )
    (face,) = results[3].faces
    assert face.track == (None if "track" in without else 3)
    assert face.detection.score == (None if "detection_score" in without else 0.99)
    assert face.detection.landmarks == (() if POINTS[0] in without else FACE.detection.landmarks)
    assert (face.label, face.probabilities) == (FACE.label, FACE.probabilities)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", ["source", "x2", "label", "status"])
def test_a_file_without_a_column_that_is_needed_is_refused_by_its_name(tmp_path, form, name):
    path = write(tmp_path / f"a.{form}")
    change_columns(path, (name,))
    with pytest.raises(DataError, match=f"not the columns that fer predict writes: there is no {name}$"):
        read_predictions(path)


def test_two_columns_of_one_name_are_refused(tmp_path):
    path = write(tmp_path / "a.csv")
    path.write_text(path.read_text().replace("track", "face", 1))
    with pytest.raises(DataError, match="two have the same name"):
        read_predictions(path)
