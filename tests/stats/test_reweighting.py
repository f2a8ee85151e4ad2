"""Ratios of sums over redrawn persons."""

from __future__ import annotations

import numpy as np
import pytest

from kpibook.stats import reweighting
from kpibook.stats.reweighting import percentiles, ratio_interval, redrawn, redrawn_sums


def test_sums_over_as_many_persons_as_there_are() -> None:
    """A column of ones always adds up to the number of persons; equal rows to the same sums; the same in every run."""
    sums = redrawn_sums([[1, 5], [1, 5], [1, 5]], replicates=20)
    assert sums.tolist() == [[3, 15]] * 20
    columns = np.arange(10).reshape(5, 2)
    np.testing.assert_array_equal(redrawn_sums(columns, 10), redrawn_sums(columns, 10))


def test_persons_are_drawn_with_replacement() -> None:
    """Two persons with 0 and 1: the sum is 0, 1 or 2 with chances 1/4, 1/2, 1/4."""
    sums = redrawn_sums([[0.0], [1.0]], replicates=4000)[:, 0]
    shares = [(sums == k).mean() for k in (0, 1, 2)]
    assert shares == pytest.approx([0.25, 0.5, 0.25], abs=0.03)


def test_bootstrap_and_delta_method_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(3)
    bottom = rng.gamma(2, 10, 3000)
    top = bottom * rng.uniform(0, 1, 3000)
    drawn = ratio_interval(top, bottom)
    monkeypatch.setattr(reweighting, "MOST_PERSONS", 2999)
    normal = ratio_interval(top, bottom)
    assert drawn is not None
    assert normal is not None
    assert drawn.low < top.sum() / bottom.sum() < drawn.high
    assert drawn == pytest.approx(normal, rel=0.01)
    residuals = (top - top.sum() / bottom.sum() * bottom) / bottom.sum()
    assert normal.width == pytest.approx(2 * 1.959964 * (3000 / 2999 * (residuals**2).sum()) ** 0.5, rel=1e-6)


def test_where_there_is_nothing_to_vary() -> None:
    assert ratio_interval([1], [2]) is None
    assert ratio_interval([1, 2], [0, 0]) is None
    assert redrawn([[0.0], [0.0]], lambda sums: 1 / sums[:, 0]) is None


def test_percentiles_want_nearly_all_replicates() -> None:
    """0 to 100: the 2.5th and 97.5th percentile. With 6 % unknown there is no interval, with 5 % there is."""
    values = np.arange(101.0)
    assert percentiles(values) == pytest.approx((2.5, 97.5))
    assert percentiles(np.where(values < 7, np.nan, values)) is None
    assert percentiles(np.where(values < 5, np.nan, values)) is not None
    assert percentiles([]) is None


def test_draws_that_are_kept_are_those_drawn_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same sums, to the last bit, whether drawn for the first time, known already, or too many to be kept."""
    columns = np.random.default_rng(5).gamma(2, 10, (300, 2))
    first, again = redrawn_sums(columns, 700, seed=11), redrawn_sums(columns, 700, seed=11)
    monkeypatch.setattr(reweighting, "KEPT", 0)
    anew = redrawn_sums(columns, 700, seed=11)
    assert first.tolist() == again.tolist() == anew.tolist()
    assert redrawn_sums(columns, 700, seed=12).tolist() != anew.tolist()
