import math

import numpy as np
import pytest

from fercli.metrics.repeated_crossval import corrected_t, mcnemar


def test_the_corrected_t_by_hand():
    """Ten differences with mean 2 and variance 1, test/train 1/8: se = √(1/10 + 1/8), t(9) at 97.5 % is 2.2622."""
    values = 2 + np.array([-1, 1] * 5) * math.sqrt(0.9)
    found = corrected_t(values, 1 / 8)
    reach = 2.262157 * math.sqrt(1 / 10 + 1 / 8)
    assert (found.mean, found.low, found.high) == pytest.approx((2, 2 - reach, 2 + reach), abs=1e-5)
    assert found.p == pytest.approx(0.002251, abs=1e-6)


def test_it_is_wider_than_the_plain_t_and_the_plain_t_without_overlap():
    from scipy.stats import ttest_1samp

    values = np.random.default_rng(0).normal(0.5, 1, 20)
    plain = ttest_1samp(values, 0)
    assert corrected_t(values, 0).p == pytest.approx(plain.pvalue)
    assert corrected_t(values, 1 / 8).p > plain.pvalue
    low, high = plain.confidence_interval()
    assert (corrected_t(values, 0).low, corrected_t(values, 0).high) == pytest.approx((low, high))


def test_folds_that_are_all_alike():
    assert corrected_t([0.25] * 5, 0.1).p == 0
    assert corrected_t([0.0] * 5, 0.1) == corrected_t([0.0] * 9, 0.2)
    assert math.isnan(corrected_t([0.5], 0.1).p)


def test_mcnemar_counts_what_one_alone_had_right():
    first = np.array([1] * 10 + [0] * 2 + [1] * 30 + [0] * 8, dtype=bool)
    second = np.array([0] * 10 + [1] * 2 + [1] * 30 + [0] * 8, dtype=bool)
    found = mcnemar(first, second)
    assert (found.first_only, found.second_only) == (10, 2)
    # 2 · Σ C(12, k), k = 0…2, over 2¹²
    assert found.p == pytest.approx(2 * (1 + 12 + 66) / 4096)
    assert mcnemar(second, first).p == found.p
    assert mcnemar(first, first).p == 1
