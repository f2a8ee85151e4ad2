"""Monitoring: what the audited firm itself watches, how closely, and what it does with it."""

import ibis
import pandas as pd

from kpibook import kpi, modelled, share, variants, view
from kpibook.rules import reason

FAMILY = "governance"
ITEM = ["item_id", "kpi_id"]


@view(key="item_id")
def monitored_kpis(audit_inventory, periods):
    """Monitored KPIs: one row per measure that the firm watches, as found by the end of the data.

    The inventory is of one moment: it stands in the current period only. ``now`` is the end of the data, or the last
    refresh where that came later.
    """
    here = periods.filter((periods.segment_by == "total") & (periods.period == "current"))
    now = here.select("period_id", "start", "end", data_end=here.data_end.cast("timestamp(6)"))
    last = audit_inventory.agg(last_refresh=audit_inventory.last_refreshed_at.max())
    rows = audit_inventory.cross_join(now).cross_join(last)
    return rows.mutate(now=ibis.greatest(rows.data_end, rows.last_refresh)).drop("data_end", "last_refresh")


@view(key=("target_id", "period_id"))
def period_targets(targets, periods):
    """Period targets: the targets whose time meets the current period; ``a_priori`` was set by its time's first day and
    not replaced before its last one was over.
    """
    here = periods.filter((periods.segment_by == "total") & (periods.period == "current"))
    rows = targets.join(here, (targets.period_start < here.end) & (targets.period_end >= here.start))
    in_time = rows.set_at.date() <= rows.period_start
    kept = rows.superseded_at.isnull() | (rows.superseded_at.date() > rows.period_end)
    return rows.select("period_id", "target_id", "kpi_id", a_priori=(in_time & kept).fill_null(False))


@view(key="campaign_id", date="start_at")
def campaigns_begun(campaigns):
    """Campaigns begun: campaigns on the day of their beginning; ``by_data`` when a rule on customer data chose whom."""
    return campaigns.select(
        "start_at", "channel", "objective", campaign_id=campaigns.campaign_id.cast("string"),
        by_data=(campaigns.target_rule.strip() != "").fill_null(False),
    )  # fmt: skip


@kpi(
    unit="percent",
    better="higher",
    family=FAMILY,
    question="Were the targets fixed before the period, or fitted afterwards?",
    columns={"monitored_kpis": ITEM, "period_targets": ["kpi_id", "a_priori"]},
)
def a_priori_target_share(monitored_kpis: pd.DataFrame, period_targets: pd.DataFrame):
    """Targets set a priori: monitored KPIs with a target of the period that was set by its first day and not replaced
    before it was over, out of all monitored KPIs.
    """
    kept = set(period_targets.loc[period_targets["a_priori"].astype(bool), "kpi_id"])
    return _census(monitored_kpis, monitored_kpis["kpi_id"].isin(kept))


@kpi(
    unit="percent",
    better="higher",
    family=FAMILY,
    question="Are KPIs looked at continuously?",
    columns={"monitored_kpis": [*ITEM, "cadence_days", "last_refreshed_at", "now"]},
)
def monitoring_cadence(monitored_kpis: pd.DataFrame):
    """Monitoring cadence: monitored KPIs refreshed within their own cadence, out of all monitored KPIs; never
    refreshed, or without a cadence, is not in time.

    age is the median of days since the last refresh. A causal figure every quarter is as regular as sales every day.
    """
    age = (monitored_kpis["now"] - monitored_kpis["last_refreshed_at"]).dt.total_seconds() / 86400
    known = age.dropna()
    median = modelled(float(known.median()) if len(known) else None, n=len(known), unit="days")
    return _census(monitored_kpis, age <= monitored_kpis["cadence_days"], parts={"variant": {"age": median}})


@kpi(
    unit="percent",
    better="higher",
    family=FAMILY,
    question="Does the audited firm watch ROI, and at which rank among its measures?",
    columns={"monitored_kpis": [*ITEM, "used_in_decision", "has_comparator", "cadence_days"]},
)
def roi_monitored(monitored_kpis: pd.DataFrame, *, roi: str = "programme_roi"):
    """ROI monitored as key measure: 1 (100%) when the firm watches the return on its programme, else 0; the KPI that
    counts as return is named by the setting roi.

    used_in_decisions is 1 when it also decides by it; rank is its place among all monitored KPIs, those used in
    decisions first and among these the ones looked at more often, equal ones sharing a place. The grade is that of the
    firm's own figure: C with a comparator, whose kind the inventory does not tell, D without.
    """
    rows = monitored_kpis.assign(
        decides=monitored_kpis["used_in_decision"].fillna(False).astype(bool),
        compared=monitored_kpis["has_comparator"].fillna(False).astype(bool),
        days=monitored_kpis["cadence_days"].astype(float).fillna(float("inf")),
    )
    mine = rows[rows["kpi_id"] == roi].sort_values(["decides", "days"], ascending=[False, True], kind="stable")
    n = len(rows)
    if mine.empty:
        none = modelled(None, n=n, unit="count", status="undefined", reason=reason("no_rows"))
        return _yes(False, n, parts={"variant": {"used_in_decisions": _yes(False, n), "rank": none}})
    decides, days = bool(mine["decides"].iloc[0]), float(mine["days"].iloc[0])
    ahead = (rows["decides"] & (not decides)) | ((rows["decides"] == decides) & (rows["days"] < days))
    rank = modelled(1.0 + float(ahead.sum()), n=n, unit="count")
    grade = "C" if mine["compared"].any() else "D"
    return _yes(True, n, grade=grade, parts={"variant": {"used_in_decisions": _yes(decides, n), "rank": rank}})


@kpi(
    unit="percent",
    better="higher",
    family=FAMILY,
    question="How many monitored measures are tied concretely to the programme, not generic?",
    columns={
        "monitored_kpis": [*ITEM, "firm_kpi_name", "has_programme_segment", "has_comparator", "is_product_linked"]
    },
)
def kpi_specificity_share(monitored_kpis: pd.DataFrame):
    """KPI specificity: monitored KPIs that are split by the programme, compared with a control or an a-priori target,
    and linked to products or behaviour, out of all monitored KPIs; the table names the generic ones and which of these
    they pass.
    """
    tests = ["has_programme_segment", "has_comparator", "is_product_linked"]
    passed = monitored_kpis[tests].fillna(False).astype(bool)
    generic = pd.concat([monitored_kpis[["firm_kpi_name"]], passed], axis=1)[~passed.all(axis=1)]
    return _census(monitored_kpis, passed.all(axis=1), table=generic, table_persons=None)


@kpi(
    unit="percent",
    better="higher",
    family=FAMILY,
    question="Are decisions made with customer knowledge?",
)
def data_driven_decision_share(campaigns_begun, monitored_kpis):
    """Decisions using customer data: campaigns whose addressees were chosen by a rule on customer data, out of the
    campaigns that began in the period; monitored is monitored KPIs used in decisions, out of all monitored KPIs.
    """
    return variants(
        share(campaigns_begun.by_data, where=campaigns_begun.start_at.notnull()),
        monitored=share(monitored_kpis.used_in_decision),
    )


def _yes(answer, n, **more):
    return modelled(float(answer), low=float(answer), high=float(answer), numerator=float(answer), n=n, **more)


def _census(items, met, **more):
    """A share of the whole inventory: exact, whatever its size."""
    n, passed = len(items), int(met.sum())
    facts = {"n": n, "numerator": passed, "denominator": n, **more}
    if n == 0:
        return modelled(None, status="undefined", reason=reason("zero_denominator"), **facts)
    return modelled(passed / n, low=passed / n, high=passed / n, **facts)


DEFINITIONS = (
    monitored_kpis,
    period_targets,
    campaigns_begun,
    a_priori_target_share,
    monitoring_cadence,
    roi_monitored,
    kpi_specificity_share,
    data_driven_decision_share,
)
