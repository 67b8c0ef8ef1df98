"""Figures of corrupted faces against the same faces as they are."""

import csv

import numpy as np
import pytest

from fercli.core.errors import RunError
from fercli.metrics.predictions import Predictions
from fercli.metrics.repeated_crossval import mcnemar, paired_difference
from fercli.metrics.robustness import corrupted_figure, plot_corrupted, score_corrupted, write_corrupted
from fercli.metrics.scores import score

CLASSES = ("a", "b", "c")


def predictions(labels, predicted):
    """Predictions that name these classes with 0.8."""
    table = np.full((len(labels), 3), 0.1)
    table[np.arange(len(labels)), predicted] = 0.8
    return Predictions(tuple(map(str, range(len(labels)))), np.array(labels), table, CLASSES)


def test_the_paired_difference_by_hand():
    """6 faces lost and 1 won of 100: (7 - 2)/102 ± 1.96 √((9/102 - (5/102)²)/102), and -0.05 itself."""
    first = np.array([1] * 6 + [0] + [1] * 60 + [0] * 33, bool)
    second = np.array([0] * 6 + [1] + [1] * 60 + [0] * 33, bool)
    found = paired_difference(first, second)
    assert (found.mean, found.low, found.high) == pytest.approx((-0.05, -0.105875, 0.007836), abs=1e-6)
    assert found.p == mcnemar(first, second).p
    assert paired_difference(second, first).low == pytest.approx(-found.high)


def test_faces_that_all_stay_the_same_still_leave_a_doubt():
    right = np.ones(50, bool)
    found = paired_difference(right, right)
    assert found.mean == 0
    assert found.low == pytest.approx(-found.high)
    assert 0 < found.high < 0.06
    assert paired_difference(right, ~right).low == -1


def test_the_interval_holds_the_truth_19_times_in_20():
    draw = np.random.default_rng(0)
    held = 0
    for _ in range(1000):
        # of 200 faces 60 % right, of those 15 % lost, of the others 5 % won: -0.07 in truth
        first = draw.random(200) < 0.6
        second = np.where(first, draw.random(200) >= 0.15, draw.random(200) < 0.05)
        found = paired_difference(first, second)
        held += found.low <= -0.07 <= found.high
    assert 930 < held < 975


@pytest.fixture
def rows():
    labels = [0] * 6 + [1] * 3
    clean = predictions(labels, [0] * 6 + [1, 1, 0])
    worse = predictions(labels, [0] * 5 + [2] + [0, 0, 0])
    return clean, [score_corrupted(("blur", "mild", "sd 1 px"), clean, worse.probabilities)]


def test_scores_are_of_the_corrupted_faces_and_the_difference_of_both(rows):
    (row,) = rows[1]
    assert row.accuracy == pytest.approx(5 / 9)
    assert row.macro_recall == pytest.approx((5 / 6 + 0) / 2), "a class without faces does not count"
    assert row.calibration_error == pytest.approx(0.8 - 5 / 9)
    assert row.difference.mean == pytest.approx(-3 / 9)


def test_the_table_reads_back(rows, tmp_path):
    write_corrupted(tmp_path / "corruptions.csv", rows[1])
    with (tmp_path / "corruptions.csv").open(encoding="utf-8", newline="") as file:
        (read,) = csv.DictReader(file)
    row = rows[1][0]
    assert (read["corruption"], read["strength"], read["amount"]) == ("blur", "mild", "sd 1 px")
    for column in ("accuracy", "macro_recall", "calibration_error"):
        assert float(read[column]) == getattr(row, column)
    names = {"difference": "mean", "low": "low", "high": "high", "p": "p"}
    assert all(float(read[column]) == getattr(row.difference, name) for column, name in names.items())
    (tmp_path / "file").touch()
    with pytest.raises(RunError, match="cannot write"):
        write_corrupted(tmp_path / "file/corruptions.csv", rows[1])


def test_the_picture_has_a_mark_a_row_and_the_clean_faces_line(rows, tmp_path):
    clean, measured = rows
    scores = score(clean.probabilities, clean.labels, CLASSES)
    strong = score_corrupted(("noise", "strong", "x"), clean, clean.probabilities)
    axes = corrupted_figure(scores, [*measured, strong]).axes[0]
    assert [text.get_text() for text in axes.get_yticklabels()] == ["blur", "noise"]
    legend = [text.get_text() for text in axes.figure.legends[0].get_texts()]
    assert legend == ["as they are: 88.9 %", "most frequent class: 66.7 %", "mild", "strong"]
    marks = [bars.lines[0].get_xdata().tolist() for bars in axes.containers]
    assert marks == [[measured[0].accuracy], [strong.accuracy]]
    low, high = axes.containers[0].lines[2][0].get_segments()[0][:, 0] - scores.accuracy
    assert (low, high) == pytest.approx((measured[0].difference.low, measured[0].difference.high))
    plot_corrupted(scores, measured, tmp_path / "corruptions.png", "a title with $")
    assert (tmp_path / "corruptions.png").read_bytes().startswith(b"\x89PNG")
