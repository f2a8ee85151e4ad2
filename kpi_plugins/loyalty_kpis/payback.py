"""Payback: how long the programme takes to repay what its launch cost."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from kpibook import because, kpi, modelled, view
from kpibook.stats.enrolment_effects import POST, TIMES
from kpibook.stats.risk_sets import NEVER
from loyalty_kpis import enrolment_effect as effect
from loyalty_kpis.costs_views import DISCOUNTS
from loyalty_kpis.customer_months import month_number
from loyalty_kpis.enrolment_effect import STUDY

DRAWS = 1_000
SEED = 20_170_701
NOT_YET = "Not repaid within the {months} months since the launch."
BEFORE_DATA = because("The launch lies before the data: what the programme earned since then is not known.")
PERCENTILES = because("The interval goes from P10 to P90 of the months that sampling error allows.")
NO_LAUNCH = because("The cost ledger has no launch cost: there is nothing to repay.")


@view()
def ledger_rows(programme_costs):
    """Ledger rows: the cost ledger in months, without what the receipts already deduct and without discounts."""
    own = programme_costs.filter(~programme_costs.is_in_transactions.fill_null(False))
    return own.filter(~own.cost_type.isin(DISCOUNTS)).select(
        "cost_type",
        first_month=month_number(own.period_start),
        last_month=month_number(own.period_end.coalesce(own.period_start)),
        amount=own.amount.cast("float64"),
    )


@view()
def membership_months(enrolled_persons):
    """Membership months: months of enrolment and of leaving, and how many persons have them."""
    return enrolled_persons.group_by("enrolled", "closed").agg(persons=enrolled_persons.count())


@kpi(
    unit="months",
    better="lower",
    family="return",
    question="After how many months has the programme repaid its launch cost?",
    columns={
        "enrolment_history": [*STUDY, "first_seen", "margin"],
        "history_benefits": ["person", "month", "benefits"],
        "enrolment_members": ["identified"],
        "ledger_rows": ["cost_type", "first_month", "last_month", "amount"],
        "membership_months": ["enrolled", "closed", "persons"],
    },
)
def payback_period(
    enrolment_history: pd.DataFrame,
    history_benefits: pd.DataFrame,
    enrolment_members: pd.DataFrame,
    ledger_rows: pd.DataFrame,
    membership_months: pd.DataFrame,
    *,
    yearly_rate: float = 0.08,
):
    """Payback period: first month after the launch in which incremental contribution margin less running cost, added up
    since then and discounted at yearly_rate, has repaid the launch cost.

    The launch is the month of the first launch cost, or of the first enrolment if that is earlier.
    Members, margin and their own discounts are those of the incremental contribution margin since the launch; launch
    cost and all other costs are shared out by member-months. From the launch to the period's end: what is not repaid
    by then is no number of months. risk_set is the estimate without bounds. The interval is P10 to P90 over the
    margin's sampling error; never is the share of draws that do not repay. At grade C only the bounds' months are
    given.
    """
    capex = ledger_rows[ledger_rows["cost_type"] == "launch_capex"]
    if capex.empty:
        return modelled(None, status="undefined", reason=NO_LAUNCH)
    own = effect.study(enrolment_history)
    if own is None:
        return effect.not_identified()
    launch = int(min(capex["first_month"].min(), membership_months["enrolled"].min())) - own.origin
    if launch < int(enrolment_history["first_seen"].iloc[0]) - own.origin:
        return modelled(None, status="not_identified", reason=BEFORE_DATA, grade="D")
    end = own.counted[1]
    since = replace(own, counted=(launch + 1, end))
    found = effect.judged(since, enrolment_history["margin"], enrolment_members, calendar=True)
    if found.grade == "D":
        return effect.not_identified()
    flow = _Flow(since, found.study, history_benefits, ledger_rows, membership_months, launch)
    factors = (1 + yearly_rate) ** (-np.arange(1, end - launch) / 12)
    month = _repaid(flow.net(), flow.launch_cost, factors)
    draws = _draws(flow, found.study, launch, end)
    months = [_repaid(row, flow.launch_cost, factors) for row in draws]
    never = sum(m is None for m in months) / len(months)
    low, high = _quantiles(months)
    facts = {"n": found.study.treated, "persons": found.study.treated, "grade": found.grade}
    last = end - launch - 1
    parts = {"variant": {"never": modelled(never, unit="percent", **facts), "risk_set": _month(month, last, facts)}}
    parts["variant"] = {name: effect.enough(found, figure) for name, figure in parts["variant"].items()}
    for name, bound in (("lowest_bound", found.bounds.low), ("highest_bound", found.bounds.high)):
        shift = (bound - found.study.total) / found.study.person_months * flow.member_months
        at_bound = _month(_repaid(flow.net() + shift, flow.launch_cost, factors), last, facts)
        parts["variant"][name] = effect.enough(found, at_bound)
    if found.grade == "C":
        ends = [parts["variant"][name].value for name in ("highest_bound", "lowest_bound")]
        facts |= {"low": ends[0], "high": ends[1], "parts": parts}
        return effect.enough(found, modelled(None, status="bounded", reason=effect.why(found), **facts))
    return _month(month, last, facts, low=low, high=high, reason=PERCENTILES, parts=parts)


class _Flow:
    """Margin and cost of the identified members by month after the launch."""

    def __init__(self, study, found, benefits, ledger, memberships, launch) -> None:
        end = study.counted[1]
        self.margin, self.member_months, self.discounts = (np.zeros(end) for _ in range(3))
        table = study.other(benefits, "benefits")
        after = TIMES[POST]
        for row, (event, members) in enumerate(zip(found.events, found.members, strict=True)):
            months = event + after
            inside = (months >= launch + 1) & (months < end)
            self.margin[months[inside]] += found.sums[row][POST][inside]
            self.member_months[months[inside]] += found.months[row][POST][inside]
            self.discounts[months[inside]] += table[np.ix_(members, months[inside])].sum(axis=0)
        calendar = study.origin + np.arange(end)
        share = self.member_months.sum() / max(1.0, _memberships(memberships, calendar)[launch + 1 :].sum())
        running = ledger[ledger["cost_type"] != "launch_capex"]
        self.cost = min(1.0, share) * _spread(running, calendar)
        whole = float(ledger.loc[ledger["cost_type"] == "launch_capex", "amount"].sum())
        self.launch_cost = min(1.0, share) * (whole + float(_spread(running, calendar)[launch]))
        rest = slice(launch + 1, end)
        self.margin, self.member_months = self.margin[rest], self.member_months[rest]
        self.cost, self.discounts = self.cost[rest], self.discounts[rest]

    def net(self) -> np.ndarray:
        return self.margin - self.cost - self.discounts


def _memberships(rows: pd.DataFrame, calendar: np.ndarray) -> np.ndarray:
    """Member-months after the month of enrolment, by month."""
    enrolled, closed = (rows[name].to_numpy()[:, None] for name in ("enrolled", "closed"))
    running = (enrolled < calendar) & (np.minimum(closed, NEVER) >= calendar)
    return rows["persons"].to_numpy() @ running


def _spread(rows: pd.DataFrame, calendar: np.ndarray) -> np.ndarray:
    """Amounts by month, each row evenly over its months."""
    first, last = (rows[name].to_numpy()[:, None] for name in ("first_month", "last_month"))
    last = np.maximum(first, last)
    inside = (calendar >= first) & (calendar <= last)
    return (rows["amount"].to_numpy()[:, None] / (last - first + 1) * inside).sum(axis=0)


def _repaid(net: np.ndarray, launch_cost: float, factors: np.ndarray) -> int | None:
    """First month (from 1) by which the discounted sum has reached the launch cost."""
    reached = np.flatnonzero(np.cumsum(net * factors) >= launch_cost)
    return int(reached[0]) + 1 if len(reached) else None


def _draws(flow: _Flow, found, launch: int, end: int) -> np.ndarray:
    """Paths of the net flow with the margin's sampling error, persons varying as a whole."""
    influence = found.by_month[:, launch + 1 : end]
    values, vectors = np.linalg.eigh(influence.T @ influence)
    root = vectors * np.sqrt(np.maximum(values, 0.0))
    luck = np.random.default_rng(SEED).standard_normal((DRAWS, root.shape[1]))
    return flow.net() + luck @ root.T


def _quantiles(months: list[int | None]) -> tuple[float | None, float | None]:
    """P10 and P90; None where that many draws never repay."""
    known = np.array([np.inf if m is None else m for m in months])
    ends = [float(np.sort(known)[int(q * (len(known) - 1))]) for q in (0.1, 0.9)]
    low, high = (end if np.isfinite(end) else None for end in ends)
    return low, high


def _month(month: int | None, months: int, facts: dict, **more):
    if month is None:
        return modelled(None, **{**facts, **more, "status": "undefined", "reason": because(NOT_YET, months=months)})
    return modelled(float(month), **facts, **more)


DEFINITIONS = (ledger_rows, membership_months, payback_period)
