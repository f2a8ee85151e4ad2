"""Adjusted p-values against the papers' rules worked by hand, and against scipy."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from kpibook.stats.multiplicity import benjamini_hochberg, holm, together

P = [0.01, 0.04, 0.03, 0.005]


def test_holm() -> None:
    """Smallest first: 0.005*4 = 0.02, 0.01*3 = 0.03, 0.03*2 = 0.06, 0.04*1 = 0.04, raised to the 0.06 before it."""
    assert holm(P) == pytest.approx([0.03, 0.06, 0.06, 0.02])


def test_benjamini_hochberg() -> None:
    """0.005*4/1 = 0.02, 0.01*4/2 = 0.02, 0.03*4/3 = 0.04, 0.04*4/4 = 0.04."""
    assert benjamini_hochberg(P) == pytest.approx([0.02, 0.04, 0.04, 0.02])


def test_few_are_corrected_after_holm_and_many_after_benjamini_and_hochberg() -> None:
    """0.001, 0.002 … 0.01 of ten: 0.001 * 10 and, raised, 0.005 * 6 = 0.006 * 5 = 0.03. With 0.011 an eleventh: each of
    rank i is i/1000 * 11 / i = 0.011.
    """
    p = np.arange(1, 12) / 1000
    few, adjusted = together(p[:10])
    assert few == "holm"
    assert adjusted == pytest.approx([0.010, 0.018, 0.024, 0.028, *[0.030] * 6])
    many, adjusted = together(p)
    assert many == "fdr"
    assert adjusted == pytest.approx([0.011] * 11)


def test_never_above_one_and_never_below_the_raw_value() -> None:
    p = np.random.default_rng(1).uniform(size=200)
    for adjusted in (holm(p), benjamini_hochberg(p)):
        assert np.all((adjusted >= p) & (adjusted <= 1))
        assert np.array_equal(np.argsort(adjusted[np.argsort(p)], kind="stable"), np.arange(200))
    assert benjamini_hochberg(p) == pytest.approx(stats.false_discovery_control(p))


def test_one_and_none() -> None:
    assert holm([0.2]) == pytest.approx([0.2])
    assert list(benjamini_hochberg([])) == []


@pytest.mark.parametrize("adjust", [holm, benjamini_hochberg])
@pytest.mark.parametrize(
    ("given", "message"),
    [
        ([0.5, 1.2], "p-values lie between 0 and 1"),
        ([0.5, float("nan")], "p-values lie between 0 and 1"),
        ([[0.5]], "p-values have 2 dimensions, not 1"),
    ],
)
def test_what_is_no_p_value_is_refused(adjust, given, message: str) -> None:
    with pytest.raises(ValueError, match=message) as caught:
        adjust(given)
    assert str(caught.value) == message
