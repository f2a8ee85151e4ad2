"""Bootstrap of totals over persons: every person enters a replicate Poisson(1) times.

Source: Chamandy, Muralidharan, Najmi & Naidu 2012 (Poisson bootstrap). Persons vary as a
whole; ratios, differences and shares of the totals are then formed replicate by replicate.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from kpibook.stats.intervals import CONFIDENCE

Floats = npt.NDArray[np.float64]
DRAWS = 1000
SEED = 20170701
#: Weights held in memory at once.
BLOCK = 5_000_000


def poisson_totals(
    groups: Sequence[Floats],
    fixed: tuple[int, Floats, Floats] | None = None,
    draws: int = DRAWS,
    seed: int = SEED,
) -> Floats:
    """Totals (draws, groups, columns) of ``groups``, each an array (persons, columns).

    ``fixed`` is (group, totals, standard errors) of a mass of small independent cases that are not
    drawn one by one: their sum varies as a normal variable in each column. Rows must stand in a fixed order.
    Raises ValueError when the groups differ in their columns.
    """
    widths = {group.shape[1] for group in groups}
    if len(widths) != 1:
        raise ValueError(f"groups of {sorted(widths)} columns cannot be added up")
    rng = np.random.default_rng(seed)
    found = np.zeros((draws, len(groups), widths.pop()))
    for i, group in enumerate(groups):
        step = max(1, BLOCK // max(1, len(group)))
        for start in range(0, draws if len(group) else 0, step):
            stop = min(draws, start + step)
            weights = rng.poisson(1.0, (stop - start, len(group))).astype(np.float64)
            found[start:stop, i] = weights @ group
    if fixed is not None:
        place, totals, errors = fixed
        found[:, place] += totals + rng.standard_normal((draws, len(totals))) * errors
    return found


def percentiles(values: npt.ArrayLike) -> tuple[float, float]:
    """The middle 95 % of replicates, not-a-number left out; (nan, nan) when none is left."""
    known = np.asarray(values, dtype=np.float64)
    known = known[np.isfinite(known)]
    if not known.size:
        return float("nan"), float("nan")
    low, high = np.quantile(known, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return float(low), float(high)
