import csv

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fercli.core.errors import RunError
from fercli.metrics.calibration import softmax
from fercli.metrics.predictions import Predictions, read_predictions, write_predictions
from fercli.metrics.scores import score

# anything a file name holds on a tidy disk; csv before Python 3.13 leaves a lone \r unquoted
names = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r"), max_size=12)


def some(faces=3, classes=("happy", "sad"), dtype=np.float64, seed=0):
    draw = np.random.default_rng(seed)
    return Predictions(
        tuple(f"face {i}" for i in range(faces)),
        draw.integers(0, len(classes), faces),
        softmax(5 * draw.normal(size=(faces, len(classes)))).astype(dtype),
        classes,
    )


@settings(deadline=None, max_examples=40)
@given(st.lists(names, max_size=6), st.lists(names, min_size=1, max_size=5, unique=True), st.data())
def test_what_is_written_is_read(tmp_path_factory, ids, classes, data):
    dtype = data.draw(st.sampled_from([np.float32, np.float64]))
    written = some(len(ids), tuple(classes), dtype, data.draw(st.integers(0, 1000)))
    written = Predictions(tuple(ids), written.labels, written.probabilities, written.classes)
    path = tmp_path_factory.mktemp("round") / "predictions.csv"
    write_predictions(path, written)
    read = read_predictions(path)
    assert (read.ids, read.classes) == (written.ids, written.classes)
    assert np.array_equal(read.labels, written.labels)
    assert read.labels.dtype == np.int64
    assert np.array_equal(read.probabilities.astype(dtype), written.probabilities)


def test_tiny_and_whole_probabilities_keep_every_digit(tmp_path):
    values = np.array([[1e-300, 1.0], [np.nextafter(0.5, 1), np.nextafter(0.5, 0)], [5e-324, 1.0]])
    write_predictions(tmp_path / "p.csv", Predictions(("a", "b", "c"), np.zeros(3, np.int64), values, ("x", "y")))
    assert np.array_equal(read_predictions(tmp_path / "p.csv").probabilities, values)


def test_the_columns_are_what_people_expect(tmp_path):
    table = Predictions(("train, 1", "2"), np.array([1, 0]), np.array([[0.75, 0.25], [0.5, 0.5]]), ("happy", "sad"))
    write_predictions(tmp_path / "p.csv", table)
    assert (tmp_path / "p.csv").read_bytes() == (
        b'id,label,predicted,happy,sad\n"train, 1",sad,happy,0.75,0.25\n2,happy,happy,0.5,0.5\n'
    )


def test_scores_of_the_file_are_the_scores(tmp_path):
    written = some(200, ("a", "b", "c"))
    write_predictions(tmp_path / "p.csv", written)
    read = read_predictions(tmp_path / "p.csv")
    assert score(read.probabilities, read.labels, read.classes) == score(
        written.probabilities, written.labels, written.classes
    )


def test_a_failure_leaves_the_old_file_alone(tmp_path):
    path = tmp_path / "p.csv"
    write_predictions(path, some())
    before = path.read_bytes()
    table = some(4)
    with pytest.raises(ValueError, match="zip"):
        write_predictions(path, Predictions(table.ids[:3], table.labels, table.probabilities, table.classes))
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_it_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(RunError, match="cannot write"):
        write_predictions(tmp_path / "file" / "p.csv", some())


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "columns should be"),
        ("id,label,predicted\n", "columns should be"),
        ("name,label,predicted,happy\n", "columns should be"),
        ("id,label,predicted,happy\n1,happy,happy\n", "face 1 has 3 of 4"),
        ("id,label,predicted,happy\n1,happy,happy,1\n2,sad,happy,1\n", "face 2 .*label of no column"),
        ("id,label,predicted,happy\n1,happy,happy,sure\n", "sure"),
    ],
)
def test_another_table_is_refused_in_one_line(tmp_path, text, reason):
    path = tmp_path / "p.csv"
    path.write_text(text)
    with pytest.raises(RunError, match=reason) as caught:
        read_predictions(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_files_that_are_missing_or_no_text_are_named(tmp_path):
    with pytest.raises(RunError, match=r"cannot read .*none\.csv"):
        read_predictions(tmp_path / "none.csv")
    (tmp_path / "p.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(RunError, match="no table of predictions"):
        read_predictions(tmp_path / "p.csv")


def test_any_csv_reader_can_read_it(tmp_path):
    written = some(5)
    write_predictions(tmp_path / "p.csv", written)
    with (tmp_path / "p.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    winners = [written.classes[i] for i in written.probabilities.argmax(axis=1)]
    assert [row["predicted"] for row in rows] == winners
    assert [float(row["sad"]) for row in rows] == written.probabilities[:, 1].tolist()
