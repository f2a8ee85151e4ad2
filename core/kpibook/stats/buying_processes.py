"""How long customers go on buying, and how often: the BG/NBD model.

While active a person buys at a rate of their own (gamma over persons) and leaves after
any purchase with a chance of their own (beta over persons).
Source: Fader, Hardie & Lee 2005, Marketing Science 24(2): 275-284, equations 6 and 10.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special

from kpibook.stats.likelihood import Floats, Maximum, maximise


@dataclass(frozen=True)
class Histories:
    """One person an entry: repeat purchases ``x``, day of the last one ``t_x`` and days observed ``t``.

    Days count from the first purchase, which is not among ``x``; any unit of time will do.
    """

    x: Floats
    t_x: Floats
    t: Floats

    @classmethod
    def of(cls, x: npt.ArrayLike, t_x: npt.ArrayLike, t: npt.ArrayLike) -> Histories:
        """From anything like arrays of one length. Raises ValueError when 0 <= t_x <= t does not hold."""
        found = cls(*(np.asarray(a, dtype=np.float64) for a in (x, t_x, t)))
        if not (np.all(found.x >= 0) and np.all(found.t_x >= 0) and np.all(found.t_x <= found.t)):
            raise ValueError("histories need x >= 0 and 0 <= t_x <= t")
        return found

    def __len__(self) -> int:
        return len(self.x)

    def part(self, chosen: npt.NDArray) -> Histories:
        return Histories(self.x[chosen], self.t_x[chosen], self.t[chosen])


@dataclass(frozen=True)
class BuyingProcess:
    """Parameters of a BG/NBD model; ``alpha`` in the unit of time of the histories."""

    r: float
    alpha: float
    a: float
    b: float

    @classmethod
    def at(cls, log_parameters: Floats) -> BuyingProcess:
        return cls(*(float(p) for p in np.exp(log_parameters)))

    def log_likelihood(self, seen: Histories) -> Floats:
        """One number a person."""
        r, alpha, a, b = self.r, self.alpha, self.a, self.b
        buying = special.gammaln(r + seen.x) - special.gammaln(r) + r * np.log(alpha)
        staying = special.betaln(a, b + seen.x) - special.betaln(a, b)
        still = -(r + seen.x) * np.log(alpha + seen.t)
        gone = np.log(a) - np.log(b + np.maximum(seen.x, 1) - 1) - (r + seen.x) * np.log(alpha + seen.t_x)
        return np.asarray(buying + staying + np.where(seen.x > 0, np.logaddexp(still, gone), still))

    def alive(self, seen: Histories) -> Floats:
        """Chance that each person is still a customer at the end of the observation."""
        return 1 / (1 + self._odds_gone(seen))

    def expected(self, seen: Histories, ahead: float) -> Floats:
        """Purchases that each person is expected to make in the next ``ahead`` units of time."""
        if ahead <= 0:
            return np.zeros(len(seen))
        r, alpha, a, b = self.r, self.alpha, self.a, self.b
        reach = alpha + seen.t
        z = ahead / (reach + ahead)
        series = special.hyp2f1(r + seen.x, b + seen.x, a + b + seen.x - 1, z)
        left = 1 - (reach / (reach + ahead)) ** (r + seen.x) * series
        return np.asarray((a + b + seen.x - 1) / (a - 1) * left / (1 + self._odds_gone(seen)))

    def _odds_gone(self, seen: Histories) -> Floats:
        power = (self.r + seen.x) * np.log((self.alpha + seen.t) / (self.alpha + seen.t_x))
        odds = np.exp(np.minimum(power, 700.0)) * self.a / (self.b + np.maximum(seen.x, 1) - 1)
        return np.asarray(np.where(seen.x > 0, odds, 0.0))


def fit(seen: Histories) -> tuple[BuyingProcess, Maximum]:
    """Maximum likelihood. Raises ValueError without a repeat purchase: nothing tells how often anybody buys."""
    if len(seen) == 0 or not seen.x.any():
        raise ValueError("no repeat purchase to fit a buying process to")
    unit = float(seen.t.mean())
    scaled = Histories(seen.x, seen.t_x / unit, seen.t / unit)
    rate = float(seen.x.mean())
    best = maximise(lambda at: BuyingProcess.at(at).log_likelihood(scaled), (0.5, 0.5 / rate, 0.5, 2.0))
    shifted = best.log_parameters + np.array([0.0, np.log(unit), 0.0, 0.0])
    found = Maximum(shifted, best.influence, best.log_likelihood - float(seen.x.sum()) * np.log(unit), best.found)
    return BuyingProcess.at(shifted), found
