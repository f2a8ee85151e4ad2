"""Staff: whether those who serve the customers stay."""

import ibis
import numpy as np
import pandas as pd

from kpibook import because, kpi, modelled, view
from kpibook.rules import PRIVACY_MINIMUM, reason
from kpibook.stats.poisson import exact_rate
from loyalty_kpis.reach import inside

YEAR = 365
#: Smaller units are pooled.
SMALL = 20
#: A year of headcounts may lack as many days.
MISSING_DAYS = 31


@view(key=("unit_id", "period_start", "period_id"))
def staff_year(staff_periods, periods):
    """Staff year: the headcounts of each unit that begin in the 12 months before a period's end, with their days."""
    whole = periods.filter(periods.segment_by == "total")
    recent = inside(staff_periods.period_start, whole.end - ibis.interval(months=12), whole.end)
    rows = staff_periods.join(whole.select("period_id", "start", "end"), recent)
    return rows.select(
        "period_id", "unit_id", "period_start", "headcount_start", "headcount_end", "leavers_total",
        "leavers_voluntary",
        days=rows.period_end.delta(rows.period_start, unit="day") + 1,
    )  # fmt: skip


@kpi(
    unit="percent",
    better="lower",
    family="governance",
    question="Do staff stay (a promised effect of good experience)?",
    columns={
        "staff_year": [
            "unit_id", "period_start", "days", "headcount_start", "headcount_end", "leavers_total", "leavers_voluntary",
        ]
    },
)  # fmt: skip
def employee_turnover(staff_year: pd.DataFrame):
    """Employee turnover: leavers in the 12 months before the period's end, per mean headcount; the variant voluntary
    counts who left of their own accord.

    Figures that rest on fewer than 10 leavers are withheld; units of fewer than 20 persons, or with too few leavers,
    are pooled, so that no unit can be worked out from the rest. Seasonal contracts are not told apart.
    """
    rows = staff_year.dropna(subset=["days", "headcount_start", "headcount_end", "leavers_total"])
    covered = int(rows.groupby("unit_id")["days"].sum().max()) if len(rows) else 0
    short = covered < YEAR - MISSING_DAYS
    rows = rows.assign(
        years=(rows["headcount_start"] + rows["headcount_end"]) / 2 * rows["days"] / (YEAR if short else covered)
    )
    units = rows.groupby("unit_id").agg(leavers=("leavers_total", "sum"), years=("years", "sum"), days=("days", "sum"))
    units = units.assign(heads=units["years"] * (YEAR if short else covered) / units["days"])
    parts = {name: _rate(leavers, years) for name, leavers, years in _pooled(units)}
    told = rows[rows["leavers_voluntary"].notna()]
    own = _rate(told["leavers_voluntary"].sum(), told["years"].sum())
    note = because(PART_OF_A_YEAR, days=covered) if short else ""
    more = {"parts": {"variant": {"voluntary": own}, "unit": parts if len(parts) > 1 else {}}}
    return _rate(rows["leavers_total"].sum(), rows["years"].sum(), note, **more)


PART_OF_A_YEAR = "The headcounts cover {days} days; the rate is stated per year."
OTHERS = "other units"


def _rate(leavers, years, note="", **more):
    leavers, years = int(leavers), float(years)
    facts = {"n": leavers, "denominator": years, "persons": leavers, **more}
    if years <= 0:
        return modelled(None, status="undefined", reason=reason("zero_denominator"), **{**facts, "denominator": 0})
    if leavers < PRIVACY_MINIMUM:
        return modelled(None, status="low_n", reason=reason("privacy", minimum=PRIVACY_MINIMUM), **more)
    interval = exact_rate(leavers, years)
    return modelled(leavers / years, low=interval.low, high=interval.high, numerator=leavers, reason=note, **facts)


def _pooled(units):
    """(name, leavers, years) of the units that may be shown, and of the others together."""
    units = units.sort_values(["leavers", "heads"], kind="stable")
    small = ((units["leavers"] < PRIVACY_MINIMUM) | (units["heads"] < SMALL)).to_numpy(copy=True)
    while small.any() and not small.all() and units["leavers"][small].sum() < PRIVACY_MINIMUM:
        small[np.flatnonzero(~small)[0]] = True
    shown = [(str(name), row.leavers, row.years) for name, row in units[~small].sort_index().iterrows()]
    pool = units[small]
    return [*shown, (OTHERS, pool["leavers"].sum(), pool["years"].sum())] if len(pool) else shown


DEFINITIONS = (staff_year, employee_turnover)
