"""Parts of an enrolment study by what was known when people enrolled: cohort, tenure, and usage before the base."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from kpibook.stats.enrolment_checks import known_before
from kpibook.stats.enrolment_stacks import LEADS
from kpibook.stats.risk_sets import TENURE_BANDS, Floats, RiskSets
from loyalty_kpis.enrolment_effect import Study
from loyalty_kpis.usage_classes import CUTS, HEAVY, LOW, MEDIUM

TENURES = ("6 to 11 months", "12 to 23 months", "24 months and more")


def segments(own: Study, outcome: Floats) -> dict[str, dict[str, Study]]:
    """Studies by quarter of enrolment, tenure at it, and usage class.

    The class is the outcome of the months -12 to -7, cut at P50 and P80 of all at risk in the same month: the months
    of the base would bring regression to the mean, later ones hold the effect. Who was no customer then has none.
    """
    month = own.origin + own.sets.cell_month
    quarters = np.array([f"{m // 12}-Q{m % 12 // 3 + 1}" for m in month], dtype=object)
    bands = own.sets.cell_stratum % len(TENURE_BANDS)
    return {
        "cohort": {str(q): _of(own, own.sets.part(quarters == q)) for q in np.unique(quarters.astype(str))},
        "tenure": {name: _of(own, own.sets.part(bands == i)) for i, name in enumerate(TENURES)},
        "usage_class": {name: _of(own, sets) for name, sets in _by_usage(own.sets, outcome).items()},
    }


def _of(own: Study, sets: RiskSets) -> Study:
    return replace(own, sets=sets)


def _by_usage(sets: RiskSets, outcome: Floats) -> dict[str, RiskSets]:
    known = sets.part(sets.long & (sets.cell_month >= LEADS))
    spent = known_before(known, outcome)[:, 0]
    low, high = np.zeros(len(spent)), np.zeros(len(spent))
    for month in np.unique(known.month):
        own = known.month == month
        low[own], high[own] = np.percentile(spent[own], list(CUTS.values()), method="inverted_cdf")
    number = (spent > low).astype(int) + (spent > high)
    return {name: known.among(number == i) for i, name in enumerate((LOW, MEDIUM, HEAVY))}
