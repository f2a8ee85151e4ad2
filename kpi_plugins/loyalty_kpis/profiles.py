"""Profiles: how many buyers are customers, and how much is known of them."""

import ibis
import numpy as np
import pandas as pd

from kpibook import kpi, mean, modelled, share, variants, view
from kpibook.rules import reason
from kpibook.stats.intervals import wilson
from kpibook.stats.reweighting import redrawn
from loyalty_kpis.reach import days_before, inside
from loyalty_kpis.views import in_periods, purchases

BUYERS_AT_LEAST = 100
FIELDS = "age area band interests household history"
YOUNGEST, OLDEST, YEAR = 14, 105, 365
EMPTY = ("", "-", "n/a", "na", "none", "null", "unknown")


@view(key=("transaction_id", "period_id"))
def buyer_receipts(receipts, purchase_days, periods):
    """Buyer receipts: one row per period and purchase with its buyer: an identified person, with the days between the
    last purchase day but one and the period's end; a payment token; or somebody who left neither.
    """
    bought = in_periods(purchases(receipts), periods)
    order = {"group_by": purchase_days.customer_id, "order_by": purchase_days.business_date}
    days = purchase_days.select(
        "business_date",
        person=purchase_days.customer_id,
        next_day=purchase_days.business_date.lead().over(ibis.window(**order)),
        earlier=purchase_days.business_date.lag().over(ibis.window(**order)),
    )
    within = inside(days.business_date, periods.start, periods.end)
    final = (days.next_day >= periods.end) | days.next_day.isnull()
    last = days.join(periods, [within, final]).select(
        "person", window=periods.period_id, second_last_before=periods.end.delta(days.earlier, unit="day")
    )
    known = bought.left_join(last, [bought.customer_id == last.person, bought.period_id == last.window])
    return known.select(
        "period_id",
        "transaction_id",
        "customer_id",
        "second_last_before",
        payment_token=ibis.ifelse(known.customer_id.isnull(), known.payment_token_hash, ibis.null("string")),
    )


@kpi(
    unit="percent",
    better="higher",
    question="How many of those who buy have a relationship with us, not just a receipt?",
    family="customers",
    looks_back="customer_days",
    columns={"buyer_receipts": ["customer_id", "payment_token", "second_last_before"]},
)
def buyers_who_are_customers(buyer_receipts: pd.DataFrame, *, customer_days: int = 730):
    """Buyers who are customers: buyers of the period with at least two purchase days in the customer_days before its
    end, out of all buyers, whose number nobody knows: an interval. At most every anonymous receipt is another buyer
    (payment tokens, where there are any, count once); at least they buy no more often than the identified and are
    other persons.

    The variants are the two ends, at_most_one_receipt and as_often_as_identified (with the bootstrap interval of the
    receipts per identified buyer), and the outer_limit: customers out of identified buyers, as if every anonymous
    receipt were theirs.
    """
    known = buyer_receipts[buyer_receipts["customer_id"].notna()]
    people = known.groupby("customer_id").agg(receipts=("customer_id", "size"), second=("second_last_before", "min"))
    identified, customers = len(people), int((people["second"] <= customer_days).sum())
    strangers = _strangers(buyer_receipts[buyer_receipts["customer_id"].isna()])
    facts = {"n": identified, "persons": identified, "numerator": customers}
    if identified == 0:
        why = reason("zero_denominator")
        return modelled(None, status="undefined", reason=why, **facts)
    each = people["receipts"].to_numpy(dtype=float)
    most = customers / (identified + strangers)
    fewest = customers / (identified + strangers / each.mean())
    enough = identified >= BUYERS_AT_LEAST
    short = (
        {}
        if enough
        else {"status": "low_n", "reason": reason("too_few_customers", n=identified, minimum=BUYERS_AT_LEAST)}
    )
    often = redrawn(
        np.column_stack([each, np.ones(identified)]),
        lambda sums: customers / (identified + strangers * sums[:, 1] / sums[:, 0]),
    )
    low, high = (None, None) if often is None else often
    outer = wilson(customers, identified)
    parts = {
        "at_most_one_receipt": modelled(
            most, low=most, high=most, denominator=identified + strangers, **facts, **short
        ),
        "as_often_as_identified": modelled(
            fewest, low=low, high=high, denominator=identified + strangers / each.mean(), **facts, **short
        ),
        "outer_limit": modelled(
            customers / identified, low=outer.low, high=outer.high, denominator=identified, **facts, **short
        ),
    }
    status = {"status": "bounded"} | short
    return modelled(None, low=most, high=fewest, parts={"variant": parts}, **facts, **status)


def _strangers(rows):
    """Anonymous receipts, those of one payment token counted once."""
    return int(rows["payment_token"].isna().sum()) + rows["payment_token"].nunique()


@kpi(
    unit="percent",
    better="higher",
    question="Do we really know who they are?",
    family="customers",
    looks_back="window_days",
)
def profile_completeness(
    purchase_days, customers, periods, *, window_days: int = 365, fields: str = FIELDS, default_birth_year: int = 1900
):
    """Profile completeness: mean over the active customers of the window_days before the period's end of the part of
    the agreed fields that is filled (age, postal area, socio-economic band, interests, household, 12 months of
    purchase history); without consent to profiling nothing counts as filled.

    An age below 14 or above 105, the default_birth_year and words such as unknown count as empty. The variant complete
    is the share of persons with all fields, with_consent the mean among those who consented. fields names the agreed
    ones.
    """
    recent = inside(purchase_days.business_date, days_before(periods.end, window_days), periods.end)
    active = purchase_days.join(periods, recent).select("period_id", "customer_id", "end").distinct()
    first = purchase_days.group_by("customer_id").agg(first_day=purchase_days.business_date.min())
    names = fields.split()
    wanted = [column for name, column in COLUMNS.items() if name in names]
    known = active.join(first, "customer_id").left_join(
        customers.select("customer_id", "consent_profiling", *wanted), "customer_id"
    )
    agreed = known.consent_profiling.fill_null(False)
    filled = sum((agreed & FILLED[name](known, default_birth_year)).fill_null(False).cast("int64") for name in names)
    rows = known.select("period_id", "customer_id", agreed=agreed, filled=filled / len(names))
    person = rows.customer_id
    return variants(
        mean(rows.filled.sum(), per=person),
        complete=share(rows.filled > 1 - 1e-9, cluster=person),
        with_consent=_among_consenting(rows),
    )


def _among_consenting(rows):
    person = rows.agreed.ifelse(rows.customer_id, ibis.null("string"))
    return mean(rows.filled.sum(), per=person)


def _age(rows, default):
    age = rows.end.year() - rows.birth_year
    return (age >= YOUNGEST) & (age <= OLDEST) & (rows.birth_year != default)


def _text(column):
    return lambda rows, _: rows[column].strip().lower().notin(EMPTY)


COLUMNS = {"age": "birth_year", "area": "postal_area", "band": "socio_economic_band", "interests": "interests"} | {
    "household": "household_id"
}
FILLED = {
    "age": _age,
    "area": _text("postal_area"),
    "band": _text("socio_economic_band"),
    "interests": lambda rows, _: rows.interests.length() > 0,
    "household": _text("household_id"),
    "history": lambda rows, _: rows.first_day <= days_before(rows.end, YEAR),
}

DEFINITIONS = (buyer_receipts, buyers_who_are_customers, profile_completeness)
