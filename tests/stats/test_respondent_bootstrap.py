"""Resampling of respondents: sums, sizes, spread and what is refused."""

import numpy as np
import pytest

from kpibook.stats import reweighting
from kpibook.stats.respondent_bootstrap import percentile, person_sums, replicates


def test_sums_by_person() -> None:
    sums = person_sums([[1, 10], [2, 20], [4, 40]], [1, 0, 1])
    assert sums.tolist() == [[2, 20], [5, 50]]


def test_replicates_spread_as_the_mean_does() -> None:
    """300 normal persons: the means of the resamples have the standard error sd / sqrt(300)."""
    x = np.random.default_rng(1).normal(5, 2, 300)
    means = replicates(np.column_stack([x, np.ones(300)]))
    assert means[:, 1].tolist() == [300.0] * 1000
    spread = (means[:, 0] / means[:, 1]).std()
    assert spread == pytest.approx(x.std() / np.sqrt(300), rel=0.08)


def test_replicates_are_the_same_every_time_and_in_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    x = np.arange(20.0)[:, None]
    first = replicates(x)
    assert np.array_equal(first, replicates(x))
    monkeypatch.setattr(reweighting, "BATCH", 60)
    assert np.array_equal(first, replicates(x))


def test_a_person_answers_as_a_whole() -> None:
    """Two persons who always say the same: a resample is 0, 1/2 or 1, never something between."""
    sums = person_sums([[1, 1]] * 5 + [[0, 1]] * 5, [0] * 5 + [1] * 5)
    drawn = replicates(sums)
    assert set((drawn[:, 0] / drawn[:, 1]).tolist()) == {0.0, 0.5, 1.0}


def test_percentile_leaves_out_what_is_no_number() -> None:
    """0 to 1000: the middle 95 % are 25 to 975."""
    assert percentile([*range(1001), float("nan")]) == pytest.approx((25, 975))
    assert percentile(range(1001), 0.9) == pytest.approx((50, 950))


def test_nobody_and_nothing_are_refused() -> None:
    with pytest.raises(ValueError, match=r"^a bootstrap needs a table of at least one person$"):
        replicates(np.empty((0, 2)))
    with pytest.raises(ValueError, match=r"^no replicate is a number$"):
        percentile([float("nan")])
