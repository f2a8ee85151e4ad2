"""Kaplan-Meier with delayed entry, and the restricted mean: by hand and against lifelines."""

from __future__ import annotations

import numpy as np
import pytest
from lifelines import KaplanMeierFitter
from lifelines.utils import restricted_mean_survival_time

from kpibook.stats.intervals import Z
from kpibook.stats.survival import kaplan_meier
from kpibook.stats.tenure import kaplan_meier_from, least_at_risk, restricted_mean


def test_delayed_entry_by_hand() -> None:
    """Persons (from, to, left): (0, 2, yes), (0, 5, no), (1, 3, yes), (3, 4, yes). At 2 three are at risk, the fourth
    not yet: 2/3. At 3 three (the fourth has come): 2/3 * 2/3 = 4/9. At 4 two: 2/9.
    """
    curve = kaplan_meier_from([0, 0, 1, 3], [2, 5, 3, 4], [1, 0, 1, 1])
    assert curve.time.tolist() == [2, 3, 4, 5]
    assert curve.at_risk.tolist() == [3, 3, 2, 1]
    assert curve.survival.tolist() == pytest.approx([2 / 3, 4 / 9, 2 / 9, 2 / 9])
    assert (least_at_risk(curve, 3), least_at_risk(curve, 4), least_at_risk(curve, 1)) == (3, 2, 3)


def test_restricted_mean_by_hand() -> None:
    """Up to 5: 2 * 1 + 1 * 2/3 + 1 * 4/9 + 1 * 2/9 = 10/3. Beyond 2, 3 and 4 lie 4/3, 2/3 and 2/9; variance
    (4/3)²/(3*2) + (2/3)²/(3*2) + (2/9)²/(2*1).
    """
    value, interval = restricted_mean(kaplan_meier_from([0, 0, 1, 3], [2, 5, 3, 4], [1, 0, 1, 1]), 5)
    variance = (16 / 9) / 6 + (4 / 9) / 6 + (4 / 81) / 2
    assert value == pytest.approx(10 / 3)
    assert interval == pytest.approx((10 / 3 - Z * variance**0.5, 10 / 3 + Z * variance**0.5))


def test_without_delay_it_is_the_plain_curve() -> None:
    rng = np.random.default_rng(0)
    time, event = rng.integers(0, 40, 200), rng.random(200) < 0.6
    plain, delayed = kaplan_meier(time, event), kaplan_meier_from(np.zeros(200), time, event)
    for name in ("time", "at_risk", "events", "survival", "low", "high"):
        np.testing.assert_allclose(getattr(delayed, name), getattr(plain, name), atol=1e-12)


def test_against_lifelines() -> None:
    """Who enters on a day is at risk on that day: for lifelines, which takes entry < time, half a day earlier; all
    times a day later, because it wants them above 0. Its area then begins at half a day.
    """
    rng = np.random.default_rng(1)
    true, open_until = rng.exponential(300, 900).astype(int), rng.integers(0, 900, 900)
    entry = np.where(rng.random(900) < 0.3, 0, rng.integers(0, 400, 900))
    last, left = np.minimum(true, open_until), true <= open_until
    seen = entry <= last
    curve = kaplan_meier_from(entry[seen], last[seen], left[seen])
    theirs = KaplanMeierFitter().fit(last[seen] + 1, left[seen], entry=entry[seen] + 0.5)
    expected = theirs.survival_function_at_times(curve.time + 1).to_numpy()
    np.testing.assert_allclose(curve.survival, expected, rtol=0, atol=1e-9)
    for limit in (365, 730):
        area = restricted_mean_survival_time(theirs, limit + 1)
        assert restricted_mean(curve, limit)[0] == pytest.approx(area - 0.5, abs=1e-9)


def test_persons_older_than_the_data_do_not_lengthen_it() -> None:
    """Relations of 400 days on average, seen in one year in which half of them are old: counted from the day they are
    seen the mean within 730 days is right, counted from their beginning it is too long.
    """
    rng = np.random.default_rng(4)
    began, lasts = rng.uniform(-1500, 365, 20_000), rng.exponential(400, 20_000)
    seen = (began + lasts > 0) & (began < 365)
    began, lasts = began[seen], lasts[seen]
    entry, until = np.maximum(0, -began).astype(int), (365 - began).astype(int)
    last = np.maximum(np.minimum(lasts.astype(int), until), entry)
    left = lasts.astype(int) <= until
    truth = 400 * (1 - np.exp(-730 / 400))
    value, interval = restricted_mean(kaplan_meier_from(entry, last, left), 730)
    assert interval.low - 3 < truth < interval.high + 3
    naive, _ = restricted_mean(kaplan_meier_from(np.zeros(len(last)), last, left), 730)
    assert naive > value + 50


def test_an_ended_curve_has_a_mean_beyond_its_end() -> None:
    """Both left, at 1 and 2: 1 + 1/2 within 9 days; from there on nobody is left, nor any variance."""
    value, interval = restricted_mean(kaplan_meier_from([0, 0], [1, 2], [1, 1]), 9)
    assert value == pytest.approx(1.5)
    assert interval.low == pytest.approx(1.5 - Z * (0.5**2 / 2) ** 0.5)


@pytest.mark.parametrize(
    ("persons", "what"),
    [(([], [], []), "a curve needs at least one person"), (([3], [2], [1]), "nobody can enter after leaving")],
)
def test_persons_that_cannot_be(persons: tuple[list[int], ...], what: str) -> None:
    with pytest.raises(ValueError, match=f"^{what}$"):
        kaplan_meier_from(*persons)


def test_nobody_followed_long_enough() -> None:
    with pytest.raises(ValueError, match=r"^nobody was followed up to the limit$"):
        restricted_mean(kaplan_meier_from([0, 0], [3, 5], [1, 0]), 6)
