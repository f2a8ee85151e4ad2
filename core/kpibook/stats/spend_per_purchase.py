"""What a customer spends at a purchase: the Gamma-Gamma model.

A person's purchases scatter around a mean of their own; the means scatter over persons,
independently of how often they buy.
Source: Fader & Hardie 2013, The Gamma-Gamma Model of Monetary Value.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special

from kpibook.stats.likelihood import Floats, Maximum, maximise


@dataclass(frozen=True)
class SpendPerPurchase:
    """Parameters of a Gamma-Gamma model; ``v`` in the unit of money."""

    p: float
    q: float
    v: float

    @classmethod
    def at(cls, log_parameters: Floats) -> SpendPerPurchase:
        return cls(*(float(x) for x in np.exp(log_parameters)))

    def log_likelihood(self, purchases: Floats, mean: Floats) -> Floats:
        """One number a person with ``purchases`` > 0 of a ``mean`` amount > 0."""
        p, q, v = self.p, self.q, self.v
        shape = p * purchases
        known = special.gammaln(shape + q) - special.gammaln(shape) - special.gammaln(q)
        amounts = q * np.log(v) + (shape - 1) * np.log(mean) + shape * np.log(purchases)
        return np.asarray(known + amounts - (shape + q) * np.log(purchases * mean + v))

    def expected(self, purchases: Floats, mean: Floats) -> Floats:
        """Mean amount expected of each person; without purchases that of everybody (needs q > 1)."""
        known = self.p * purchases
        return np.asarray((self.p * self.v + known * np.where(purchases > 0, mean, 0.0)) / (known + self.q - 1))

    def exceeds(self, limit: float, ahead: Floats, purchases: float, spend: Floats) -> Floats:
        """Chance that the next ``ahead`` (>= 1) purchases of a person come to more than ``limit`` in all.

        The person made ``purchases`` for ``spend`` in all; ``ahead`` and ``spend`` are broadcast. Given the person's
        own scale, sums are gamma; over what is known of the scale, sum / (sum + v + spend) is beta.
        """
        known = self.v + spend
        below = special.betainc(self.p * ahead, self.q + self.p * purchases, limit / (limit + known))
        return np.asarray(1 - below)


def fit(purchases: npt.ArrayLike, mean: npt.ArrayLike) -> tuple[SpendPerPurchase, Maximum]:
    """Maximum likelihood from one entry a person. Raises ValueError unless all purchases and means are positive."""
    x, m = (np.asarray(a, dtype=np.float64) for a in (purchases, mean))
    if len(x) == 0 or not (np.all(x > 0) and np.all(m > 0)):
        raise ValueError("spend per purchase needs persons with purchases of positive amounts")
    unit = float(m.mean())
    part, power = np.frexp(m / unit)
    scaled = np.ldexp(np.round(part, 12), power)  # another currency must not end elsewhere on a flat ridge
    best = maximise(lambda at: SpendPerPurchase.at(at).log_likelihood(x, scaled), (2.0, 3.0, 1.5))
    shifted = best.log_parameters + np.array([0.0, 0.0, np.log(unit)])
    found = Maximum(shifted, best.influence, best.log_likelihood - len(x) * np.log(unit), best.found)
    return SpendPerPurchase.at(shifted), found
