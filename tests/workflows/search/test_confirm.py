"""The best trials against the default: ranked by means over seeds, and by a test that knows of the choice."""

import pytest
from scipy.stats import ttest_rel

from fercli.models.catalogue import Cost
from fercli.workflows.search.confirm import Ranked, rank


def candidate(name, *values):
    return Ranked(name, {}, Cost(1, 1), tuple((value,) for value in values))


def test_the_winner_is_the_best_mean_and_its_p_is_multiplied_by_the_choices():
    default, first, second = (0.9, 0.91, 0.92), (0.8, 0.82, 0.81), (0.85, 0.84, 0.86)
    rows = [candidate("default", *default), candidate("trial-001", *first), candidate("trial-002", *second)]
    ranking = rank(rows, maximised=False)
    assert [row.name for row in ranking.rows] == ["trial-001", "trial-002", "default"]
    assert ranking.lead.mean == pytest.approx(0.1)
    assert ranking.lead.p == pytest.approx(2 * ttest_rel(first, default).pvalue)
    assert ranking.beats_default


def test_a_trial_that_failed_counts_among_the_choices():
    rows = [candidate("default", 0.9, 0.91, 0.92), candidate("trial-001", 0.8, 0.82, 0.81)]
    one, two = (rank(rows, failed, maximised=False) for failed in ({}, {"trial-002": "it failed"}))
    assert two.lead.p == pytest.approx(2 * one.lead.p)


def test_more_is_better_of_what_is_maximised():
    rows = [candidate("default", 0.6, 0.62), candidate("trial-003", 0.5, 0.51)]
    ranking = rank(rows, maximised=True)
    assert ranking.rows[0].name == "default"
    assert ranking.winner.name == "trial-003"
    assert ranking.lead.mean == pytest.approx(-0.105)
    assert not ranking.beats_default


def test_the_default_leads_where_nothing_is_better():
    default, worse = candidate("default", 0.5, 0.6), candidate("trial-001", 0.7, 0.8)
    assert rank([default, worse], maximised=False).default_leads
    assert not rank([default, worse], maximised=True).default_leads
    assert not rank([default], maximised=False).default_leads


def test_one_seed_tells_nothing_of_chance():
    ranking = rank([candidate("default", 0.9), candidate("trial-000", 0.5)], maximised=False)
    assert not ranking.beats_default
    assert ranking.rows[0].sd is None
