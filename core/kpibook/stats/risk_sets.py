"""Who is compared with whom when people choose to join: a risk set for every enrolment month.

Treated of month g: enrolled in g, with a purchase in g. Controls: a purchase in g, not
enrolled by its end, whatever they do later; a choice by what came later would pick either
those who went on buying (too good a comparison) or those who left (too bad a one). Both
have been customers for ``history`` months, and are compared within light strata of what was
known at the index purchase: tenure, basket, and a group such as the channel. Spending before
the index month is never matched: differencing after that brings regression to the mean.

Sources: Suissa 2017 (time-conditional risk sets); Daw & Hatfield 2018.

The library diff-diff (3.13, StackedDiD, CallawaySantAnna, LPDiD) was looked at for this step: its
controls are the never, or the not yet treated *throughout the event window*, that is chosen by
what they did later, and it has no index purchase and no strata at the event.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

#: The month of enrolment of who never enrolled.
NEVER = 1_000_000
HISTORY = 6
#: Lower ends of the tenure bands, in months since the first purchase.
TENURE_BANDS = (6, 12, 24)
BASKETS = 3


@dataclass(frozen=True)
class Purchases:
    """Months with a purchase, and when their persons first bought and enrolled.

    person, month, basket, stratum: one entry for each person and month with a purchase; ``person``
    counts from 0, ``month`` from the first month of the study, ``basket`` is the mean value of a
    purchase in that month, ``stratum`` as :func:`strata` numbers them. first, enrolled: one entry
    a person, in months (``first`` may be negative, before the study; ``enrolled`` NEVER).
    """

    person: Ints
    month: Ints
    basket: Floats
    stratum: Ints
    first: Ints
    enrolled: Ints


@dataclass(frozen=True)
class RiskSets:
    """Everybody at risk of enrolling, month by month: one entry a person and month, ordered by cell.

    ``cell`` numbers the strata of all months from 0; cell_month and cell_stratum have one entry a cell. ``tenure`` in
    months.
    """

    month: Ints
    person: Ints
    treated: Flags
    cell: Ints
    tenure: Ints
    basket: Floats
    cell_month: Ints
    cell_stratum: Ints

    @property
    def cells(self) -> int:
        return len(self.cell_month)

    @property
    def long(self) -> Flags:
        """Cells whose persons have been customers long enough for the held-out months."""
        return np.asarray(self.cell_stratum % len(TENURE_BANDS) > 0)

    def by_cell(self, values: Floats) -> Floats:
        """Sums within cells over the first axis."""
        if not self.cells:
            return np.zeros((0, *values.shape[1:]))
        starts = np.searchsorted(self.cell, np.arange(self.cells))
        return np.asarray(np.add.reduceat(values, starts, axis=0))

    def part(self, cells: Flags) -> RiskSets:
        """The same with only these cells."""
        return self.among(cells[self.cell])

    def among(self, rows: Flags) -> RiskSets:
        """The same with only these entries."""
        cells, number = np.unique(self.cell[rows], return_inverse=True)
        return RiskSets(
            self.month[rows],
            self.person[rows],
            self.treated[rows],
            number.astype(np.int64),
            self.tenure[rows],
            self.basket[rows],
            self.cell_month[cells],
            self.cell_stratum[cells],
        )


def risk_sets(purchases: Purchases, belongs: Flags) -> RiskSets:
    """The risk sets of all months; ``belongs`` tells the entries that are in them, see at_risk."""
    rows = np.flatnonzero(belongs)
    rows = rows[np.lexsort((purchases.person[rows], purchases.stratum[rows], purchases.month[rows]))]
    month, stratum, person = purchases.month[rows], purchases.stratum[rows], purchases.person[rows]
    opens = np.ones(len(rows), dtype=np.bool_)
    opens[1:] = (np.diff(month) != 0) | (np.diff(stratum) != 0)
    return RiskSets(
        month,
        person,
        purchases.enrolled[person] == month,
        np.cumsum(opens) - 1,
        month - purchases.first[person],
        purchases.basket[rows],
        month[opens],
        stratum[opens],
    )


def at_risk(purchases: Purchases, history: int = HISTORY) -> Flags:
    """Which entries belong to the risk set of their month: not enrolled before, customers for ``history`` months.

    The history must be at least as long as the base.
    """
    tenure = purchases.month - purchases.first[purchases.person]
    return np.asarray((tenure >= history) & (purchases.enrolled[purchases.person] >= purchases.month))


def strata(tenure: Ints, basket_class: Ints) -> Ints:
    """Number of the stratum: basket class (from 0) times the tenure bands, plus the band."""
    band = np.maximum(np.digitize(tenure, TENURE_BANDS) - 1, 0)
    return np.asarray(basket_class * len(TENURE_BANDS) + band)


def basket_classes(month: Ints, basket: Floats, person: Ints, classes: int = BASKETS) -> Ints:
    """Equal-sized classes of the baskets of each month, numbered from 0, as SQL's ntile does; ties go by person."""
    order = np.lexsort((person, basket, month))
    sizes = np.unique(month[order], return_counts=True)[1]
    rank = np.arange(len(order)) - np.repeat(np.concatenate([[0], sizes.cumsum()[:-1]]), sizes)
    small, large = np.divmod(np.repeat(sizes, sizes), classes)
    edge = large * (small + 1)
    found = np.where(rank < edge, rank // (small + 1), large + (rank - edge) // np.maximum(small, 1))
    result = np.empty(len(order), dtype=np.int64)
    result[order] = found
    return result


def standardised_difference(values: npt.ArrayLike, treated: npt.ArrayLike, weight: npt.ArrayLike) -> float:
    """Mean of the treated minus weighted mean of the controls, in pooled standard deviations (0 without spread)."""
    x, t, w = np.asarray(values, dtype=float), np.asarray(treated, dtype=bool), np.asarray(weight, dtype=float)
    spread = float(np.sqrt((x[t].var() + x[~t].var()) / 2))
    gap = float(np.average(x[t], weights=w[t]) - np.average(x[~t], weights=w[~t]))
    return gap / spread if spread > 0 else 0.0
