"""Who was invited at random, and what joining did to those who joined because of it.

Not everybody invited joins, and some join uninvited: the difference by invitation (intention to treat) divided by the
difference in joining is the mean effect on those whom the invitation made join (LATE; Angrist, Imbens & Rubin 1996),
if the invitation works through joining only and keeps nobody away. The same division by the difference in cost is the
return on that cost. Intervals: Fieller, persons as a whole; they stay right when the invitation hardly moved anybody.

linearmodels and statsmodels have this as two-stage least squares, without weights by arm and campaign and with an
interval that fails in weak first stages; the point is the same, which a test shows.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from kpibook.stats.fieller import fieller
from kpibook.stats.intervals import Interval

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]
#: First-stage F above which an assignment moves enough (Staiger & Stock 1997).
STRONG = 10.0


class Contrasted(NamedTuple):
    """A difference between arms, and the influence of each case on it."""

    value: float
    influence: Floats


class Caused(NamedTuple):
    """``value``: first difference per unit of the second; no interval when the second may well be none.

    strength: F of the second difference.
    """

    value: float
    interval: Interval | None
    strength: float


def per_unit(one: Contrasted, other: Contrasted, cluster: Codes) -> Caused | None:
    """``one`` / ``other`` over the same cases, cases of one cluster varying together; None when ``other`` is 0."""
    if other.value == 0:
        return None
    parts = np.stack([np.bincount(cluster, side.influence) for side in (one, other)])
    (variance, covariance), (_, spread) = parts @ parts.T
    found = fieller(one.value, other.value, float(variance), float(spread), float(covariance))
    strength = other.value**2 / float(spread) if spread > 0 else float("inf")
    return Caused(one.value / other.value, found, strength)
