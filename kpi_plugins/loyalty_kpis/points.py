"""Points: how many are used, how many never will be, and what the open ones will cost."""

from datetime import timedelta

import ibis
import numpy as np
import pandas as pd

from kpibook import because, kpi, modelled, ratio, variants
from kpibook.rules import reason
from kpibook.stats.development import develop, interval
from loyalty_kpis.points_views import ISSUED, LOT
from loyalty_kpis.reach import inside

CELLS = ["vintage", "age", "redeemed", "expired", "open", "members"]
GROUPS = ["group", "age", "redeemed", "expired", "open"]
MONTHS, MEMBERS = 12, 300
#: Above this share of points open at the highest age seen, the estimate is a range.
TAIL = 0.01
FEW_MONTHS = "Points of {months} months of issue are known; {minimum} are needed."
OPEN_END = "{share} % of the points are still open at the highest age in the data: what becomes of them is not known."
NONE_CLOSED = "No month of issue is without open points."


def _age_ago(window, settings):
    return window.start - timedelta(days=settings["age_days"])


@kpi(
    unit="percent",
    better="neutral",
    family="programme",
    question="What share of issued points gets used?",
    looks_back=_age_ago,
)
def redemption_rate(earned_lots, lot_uses, points_ledger, periods, *, age_days: int = 365):
    """Points redemption rate: points redeemed by the age of age_days, out of the points issued in the lots that reach
    this age in the period, reversals netted; the variant burn_to_earn divides the points redeemed in the period by
    those issued in it, which is no rate and may exceed 100 %.
    """
    issued = earned_lots.filter(earned_lots.origin.isin(ISSUED))
    aged = issued.mutate(reached=(issued.earned_on + ibis.interval(days=age_days)).cast("date"))
    moved = lot_uses.join(aged.select(*LOT, "reached"), LOT)
    used = moved.group_by(LOT).agg(
        redeemed=moved.points.sum(where=(moved.kind == "redeemed") & (moved.day <= moved.reached)),
        withdrawn=moved.points.sum(where=moved.kind == "withdrawn"),
    )
    lots = aged.left_join(used, LOT)
    seen = ibis.least(periods.end, periods.data_end)
    placed = lots.join(periods, inside(lots.reached, periods.start, seen))
    rows = placed.group_by("period_id", "member_id", vintage=placed.earned_on.strftime("%Y-%m")).agg(
        redeemed=placed.redeemed.fill_null(0).sum(), issued=(placed.credited - placed.withdrawn.fill_null(0)).sum()
    )
    earned, burnt = _earned_and_burnt(points_ledger)
    return variants(
        ratio(rows.redeemed.sum(), rows.issued.sum(), cluster=rows.member_id),
        burn_to_earn=ratio(burnt, earned, cluster=points_ledger.member_id),
    )


@kpi(
    unit="ratio",
    better="neutral",
    family="programme",
    question="Are points being used as fast as they are earned?",
)
def earn_burn_ratio(points_ledger):
    """Earn/burn ratio: points earned and bonus points per point redeemed in the period; others quote burn per earn."""
    earned, burnt = _earned_and_burnt(points_ledger)
    return ratio(earned, burnt, cluster=points_ledger.member_id)


@kpi(
    unit="percent",
    better="neutral",
    family="programme",
    question="What share of today's points will finally be redeemed?",
    columns={"points_development": [*CELLS, "holders"], "points_by_group": GROUPS},
)
def ultimate_redemption_rate(points_development: pd.DataFrame, points_by_group: pd.DataFrame):
    """Ultimate redemption rate (URR): share of issued points that will be redeemed in the end, from how points of all
    months of issue developed up to the period's end (redemption and expiry compete, open points are censored); the
    variant closed_months is what was redeemed of months of issue without open points.
    """
    return _ultimate(points_development, points_by_group, lambda share: share)


@kpi(
    unit="percent",
    better="neutral",
    family="programme",
    question="Which share of points will never be redeemed?",
    columns={"points_development": [*CELLS, "holders"], "points_by_group": GROUPS},
)
def breakage_rate(points_development: pd.DataFrame, points_by_group: pd.DataFrame):
    """Breakage rate: share of issued points that will never be redeemed, one minus the ultimate redemption rate; open
    points are not broken; the variant closed_months is what expired of months of issue without open points.
    """
    return _ultimate(points_development, points_by_group, lambda share: 1 - share)


@kpi(
    unit="money",
    better="lower",
    family="programme",
    question="What do we owe in unredeemed points?",
    columns={
        "points_experience": CELLS,
        "experience_by_group": GROUPS,
        "points_balance": ["moment", "earned", "age", "points", "cost", "members"],
        "points_deferred": ["deferred"],
    },
)
def points_liability(
    points_experience: pd.DataFrame,
    experience_by_group: pd.DataFrame,
    points_balance: pd.DataFrame,
    points_deferred: pd.DataFrame,
):
    """Points liability: points open at the period's end, times the share that will still be redeemed at their age,
    times the cost per redeemed point; the variant change is its change over the period, ifrs15 the part of the
    receipts that is deferred until the points they earned are redeemed.

    Both ends of every period are valued at what the current period's end shows of how points develop.
    """
    closing = points_balance[points_balance["moment"] == "end"]
    if points_experience.empty or not _issued(points_experience) > 0:
        return modelled(None, status="undefined", reason=reason("no_rows"))
    known = _developed(experience_by_group)
    facts = _standing(points_experience, known)
    value, low, high = known.expected(closing["age"], closing["cost"])
    signed = points_balance["cost"].where(points_balance["moment"] == "end", -points_balance["cost"])
    change = known.expected(points_balance["age"], signed)
    deferred = float(points_deferred["deferred"].sum())
    by_year = {str(year): _worth(known, rows, facts) for year, rows in closing.groupby("earned")}
    parts = {
        "variant": {
            "change": modelled(change[0], low=change[1], high=change[2], **facts),
            "ifrs15": modelled(deferred, **facts),
            "if_all_redeemed": modelled(float(closing["cost"].sum())),
        },
        "year_of_issue": by_year,
    }
    open_points = float(closing["points"].sum())
    return modelled(value, low=low, high=high, denominator=open_points, parts=parts, **facts)


def _worth(known, rows, facts):
    value, low, high = known.expected(rows["age"], rows["cost"])
    persons = int(rows["members"].max())
    return modelled(value, low=low, high=high, **facts | {"n": persons, "persons": persons})


def _earned_and_burnt(ledger):
    earned = ledger.points.sum(where=ledger.type.isin(ISSUED))
    return earned, (-ledger.points).sum(where=ledger.type == "redeem")


def _ultimate(cells, groups, reading):
    if cells.empty or not _issued(cells) > 0:
        return modelled(None, status="undefined", reason=reason("no_rows"))
    known = _developed(groups)
    low, high = sorted(reading(share) for share in interval(known))
    facts = _standing(cells, known)
    months = _months(cells)
    holders = cells.groupby("vintage")["holders"].max().loc[months["vintage"]].to_numpy()
    closed = months[months["open"] == 0]
    done, whole = float(closed["redeemed"].sum()), float(closed["issued"].sum())
    if whole > 0:
        end = modelled(reading(done / whole), numerator=reading(done / whole) * whole, denominator=whole)
    else:
        end = modelled(None, status="undefined", reason=because(NONE_CLOSED))
    value = reading(float(known.middle[0]))
    parts = {"variant": {"closed_months": end}}
    beside = {"table": months, "table_persons": holders, "parts": parts}
    return modelled(value, low=low, high=high, denominator=_issued(cells), **beside, **facts)


def _developed(groups):
    return develop(groups["group"], groups["age"], groups["redeemed"], groups["expired"], groups["open"])


def _issued(cells):
    return float(cells[["redeemed", "expired", "open"]].to_numpy(dtype=np.float64).sum())


def _months(cells):
    """Points by month of issue, as they stand."""
    sums = cells.groupby("vintage")[["redeemed", "expired", "open"]].sum().astype(float)
    return sums.assign(issued=sums.sum(axis=1)).query("issued > 0").reset_index()


def _standing(cells, known):
    """n, status and reason: at least 12 months of issue and 300 members, and hardly a point beyond what was seen."""
    members, months = int(cells["members"].max()), len(_months(cells))
    facts = {"n": members, "persons": members}
    if members < MEMBERS:
        return facts | {"status": "low_n", "reason": reason("too_few_persons", n=members, minimum=MEMBERS)}
    if months < MONTHS:
        why = because(
            "Points of {months} months of issue are known; {minimum} are needed.", months=months, minimum=MONTHS
        )
        return facts | {"status": "low_n", "reason": why}
    if known.tail > TAIL:
        why = because(OPEN_END, share=round(100 * known.tail, 1))
        return facts | {"status": "bounded", "reason": why}
    return facts


DEFINITIONS = (
    redemption_rate,
    earn_burn_ratio,
    breakage_rate,
    ultimate_redemption_rate,
    points_liability,
)
