import numpy as np

from fercli.metrics.repeated_crossval import repeated_scores, spread
from fercli.workflows.crossval.aggregate import Gap
from fercli.workflows.crossval.report import TextTable, gap_table, p_text, runs_table

TABLE = TextTable("50 % of it", ("method", "OA"), (("a_b", "95.39 ± 1.41"), ("c|d", "–")), ruled=1)


def test_the_same_table_in_three_forms():
    assert TABLE.csv() == "method,OA\na_b,95.39 ± 1.41\nc|d,–\n"
    assert TABLE.markdown() == "| method | OA |\n| --- | ---: |\n| a_b | 95.39 ± 1.41 |\n| c\\|d | – |\n"
    assert TABLE.latex().splitlines()[1:] == [
        r"\begin{tabular}{lr}", r"\toprule", r"method & OA \\", r"\midrule", r"a\_b & 95.39 $\pm$ 1.41 \\", r"\midrule",
        r"c|d & -- \\", r"\bottomrule", r"\end{tabular}",
    ]  # fmt: skip


def test_a_row_a_run_then_mean_and_deviation():
    scores = repeated_scores([[[9, 1], [2, 8]], [[10, 0], [0, 10]]], ("x", "y"))
    assert runs_table(scores, "").rows == (
        ("1", "90.00", "80.00", "85.00"),
        ("2", "100.00", "100.00", "100.00"),
        ("mean ± SD", "95.00 ± 7.07", "90.00 ± 14.14", "92.50 ± 10.61"),
    )
    one = repeated_scores([[[9, 1], [2, 8]]], ("x", "y"))
    assert runs_table(one, "").rows[-1] == ("mean", "90.00", "80.00", "85.00")


def test_the_gap_is_in_points():
    image, subject = np.array([0.9, 0.95]), np.array([0.8, 0.85])
    gap = Gap("net", spread(image), spread(subject), spread(image - subject))
    assert gap_table([gap]).rows == (("net", "92.50 ± 3.54", "82.50 ± 3.54", "10.00 ± 0.00"),)


def test_small_probabilities():
    assert [p_text(p) for p in (0.0004, 0.0125, 1.0, float("nan"))] == ["< 0.001", "0.013", "1.000", "–"]
