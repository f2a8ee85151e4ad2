"""How far a window reaches, and whether the data reach as far."""

from datetime import timedelta

import ibis

#: A shop may be closed on the first days of its data.
CLOSED_DAYS = 7


def inside(day, start, end):
    """Whether ``day`` lies in [start, end)."""
    return (day >= start) & (day < end)


def seen_until(periods):
    """The period's end, or the day after the last day of the data if that comes first."""
    return ibis.least(periods.end, periods.data_end)


def days_before(day, days):
    """``days`` days before ``day``."""
    return day - ibis.interval(days=days)


def reaching_back(periods, **days):
    """Each period's id, start and end, and by name the date so many ``days`` before its end."""
    back = {name: days_before(periods.end, number).cast("timestamp").date() for name, number in days.items()}
    return periods.select("period_id", "start", "end", "data_start", **back)


def covered(periods, first_day):
    """Whether the data begin by ``first_day``."""
    return periods.data_start <= first_day + ibis.interval(days=CLOSED_DAYS)


def baseline(periods, first_day):
    """period_id of the window at which cut points are frozen: the comparison period, else the current one.

    The comparison period serves only if the data reach back to its ``first_day``.
    """
    totals = periods.mutate(first_day=first_day).filter(lambda t: t.segment_by == "total")
    ranked = totals.mutate(
        rank=lambda t: ibis.cases(
            ((t.period == "previous") & covered(t, t.first_day), 0), (t.period == "current", 1), else_=2
        )
    )
    best = ranked.agg(best=ranked["rank"].min())
    return ranked.join(best, ranked["rank"] == best.best).select("period_id")


def a_year(window, _settings):
    """First day needed: 365 days before the period's end."""
    return window.end - timedelta(days=365)


def two_years(window, _settings):
    """First day needed: the last 365 days, and the 365 before them."""
    return window.end - timedelta(days=730)


def window_a_year_earlier(window, settings):
    """First day needed to compare the last ``window_days`` with those that ended 365 days earlier."""
    return window.end - timedelta(days=365 + settings["window_days"])


def run_in_if_not_over(window, settings):
    """First day needed when the whole period lies within ``run_in_days`` of the data's beginning, else None."""
    run_in = timedelta(days=settings["run_in_days"])
    return window.start - run_in if window.end - run_in <= window.data_start else None


def two_years_if_annual(window, settings):
    """First day needed for the annual basis: two years of 365 days; the period's own start for the other."""
    return window.end - timedelta(days=730) if settings["basis"] == "annual" else None
