"""Parts of an enrolment study by what was known when people enrolled: cohort, tenure, usage before the base, store.

What comes of enrolling, as a tier does, tells no parts that could be compared: whoever did not enrol has none.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from kpibook import because, modelled
from kpibook.stats.enrolment_checks import known_before
from kpibook.stats.enrolment_stacks import LEADS
from kpibook.stats.risk_sets import TENURE_BANDS, Floats, RiskSets
from loyalty_kpis.enrolment_effect import Study
from loyalty_kpis.usage_classes import CUTS, HEAVY, LOW, MEDIUM

TENURES = ("6 to 11 months", "12 to 23 months", "24 months and more")


#: The frames behind the parts; a client without stores or tiers gets them empty.
SEGMENT_COLUMNS = {"study_stores": ["person", "month", "store"], "held_tiers": ["tier"]}
AFTER = because("What tells these groups apart comes of enrolling: whoever did not enrol cannot be compared with them.")
#: Columns of persons that come of enrolling; those by which a figure with parts cannot be known or has them already.
GIVEN = ("member", "enrolment_cohort", "person_state", "consent_email", "consent_push", "consent_profiling")
UNKNOWABLE = dict.fromkeys(("tier", "usage_class", *GIVEN), AFTER)
NOT_BY = {**UNKNOWABLE, "tier": "", "usage_class": ""}


def segments(own: Study, outcome: Floats, stores: pd.DataFrame) -> dict[str, dict[str, Study]]:
    """Studies by quarter of enrolment, tenure at it, usage class, and store of the index purchase.

    The class is the outcome of the months -12 to -7, cut at P50 and P80 of all at risk in the same month: the months
    of the base would bring regression to the mean, later ones hold the effect. Who was no customer then has none.
    stores: person, month and store of those at risk; both sides of a comparison bought in the same store.
    """
    month = own.origin + own.sets.cell_month
    quarters = np.array([f"{m // 12}-Q{m % 12 // 3 + 1}" for m in month], dtype=object)
    bands = own.sets.cell_stratum % len(TENURE_BANDS)
    return {
        "cohort": {str(q): own.part(own.sets.part(quarters == q)) for q in np.unique(quarters.astype(str))},
        "tenure": {name: own.part(own.sets.part(bands == i)) for i, name in enumerate(TENURES)},
        "usage_class": {name: own.part(sets) for name, sets in _by_usage(own.sets, outcome).items()},
        "store_id": {name: own.part(sets) for name, sets in _by_store(own, stores).items()},
    }


def unknowable(tiers: pd.DataFrame) -> dict[str, dict]:
    """Tiers, by which the effect cannot be known, with the reason."""
    names = sorted(tiers["tier"].dropna().unique())
    return {"tier": {str(name): modelled(None, status="not_identified", reason=AFTER, grade="D") for name in names}}


def _by_store(own: Study, stores: pd.DataFrame) -> dict[str, RiskSets]:
    """Stores in which somebody enrolled; purchases outside them are left out."""
    known = stores.dropna(subset=["store"])
    code, names = pd.factorize(known["store"], sort=True)
    place = own.other(known.assign(code=code + 1), "code")[own.sets.person, own.sets.month]
    joined = np.unique(place[own.sets.treated])
    return {str(names[int(number) - 1]): own.sets.among(place == number) for number in joined if number}


def _by_usage(sets: RiskSets, outcome: Floats) -> dict[str, RiskSets]:
    known = sets.part(sets.long & (sets.cell_month >= LEADS))
    spent = known_before(known, outcome)[:, 0]
    low, high = np.zeros(len(spent)), np.zeros(len(spent))
    for month in np.unique(known.month):
        own = known.month == month
        low[own], high[own] = np.percentile(spent[own], list(CUTS.values()), method="inverted_cdf")
    number = (spent > low).astype(int) + (spent > high)
    return {name: known.among(number == i) for i, name in enumerate((LOW, MEDIUM, HEAVY))}
