"""What the next year brings when nobody changes: the negative binomial model of repeat buying.

Everybody buys at a steady rate of their own, gamma over persons. Whoever bought seldom in
one year was in part merely unlucky, and buys more in the next: regression to the mean.
Sources: Goodhardt & Ehrenberg 1967 (conditional trend analysis); Morrison & Schmittlein 1988.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special, stats

from kpibook.stats.likelihood import Floats, Maximum, maximise
from kpibook.stats.spend_per_purchase import SpendPerPurchase

#: Numbers of purchases less likely than this are left out.
RARE = 1e-9


@dataclass(frozen=True)
class RepeatBuying:
    """Rates are gamma with shape ``r`` and scale 1 / ``alpha``; one unit of time is the year that was fitted."""

    r: float
    alpha: float

    @classmethod
    def at(cls, log_parameters: Floats) -> RepeatBuying:
        return cls(*(float(p) for p in np.exp(log_parameters)))

    def log_likelihood(self, counts: Floats) -> Floats:
        """Of counts >= 1 in one year, persons without any purchase being unknown."""
        r, alpha = self.r, self.alpha
        made = special.gammaln(r + counts) - special.gammaln(r) - special.gammaln(counts + 1)
        none = r * -np.log1p(1 / alpha)
        return np.asarray(made + none - counts * np.log1p(alpha) - np.log(-np.expm1(none)))

    def expected(self, counts: npt.ArrayLike, ahead: float = 1.0) -> Floats:
        """Purchases expected in the next ``ahead`` years of persons who made ``counts`` in one."""
        return np.asarray(ahead * (self.r + np.asarray(counts, dtype=np.float64)) / (self.alpha + 1))

    def chances(self, count: float) -> Floats:
        """Chances of 0, 1, 2, ... purchases in the next year of a person who made ``count``; the rare rest left out."""
        shape, p = self.r + count, (self.alpha + 1) / (self.alpha + 2)
        last = int(stats.nbinom.isf(RARE, shape, p))
        return np.asarray(stats.nbinom.pmf(np.arange(last + 1), shape, p))

    def at_most(self, counts: npt.ArrayLike) -> Floats:
        """Mean of min(next year's purchases, this year's) for each of ``counts``."""
        x = np.asarray(counts, dtype=np.float64)
        levels, where = np.unique(x, return_inverse=True)
        means = [self._limited(level) for level in levels]
        return np.asarray(means, dtype=np.float64)[where]

    def _limited(self, count: float) -> float:
        chances = self.chances(count)
        return float(chances @ np.minimum(np.arange(len(chances)), count) + (1 - chances.sum()) * count)


def fit(counts: npt.ArrayLike) -> tuple[RepeatBuying, Maximum]:
    """Maximum likelihood from counts >= 1, one a person. Raises ValueError when nobody bought twice."""
    x = np.asarray(counts, dtype=np.float64)
    if len(x) == 0 or x.max() < 2 or x.min() < 1:
        raise ValueError("repeat buying needs counts of at least 1, one of them above it")
    levels, where, persons = np.unique(x, return_inverse=True, return_counts=True)
    share = persons * len(levels) / len(x)
    best = maximise(lambda at: share * RepeatBuying.at(at).log_likelihood(levels), (1.0, 1.0 / x.mean()))
    own = best.influence / persons[:, None]
    total = float((persons * RepeatBuying.at(best.log_parameters).log_likelihood(levels)).sum())
    return RepeatBuying.at(best.log_parameters), Maximum(best.log_parameters, own[where], total, best.found)


def chance_to_exceed(
    limit: float, counts: npt.ArrayLike, spend: npt.ArrayLike, buying: RepeatBuying, spending: SpendPerPurchase
) -> Floats:
    """Chance that each person spends more than ``limit`` (> 0) next year without having changed.

    ``counts`` and ``spend`` are this year's purchases and their sum, one entry a person.
    """
    x, money = (np.asarray(a, dtype=np.float64) for a in (counts, spend))
    found = np.empty(len(x))
    for count in np.unique(x):
        own = x == count
        chances = buying.chances(float(count))
        ahead = np.arange(1, len(chances), dtype=np.float64)
        above = spending.exceeds(limit, ahead[None, :], float(count), money[own][:, None])
        found[own] = above @ chances[1:]
    return found
