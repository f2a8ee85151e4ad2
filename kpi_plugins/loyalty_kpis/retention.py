"""Retention: who comes back, how fast, and who stays away."""

from typing import Literal

import ibis

from kpibook import curve, kpi, matrix, quantile, ratio, share, variants
from loyalty_kpis.customers_views import gap_days, newcomers
from loyalty_kpis.reach import (
    covered,
    days_before,
    inside,
    reaching_back,
    run_in_if_not_over,
    seen_until,
    two_years_if_annual,
)
from loyalty_kpis.views import whole

YEAR = 365


@kpi(
    unit="percent",
    better="higher",
    question="How many customers stay, per unit of time?",
    family="customers",
    looks_back="before",
)
def retention_rate(person_periods):
    """Retention rate per period: persons who bought in the period, out of those who bought in the window of equal
    length just before it.
    """
    return share(person_periods.bought, where=person_periods.bought_before, cluster=person_periods.customer_id)


@kpi(
    unit="percent",
    better="higher",
    question="What share of customers bought again?",
    family="customers",
    looks_back=two_years_if_annual,
)
def repeat_purchase_rate(purchase_days, periods, *, basis: Literal["annual", "period"] = "annual"):
    """Repeat purchase rate: persons who bought in the 365 days before the period's end, out of those who bought in the
    365 days before these (basis annual); or persons with at least two purchase days in the period, out of those with
    at least one.

    The variant by_receipt takes two receipts of the period, be they of one day.
    """
    spans = reaching_back(periods, year=YEAR, two_years=2 * YEAR)
    spans = spans.mutate(first=ibis.least(spans.two_years, spans.start), known=covered(spans, spans.two_years))
    seen = purchase_days.join(spans, inside(purchase_days.business_date, spans.first, spans.end)).mutate(
        recent=lambda t: t.business_date >= t.year,
        earlier=lambda t: inside(t.business_date, t.two_years, t.year),
        within=lambda t: t.business_date >= t.start,
    )
    persons = seen.group_by("period_id", "customer_id").agg(
        recent=seen.count(where=seen.recent),
        earlier=seen.count(where=seen.earlier & seen.known),
        within=seen.count(where=seen.within),
        receipts=seen.receipts.sum(where=seen.within),
    )
    person = persons.customer_id
    annual = share(persons.recent > 0, where=persons.earlier > 0, cluster=person)
    period = share(persons.within >= 2, where=persons.within >= 1, cluster=person)
    by_receipt = share(persons.receipts >= 2, where=persons.within >= 1, cluster=person)
    if basis == "period":
        return variants(period, annual=annual, by_receipt=by_receipt)
    return variants(annual, period=period, by_receipt=by_receipt)


@kpi(
    unit="percent",
    better="higher",
    question="Do newly won customers come back a first time, and how fast?",
    family="customers",
    looks_back=run_in_if_not_over,
)
def second_purchase_rate(first_purchases, periods, *, at_days: int = 90, run_in_days: int = 90):
    """Second-purchase rate: persons who bought again within at_days of their first purchase in the data, out of those
    whose first purchase lies in the period and not within run_in_days of the beginning of the data, cases still open
    at the period's end censored (Kaplan-Meier).

    Whoever buys when the data begin may have been a customer for years: set run_in_days to 0 only where the data
    begin with the customers.
    """
    won = newcomers(first_purchases, periods, run_in_days)
    new = won.join(periods, inside(won.first_day, periods.start, periods.end))
    seen = new.mutate(until=seen_until(new), business_date=new.first_day, next_day=new.second_day)
    rows = seen.select("period_id", "customer_id", duration=gap_days(seen, seen.until), again=_came(seen))
    known = rows.duration, rows.again
    return variants(
        curve(*known, at=at_days, complement=True),
        at_30_days=curve(*known, at=30, complement=True),
        at_180_days=curve(*known, at=180, complement=True),
        median_days=curve(*known).in_unit("days"),
    )


@kpi(unit="days", better="lower", question="How long between purchases, and is it shortening?", family="customers")
def interpurchase_time(purchase_gaps, periods):
    """Inter-purchase time: median days from a purchase day in the period to the person's next one, gaps still open at
    the period's end censored (Kaplan-Meier).

    Reports often take only the gaps that have closed, too short because who stays away longest is not in them: the
    variants closed_median and closed_mean are the median and the mean of these gaps, closed_mean_of_persons the mean
    over persons of each one's mean.
    """
    rows, all_told = _gaps(purchase_gaps, periods), _gaps(purchase_gaps, whole(periods))
    closed = all_told.filter(all_told.again)
    persons = closed.group_by("period_id", "customer_id").agg(gap=closed.duration.mean())
    return variants(
        curve(rows.duration, rows.again, cluster=rows.customer_id),
        closed_median=quantile(closed.duration),
        closed_mean=ratio(closed.duration.sum(), closed.count(), cluster=closed.customer_id),
        closed_mean_of_persons=ratio(persons.gap.sum(), persons.count(), cluster=persons.customer_id),
    )


def _gaps(purchase_gaps, periods):
    """Days to the next purchase day, or to the end of what is seen, of each purchase day in a period."""
    begun = purchase_gaps.join(periods, inside(purchase_gaps.business_date, periods.start, periods.end))
    seen = begun.mutate(until=seen_until(begun))
    return seen.select("period_id", "customer_id", duration=gap_days(seen, seen.until), again=_came(seen))


@kpi(unit="percent", better="higher", question="How do successive intakes hold over time?", family="customers")
def cohort_retention(
    purchase_days, first_purchases, periods, *, at_month: int = 3, run_in_days: int = 90, open_months: bool = False
):
    """Cohort retention curve: persons who bought in month at_month after the month of their first purchase in the data,
    out of all persons of the cohorts for which that month is over; the table has every cohort and complete month,
    without the first purchases within run_in_days of the beginning of the data.

    Set run_in_days to 0 only where the data begin with the customers. With open_months the table also has the month
    that is not over yet, too low as far as days are missing.
    """
    won = newcomers(first_purchases, periods, run_in_days)
    months = purchase_days.join(won, "customer_id").select(
        "customer_id", "acquisition_cohort", age=lambda t: _month(t.business_date) - _month(t.first_day)
    )
    there = months.filter(months.age == at_month).select("customer_id").distinct().mutate(active=True)
    persons = won.left_join(there, "customer_id").mutate(over=lambda t: _month(t.first_day) + at_month)
    judged = persons.join(periods, persons.over < _month(seen_until(periods)))
    rows = judged.select("period_id", "customer_id", active=judged.active.fill_null(False))
    cells = _cohort_cells(months.distinct(), won, periods, open_months)
    return matrix(
        cells.acquisition_cohort,
        cells.age,
        headline=share(rows.active, cluster=rows.customer_id),
        cell=ratio(cells.active.sum(), cells.persons.sum(), cluster=cells.acquisition_cohort),
    )


@kpi(unit="percent", better="lower", question="How many customers are we losing?", family="customers")
def churn_rate(
    purchase_gaps,
    first_purchases,
    customer_usage,
    silence_limits,
    periods,
    *,
    churn_days: int = 0,
    inactive_days: int = 0,
):
    """Churn (defection) rate: persons silent for longer than churn_days after their last purchase, out of persons who
    bought in the part of the period that lies at least churn_days before the end of the data.

    With churn_days 0 the silence is that of the person's usage class, see silence_limits; a class without a limit is
    not judged. With inactive_days above 0 there are two simpler readings, which take who bought lately for kept and
    cannot see who comes back later: inactive is persons without a purchase in the last inactive_days of the period, out
    of all who bought in it; inactive_eligible out of those whose first purchase in the data is older than that.
    """
    bought = purchase_gaps.join(periods, inside(purchase_gaps.business_date, periods.start, periods.end))
    keys = ["period_id", "customer_id"]
    simple = _inactive(bought, first_purchases, inactive_days) if inactive_days > 0 else {}
    if churn_days > 0:
        limited = bought.select(*keys, "business_date", "next_day", "data_end", limit_days=ibis.literal(churn_days))
        rows = _silence(limited, keys)
        return variants(share(rows.silent, where=rows.judged, cluster=rows.customer_id), **simple)
    classed = bought.left_join(customer_usage, keys).mutate(usage_class=lambda t: t.usage_class.fill_null("low"))
    limited = classed.left_join(silence_limits, "usage_class").select(
        *keys, "usage_class", "business_date", "next_day", "data_end", "limit_days"
    )
    rows = _silence(limited, [*keys, "usage_class", "limit_days"])
    by_class = matrix(
        rows.usage_class,
        rows.limit_days,
        headline=share(rows.silent, where=rows.judged, cluster=rows.customer_id),
        cell=ratio(
            rows.count(where=rows.silent & rows.judged), rows.count(where=rows.judged), cluster=rows.customer_id
        ),
    )
    return variants(by_class, **simple)


def _came(rows):
    return (rows.next_day < rows.until).fill_null(False)


def _month(day):
    return day.year() * 12 + day.month()


def _month_after(until, open_months):
    """The month after the last that is complete, or has begun, before the day ``until``."""
    return _month(days_before(until, 1)) + 1 if open_months else _month(until)


def _cohort_cells(months, won, periods, open_months):
    """One row per period, cohort and complete (or also open) month: persons of the cohort, and how many bought."""
    sizes = won.group_by("acquisition_cohort").agg(persons=won.count(), born=_month(won.first_day).max())
    spans = periods.mutate(after=_month_after(seen_until(periods), open_months))
    framed = sizes.join(spans, sizes.born < spans.after)
    grid = framed.mutate(age=ibis.range(0, framed.after - framed.born).unnest()).select(
        "period_id", "acquisition_cohort", "persons", "age"
    )
    found = months.group_by("acquisition_cohort", "age").agg(active=months.count())
    return grid.left_join(found, ["acquisition_cohort", "age"]).select(
        "period_id", "acquisition_cohort", "age", "persons", active=lambda t: t.active.fill_null(0)
    )


def _inactive(bought, first_purchases, inactive_days):
    """Shares of the persons of a period whose last purchase in it lies ``inactive_days`` or more before its end."""
    seen = bought.mutate(until=seen_until(bought))
    last = seen.group_by("period_id", "customer_id", "until").agg(last_day=seen.business_date.max())
    persons = last.join(first_purchases, "customer_id")
    border = days_before(persons.until, inactive_days)  # the last day counts 0
    rows = persons.mutate(silent=persons.last_day < border, eligible=persons.first_day < border)
    person = rows.customer_id
    return {
        "inactive": share(rows.silent, cluster=person),
        "inactive_eligible": share(rows.silent, where=rows.eligible, cluster=person),
    }


def _silence(bought, keys):
    """By ``keys``: whether the person could be judged, and stayed away after the last purchase that could be."""
    can_be = bought.business_date < bought.data_end - bought.limit_days.as_interval("D")
    seen = bought.mutate(can_be=can_be.fill_null(False))
    last = seen.group_by(keys).agg(
        last_day=seen.business_date.max(where=seen.can_be),
        next_day=seen.next_day.max(where=seen.can_be),
        **({} if "limit_days" in keys else {"limit_days": seen.limit_days.max()}),
    )
    later = (last.next_day > last.last_day) & (last.next_day.delta(last.last_day, unit="day") <= last.limit_days)
    return last.mutate(judged=last.last_day.notnull(), silent=~later.fill_null(False))


DEFINITIONS = (
    retention_rate,
    repeat_purchase_rate,
    second_purchase_rate,
    interpurchase_time,
    cohort_retention,
    churn_rate,
)
