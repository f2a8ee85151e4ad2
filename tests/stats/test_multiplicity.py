"""Adjusted p-values against the papers' rules worked by hand, and against scipy."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from kpibook.stats.multiplicity import benjamini_hochberg, holm

P = [0.01, 0.04, 0.03, 0.005]


def test_holm() -> None:
    """Smallest first: 0.005*4 = 0.02, 0.01*3 = 0.03, 0.03*2 = 0.06, 0.04*1 = 0.04, raised to the 0.06 before it."""
    assert holm(P) == pytest.approx([0.03, 0.06, 0.06, 0.02])


def test_benjamini_hochberg() -> None:
    """0.005*4/1 = 0.02, 0.01*4/2 = 0.02, 0.03*4/3 = 0.04, 0.04*4/4 = 0.04."""
    assert benjamini_hochberg(P) == pytest.approx([0.02, 0.04, 0.04, 0.02])


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
