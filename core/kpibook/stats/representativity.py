"""Whether those who answered are like those who were asked.

Sources: standardised difference (Cohen 1988); R-indicator, 1 - 2 S(rho), of Schouten, Cobben & Bethlehem
2009, with the response propensities of a linear model and their own noise taken out of S (Shlomo,
Skinner & Schouten 2012).
"""

from __future__ import annotations

from math import sqrt

import numpy as np
import numpy.typing as npt


def standardised_difference(values: npt.ArrayLike, answered: npt.ArrayLike) -> float | None:
    """Absolute distance of the answerers' mean from that of everybody asked, in standard deviations of everybody.

    None when nobody answered or everybody is alike.
    """
    x, chosen = np.asarray(values, dtype=np.float64), np.asarray(answered, dtype=bool)
    if len(x) != len(chosen):
        raise ValueError("values and answers differ in length")
    spread = float(x.std()) if len(x) else 0.0
    if not chosen.any() or spread == 0:
        return None
    return abs(float(x[chosen].mean()) - float(x.mean())) / spread


def r_indicator(answered: npt.ArrayLike, traits: npt.ArrayLike) -> float | None:
    """1 when the propensity to answer does not depend on ``traits`` (persons, k), lower the more it does.

    None with fewer persons than traits allow, or when all or none answered.
    """
    y = np.asarray(answered, dtype=np.float64)
    if not y.size:
        return None
    x = np.asarray(traits, dtype=np.float64).reshape(len(y), -1)
    spread = x.std(axis=0)
    x = (x[:, spread > 0] - x[:, spread > 0].mean(axis=0)) / spread[spread > 0]
    n, k = x.shape
    if n <= k + 1 or y.min() == y.max():
        return None
    slopes, _, rank, _ = np.linalg.lstsq(x, y - y.mean(), rcond=None)
    fitted = x @ slopes
    noise = float(((y - y.mean() - fitted) ** 2).sum()) / (n - rank - 1)
    variance = float(fitted @ fitted) / n - rank * noise / n
    return 1 - 2 * sqrt(max(0.0, variance))
