"""A paper's figures beside measured ones."""

import numpy as np
import pytest

from fercli.core.catalogue import Claim
from fercli.core.labels import EXPRESSIONS
from fercli.metrics.paper_claims import compare, fitting_claim
from fercli.metrics.scores import score

CLAIM = Claim.model_validate(
    {
        "data": "ckplus",
        "accuracy": 90,
        "per_class": {"anger": {"precision": 80, "f1": 70}, "contempt": {"recall": 60}, "happy": {"recall": 95}},
    }
)


def scores(classes=EXPRESSIONS):
    labels = np.array([0, 0, 3, 3, 3, 4])
    predicted = np.array([0, 1, 3, 3, 0, 4])
    return score(np.eye(len(classes))[predicted] * 0.9 + 0.1 / len(classes), labels, classes)


def test_each_stated_figure_stands_beside_the_measured_one():
    found = {(pair.of, pair.measure): pair for pair in compare(CLAIM, scores(), scores())}
    assert found.keys() == {("angry", "precision"), ("angry", "f1"), ("happy", "recall"), ("all", "accuracy")}
    assert found["angry", "precision"].paper == 0.8
    assert found["angry", "precision"].here == 0.5
    assert found["happy", "recall"].difference == pytest.approx(2 / 3 - 0.95)
    assert found["all", "accuracy"].to_dict() == {
        "of": "all", "measure": "accuracy", "paper": 0.9, "here": pytest.approx(4 / 6),
        "difference": pytest.approx(4 / 6 - 0.9),
    }  # fmt: skip


def test_a_class_without_faces_is_not_compared():
    claim = Claim.model_validate({"data": "x", "accuracy": 1, "per_class": {"fear": {"recall": 50}}})
    assert [pair.of for pair in compare(claim, scores(), scores())] == ["all"]


def test_element_wise_accuracy_is_not_set_beside_top_1():
    claim = Claim.model_validate({"data": "fer2013", "accuracy": 85.71, "measure": "element-wise accuracy"})
    raw = score(np.full((2, 7), 1 / 7), np.array([0, 1]), EXPRESSIONS)
    top, elementwise = compare(claim, scores(), raw)
    assert (top.measure, top.paper, top.difference) == ("accuracy", None, None)
    assert elementwise.here == pytest.approx(6 / 7), "no temperature: the paper has none"


def test_the_claim_on_the_same_data_comes_first():
    other = Claim(data="fergit", accuracy=75)
    assert fitting_claim((other, CLAIM), "ckplus") is CLAIM
    assert fitting_claim((other, CLAIM), "fer2013") is other
    assert fitting_claim((), "fer2013") is None
