"""What the programme cost, every euro once.

Discounts come from the receipts, rewards and points from one side only, everything else from the cost ledger,
spread evenly over the days of each row.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import ibis

from kpibook import view
from loyalty_kpis.points_value import spans
from loyalty_kpis.views import kept, netted_lines

if TYPE_CHECKING:
    import ibis.expr.types as ir

DISCOUNTS = ("loyalty_discount", "personal_discount")
BENEFITS = (*DISCOUNTS, "supplier_funding")
POINTS = ("reward", "points_liability_change")
CELL = ["period_id", "lag", "component"]


@view(key="business_date", date="business_date")
def benefit_days(transactions, order_lines):
    """Benefit days: member and personal discounts and what suppliers refund of them, by day of purchase, returns netted
    into the original purchase.
    """
    given = order_lines.filter((order_lines.loyalty_discount != 0) | (order_lines.personal_discount != 0))
    lines = netted_lines(transactions, given, *BENEFITS)
    days = lines.join(kept(transactions).select("transaction_id", "business_date"), "transaction_id")
    return days.group_by("business_date").agg(**{name: days[name].sum() for name in BENEFITS})


@view(key=("period_id", "component"))
def programme_cost(
    benefit_days,
    redemptions,
    expected_points_cost,
    programme_costs,
    periods,
    *,
    points: Literal["movements", "books"] = "movements",
    capex_life_months: int = 0,
):
    """Programme cost: what each component cost in a period, and in the same days a year earlier; its components add up.

    Components are the cost types of the cost ledger; supplier_funding is negative. With ``points`` movements, reward
    is what the rewards taken cost, and points_liability_change the expected cost of open points at the end less that
    at the start, both at what is known today of how points are redeemed (``estimated``); the ledger's rows of these
    two types are then left out. With books they come from the ledger, and no points are needed. Ledger rows marked
    is_in_transactions are left out, and so are discount rows of a period whose receipts carry discounts of that type.
    Rows of launch_capex count over their own days, or over ``capex_life_months`` from their start; with 0 they are left
    out of a ledger that has rows of technology_amortisation: these are the same euro.
    """
    found = spans(periods)
    discounts = _discounts(benefit_days, found)
    booked = _booked(programme_costs, found, capex_life_months)
    other = booked.anti_join(discounts.filter(discounts.amount != 0), CELL)
    rows = discounts.union(other.filter(~other.component.isin(POINTS) if points == "movements" else other.amount != 0))
    if points == "movements":
        rows = rows.union(_rewards(redemptions, found)).union(_liability(expected_points_cost, found))
    cells = rows.group_by("period_id", "component").agg(
        amount=rows.amount.sum(where=rows.lag == 0).fill_null(0),
        amount_year_before=rows.amount.sum(where=rows.lag == 1).fill_null(0),
    )
    return cells.mutate(estimated=(cells.component == "points_liability_change") & ibis.literal(points == "movements"))


@view(key=("period_id", "component"))
def booked_cost(programme_costs, periods):
    """Booked cost: the cost ledger by type, each row spread over its days: all of it, and what is marked as already
    deducted in the receipts; ``first`` and ``last`` day that the ledger's rows of the period reach, how many ``rows``
    these are and how many the same days a year earlier have.
    """
    found = _spread(programme_costs, spans(periods), 0)
    own, cell = found.lag == 0, found.group_by("period_id", component="cost_type")
    return cell.agg(
        booked=found.part.sum(where=own).fill_null(0),
        in_receipts=found.part.sum(where=own & found.is_in_transactions).fill_null(0),
        first=found.since.min(where=own),
        last=found.until.max(where=own),
        start=found.start.max(where=own),
        end=found.end.max(where=own),
        rows=found.count(where=own),
        rows_year_before=found.count(where=~own),
    )


@view(key="period_id")
def company_periods(company_financials, periods):
    """Company totals by period, each row spread over its days; ``covered`` is how many of the period's ``days`` they
    tell of, each row counted.
    """
    own = spans(periods).filter(lambda t: t.lag == 0)
    rows = _shares(company_financials, company_financials.period_end, own)
    return rows.group_by("period_id", days=rows.end.delta(rows.start, unit="day")).agg(
        net_revenue=(rows.net_revenue.cast("float64") * rows.share).sum(),
        advertising_spend=(rows.advertising_spend.cast("float64") * rows.share).sum(),
        covered=rows.until.delta(rows.since, unit="day").sum(),
    )


@view(key="first_day")
def company_history(company_financials):
    """Company history: the company's totals as they were given, whatever the period."""
    rows = company_financials
    return rows.select(
        "net_revenue",
        "advertising_spend",
        first_day=rows.period_start.cast("date"),
        last_day=rows.period_end.cast("date"),
    )


@view(key="period_id")
def active_member_months(receipts, memberships, periods):
    """Active member months: members who showed their card at a purchase, summed over the calendar months of a whole
    period of ``months``.
    """
    whole = spans(periods.filter(periods.segment_by == "total")).filter(lambda t: t.lag == 0)
    bought = receipts.filter(receipts.is_purchase & receipts.member_id.notnull())
    known = bought.join(memberships.select("member_id", "enrolled_at"), "member_id")
    own = known.filter(known.enrolled_at.date() <= known.business_date)
    seen = own.join(whole, (own.business_date >= whole.start) & (own.business_date < whole.end))
    month = seen.business_date.strftime("%Y-%m")
    persons = seen.select("period_id", "start", "end", "member_id", month=month).distinct()
    return persons.group_by("period_id", months=_months(persons)).agg(
        member_months=persons.count(), members=persons.member_id.nunique()
    )


@view(key="period_id")
def year_comparisons(periods):
    """Year comparisons: the current period as a whole, and whether it is compared with the same days a year earlier."""
    whole = periods.filter(periods.segment_by == "total").select("period_id", "period", "start", "end")
    before = whole.filter(whole.period == "previous").select(earlier_start="start", earlier_end="end")
    now = whole.filter(whole.period == "current")
    year = ibis.interval(months=12)
    then = now.mutate(earlier_start=(now.start - year).cast("date"), earlier_end=(now.end - year).cast("date"))
    return then.semi_join(before, ["earlier_start", "earlier_end"]).select("period_id", with_year_before=True)


def _discounts(days: ir.Table, found: ir.Table) -> ir.Table:
    inside = found.join(days, (days.business_date >= found.start) & (days.business_date < found.end))
    sums = inside.group_by("period_id", "lag").agg(**{name: inside[name].sum().cast("float64") for name in BENEFITS})
    parts = [_part(sums, name, -sums[name] if name == "supplier_funding" else sums[name]) for name in BENEFITS]
    return ibis.union(*parts)


def _rewards(redemptions: ir.Table, found: ir.Table) -> ir.Table:
    taken = redemptions.group_by(day=redemptions.ts.date()).agg(cost=redemptions.cost.sum())
    inside = found.join(taken, (taken.day >= found.start) & (taken.day < found.end))
    sums = inside.group_by("period_id", "lag").agg(cost=inside.cost.sum().cast("float64"))
    return _part(sums, "reward", sums.cost)


def _liability(expected: ir.Table, found: ir.Table) -> ir.Table:
    first, last = expected.select(start="day", opened="expected"), expected.select(end="day", closed="expected")
    both = found.left_join(first, "start").left_join(last, "end")
    change = both.closed.fill_null(0.0) - both.opened.fill_null(0.0)
    return _part(both, "points_liability_change", change)


def _booked(costs: ir.Table, found: ir.Table, life: int) -> ir.Table:
    rows = _spread(costs.filter(~costs.is_in_transactions.fill_null(False)), found, life)
    if life == 0:
        amortised = costs.agg(amortised=costs.count(where=costs.cost_type == "technology_amortisation"))
        known = rows.cross_join(amortised)
        rows = known.filter((known.cost_type != "launch_capex") | (known.amortised == 0))
    return rows.group_by("period_id", "lag", component="cost_type").agg(amount=rows.part.sum())


def _spread(costs: ir.Table, found: ir.Table, life: int) -> ir.Table:
    """Ledger rows by span, with the ``part`` of the amount that falls on its days."""
    last = costs.period_end
    if life > 0:
        written_off = (costs.period_start + ibis.interval(months=life) - ibis.interval(days=1)).cast("date")
        last = (costs.cost_type == "launch_capex").ifelse(written_off, last)
    rows = _shares(costs, last, found)
    return rows.mutate(part=rows.amount.cast("float64") * rows.share)


def _shares(rows: ir.Table, last: ir.Value, found: ir.Table) -> ir.Table:
    """Rows that have a first and a last day, by span: the ``share`` of their days that falls on the days from ``since``
    up to, not with, ``until``. A row without a last day, or one that ends before it begins, is of one day.
    """
    end = ibis.greatest(last.coalesce(rows.period_start), rows.period_start) + ibis.interval(days=1)
    dated = rows.mutate(over=end.cast("date"))
    met = dated.join(found, (dated.period_start < found.end) & (dated.over > found.start))
    cut = met.mutate(since=ibis.greatest(met.period_start, met.start), until=ibis.least(met.over, met.end))
    days = cut.until.delta(cut.since, unit="day")
    return cut.mutate(share=days / cut.over.delta(cut.period_start, unit="day"))


def _months(rows: ir.Table) -> ir.Value:
    """Calendar months from start to end: whole where the period is of whole months."""
    first, last = ((day.year() * 12 + day.month() + (day.day() - 1) / 31) for day in (rows.start, rows.end))
    return last - first


def _part(sums: ir.Table, component: str, amount: ir.Value) -> ir.Table:
    return sums.select("period_id", "lag", component=ibis.literal(component), amount=amount.cast("float64"))


DEFINITIONS = (
    benefit_days,
    programme_cost,
    booked_cost,
    company_periods,
    company_history,
    active_member_months,
    year_comparisons,
)
