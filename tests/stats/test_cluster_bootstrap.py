"""Poisson bootstrap of totals, and the multinomial one of counts."""

from __future__ import annotations

import numpy as np
import pytest

from kpibook.stats import cluster_bootstrap
from kpibook.stats.cluster_bootstrap import percentiles, poisson_totals
from kpibook.stats.multinomial import mean_interval


def test_totals_vary_by_the_sum_of_squares() -> None:
    """Var of a sum of Poisson(1) weights times x is the sum of x squared: 100 persons of 3 and 4: 900, 1,600, 1,200."""
    rows = np.tile([[3.0, 4.0]], (100, 1))
    draws = poisson_totals([rows], draws=20_000)[:, 0]
    assert draws.mean(axis=0) == pytest.approx([300, 400], rel=0.01)
    assert np.cov(draws.T) == pytest.approx(np.array([[900, 1200], [1200, 1600]]), rel=0.05)


def test_groups_are_independent_and_empty_ones_are_zero() -> None:
    rows = np.full((50, 1), 2.0)
    draws = poisson_totals([rows, np.empty((0, 1)), rows], draws=20_000)[:, :, 0]
    assert np.all(draws[:, 1] == 0)
    assert np.corrcoef(draws[:, 0], draws[:, 2])[0, 1] == pytest.approx(0, abs=0.03)


def test_a_fixed_mass_varies_with_its_own_error() -> None:
    fixed = (1, np.array([1000.0]), np.array([50.0]))
    draws = poisson_totals([np.full((1, 1), 5.0), np.empty((0, 1))], fixed=fixed, draws=20_000)[:, 1, 0]
    assert (draws.mean(), draws.std()) == (pytest.approx(1000, rel=0.01), pytest.approx(50, rel=0.03))


def test_the_same_seed_gives_the_same_totals(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also when memory allows only a few replicates at once."""
    rows = np.arange(12.0).reshape(6, 2)
    whole = poisson_totals([rows], draws=50)
    monkeypatch.setattr(cluster_bootstrap, "BLOCK", 20)
    assert np.array_equal(whole, poisson_totals([rows], draws=50))


def test_groups_of_different_columns() -> None:
    with pytest.raises(ValueError, match=r"groups of \[1, 2\] columns cannot be added up"):
        poisson_totals([np.ones((3, 1)), np.ones((3, 2))])


def test_percentiles_leave_out_what_is_no_number() -> None:
    """Of 0 to 1000 the middle 95 % lie between 25 and 975."""
    assert percentiles([np.nan, *range(1001), np.inf]) == pytest.approx((25, 975))
    assert np.isnan(percentiles([np.nan])).all()


def test_multinomial_mean() -> None:
    """Scores 1, 0, -1 of 300, 500, 200 persons: mean 0.1, variance 0.5 - 0.01, error sqrt(0.49 / 1000) = 0.0221."""
    low, high = mean_interval([300, 500, 200], [1, 0, -1], draws=20_000)
    assert (low + high) / 2 == pytest.approx(0.1, abs=0.002)
    assert high - low == pytest.approx(2 * 1.96 * 0.02214, rel=0.03)


def test_multinomial_of_nobody() -> None:
    with pytest.raises(ValueError, match="a mean of no cases has no interval"):
        mean_interval([0, 0], [1, -1])
