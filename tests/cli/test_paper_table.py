"""The comparison with a paper, on wide and narrow terminals."""

import io

import pytest
from rich.console import Console

from fercli.cli.paper_table import class_pairs, overall_pairs
from fercli.core.catalogue import Claim
from fercli.metrics.paper_claims import Pair

PAIRS = [
    Pair("surprise", "precision", 0.76, 0.5),
    Pair("surprise", "recall", 0.79, 0.79),
    Pair("surprise", "f1", 0.77, 0.875),
    Pair("happy", "recall", 0.9, 0.25),
    Pair("all", "accuracy", 0.9539, 0.5),
]


def lines(renderable, width):
    console = Console(file=io.StringIO(), width=width)
    console.print(renderable)
    return [line.rstrip() for line in console.file.getvalue().splitlines()]


def test_a_row_a_class_where_there_is_room():
    shown = lines(class_pairs(PAIRS, 80), 80)
    assert shown[1].split() == ["class", *["paper", "here", "diff"] * 3]
    assert shown[2].split() == ["surprise", "0.76", "0.50", "-0.26", "0.79", "0.79", "+0.00", "0.77", "0.88", "+0.10"]
    assert shown[3].split() == ["happy", "0.90", "0.25", "-0.65"]


@pytest.mark.parametrize("width", [40, 50, 67])
def test_a_row_a_measure_where_there_is_not(width):
    shown = lines(class_pairs(PAIRS, width), width)
    assert shown[1].split() == ["surprise", "precision", "0.76", "0.50", "-0.26"]
    assert len(shown) == 5
    assert not any("…" in line for line in shown)


@pytest.mark.parametrize("width", [65, 66, 67, 68, 69, 80])
def test_nothing_is_cut_off_in_between(width):
    assert not any("…" in line for line in lines(class_pairs(PAIRS, width), width))


def test_the_overall_figure_has_the_paper_s_spread_and_the_difference():
    claim = Claim(data="x", accuracy=95.39, sd=1.41)
    (line,) = lines(overall_pairs(PAIRS, claim), 80)
    assert " ".join(line.split()) == "accuracy paper 95.39 ± 1.41 % here 50.00 % -45.39 points"


def test_without_class_figures_there_is_no_table():
    assert class_pairs(PAIRS[-1:], 80) is None
