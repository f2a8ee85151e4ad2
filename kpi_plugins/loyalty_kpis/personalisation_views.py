"""Shared steps about individual treatment: suggestions and what became of them, offers, discounts by line."""

from __future__ import annotations

import ibis

from kpibook import view
from loyalty_kpis.reach import days_before, inside
from loyalty_kpis.views import lines_of, netted_lines, purchases

PERSON = ["period_id", "customer_id"]
SHOWN = ["customer_id", "product_id"]


@view(key=("customer_id", "product_id", "business_date"), date="business_date")
def product_purchase_days(transactions, order_lines, receipts):
    """Product purchase days: one row per identified person, product and day with units bought and kept."""
    buyers = purchases(receipts).filter(lambda t: t.customer_id.notnull())
    headers = buyers.select("transaction_id", "customer_id", "business_date")
    lines = lines_of(headers.select("transaction_id"), transactions, order_lines, "product_id", "quantity")
    units = lines.group_by("transaction_id", "product_id").agg(units=lines.quantity.sum())
    found = units.filter(units.units > 0).join(headers, "transaction_id")
    return found.select("customer_id", "product_id", "business_date").distinct()


@view(key=("customer_id", "product_id", "business_date"), date="business_date")
def suggestions(funnel_events, periods, product_purchase_days, *, event: str = "suggestion_shown", keep_days: int = 14):
    """Suggestions: products suggested to identified persons, and whether they were bought and kept in ``keep_days``.

    Showings less than keep_days after one another are one suggestion, from the first (``business_date``); it is
    accepted by a purchase from its first day until keep_days after its last.
    """
    seen = funnel_events.filter(
        (funnel_events.event_name == event)
        & funnel_events.customer_id.notnull()
        & funnel_events.product_id.notnull()
        & ~funnel_events.is_bot.fill_null(False)
    )
    days = seen.group_by(*SHOWN, day=seen.ts.date()).agg(
        channel=seen.channel.min(), placement=seen.touchpoint_type.min()
    )
    in_turn = ibis.window(group_by=[days.customer_id, days.product_id], order_by=days.day)
    turns = days.mutate(before=days.day.lag().over(in_turn))
    opens = turns.before.isnull() | (turns.day.delta(turns.before, unit="day") >= keep_days)
    turns = turns.mutate(opens=opens.cast("int64"))
    so_far = ibis.window(
        group_by=[turns.customer_id, turns.product_id], order_by=turns.day, preceding=None, following=0
    )
    spells = turns.mutate(spell=turns.opens.sum().over(so_far))
    shown = spells.group_by(*SHOWN, "spell").agg(
        business_date=spells.day.min(),
        last_on=spells.day.max(),
        channel=spells.channel.min(),
        placement=spells.placement.min(),
    )
    answered = shown.join(product_purchase_days.rename(day="business_date"), SHOWN)
    lag, reach = (
        answered.day.delta(answered.business_date, unit="day"),
        answered.day.delta(answered.last_on, unit="day"),
    )
    accepted = answered.filter((lag >= 0) & (reach < keep_days)).select(*SHOWN, "spell").distinct()
    found = shown.left_join(accepted.mutate(accepted=True), [*SHOWN, "spell"])
    ends = periods.agg(data_end=periods.data_end.max())
    found = found.drop("customer_id_right", "product_id_right", "spell_right").cross_join(ends)
    return found.select(
        *SHOWN,
        "business_date",
        "channel",
        "placement",
        over=found.data_end.delta(found.last_on, unit="day") >= keep_days,
        accepted=found.accepted.fill_null(False),
    )


@view(key=("month", "customer_id"))
def persons_near_suggestions(suggestions, purchase_days):
    """Persons near suggestions: who bought anything in the 365 days before a month with suggestions that are over."""
    over = suggestions.filter(suggestions.over)
    months = over.select(month=over.business_date.truncate("M")).distinct()
    days = purchase_days.select("customer_id", "business_date")
    near = months.join(days, inside(days.business_date, days_before(months.month, 365), months.month))
    return near.select("month", "customer_id").distinct()


@view(key=("product_id", "business_date", "customer_id"), date="business_date")
def purchases_without_suggestion(suggestions, persons_near_suggestions, product_purchase_days, *, keep_days: int = 14):
    """Purchases without suggestion: one row per product and first day of a suggestion whose days are over, and person
    near suggestions who was never shown the product and bought and kept it in the ``keep_days`` from that day.
    """
    over = suggestions.filter(suggestions.over)
    placed = over.select("product_id", "business_date").distinct()
    placed = placed.mutate(month=placed.business_date.truncate("M"))
    bought = placed.join(product_purchase_days.rename(day="business_date"), "product_id")
    lag = bought.day.delta(bought.business_date, unit="day")
    bought = bought.filter((lag >= 0) & (lag < keep_days)).drop("day").distinct()
    bought = bought.semi_join(persons_near_suggestions, ["month", "customer_id"])
    return bought.anti_join(suggestions.select(*SHOWN).distinct(), SHOWN)


@view(date="business_date")
def suggestions_and_others(suggestions, persons_near_suggestions, purchases_without_suggestion, periods):
    """Suggestions and others: suggestions whose days are over, and how many of the persons never shown the product
    bought and kept it in as many days from the same day.

    These others are the persons who bought anything in the 365 days before the month of that day; ``rate`` is
    null when there are none. ``scatter`` is what an other adds to the sum of the rates more or less than the others
    do on average; these rows have a person and a day, and add up to nothing.
    """
    over = suggestions.filter(suggestions.over)
    moments = over.group_by("product_id", "business_date").agg(times=over.count())
    moments = moments.mutate(month=moments.business_date.truncate("M"))
    active, bought = persons_near_suggestions, purchases_without_suggestion
    everybody = active.group_by("month").agg(everybody=active.count())
    shown = suggestions.select(*SHOWN).distinct()
    placed = moments.select("product_id", "business_date", "month")
    seen = placed.join(shown, "product_id").semi_join(active, ["month", "customer_id"])
    seen = seen.group_by("product_id", "business_date").agg(seen=seen.count())
    buyers = bought.group_by("product_id", "business_date").agg(buyers=bought.count())
    keys = ["product_id", "business_date"]
    found = moments.left_join(everybody, "month").drop("month_right")
    found = found.left_join(seen, keys).drop("product_id_right", "business_date_right")
    found = found.left_join(buyers, keys).drop("product_id_right", "business_date_right")
    others = found.everybody.fill_null(0) - found.seen.fill_null(0)
    rates = found.mutate(others=others).mutate(
        rate=lambda t: (t.others > 0).ifelse(t.buyers.fill_null(0) / t.others, None)
    )
    own = over.left_join(rates.select(*keys, "rate"), keys).select(
        "customer_id", "business_date", "rate", accepted=over.accepted.cast("int64"), scatter=ibis.literal(0.0)
    )
    return own.union(_scatter(rates.filter(rates.rate.notnull()), bought, active, periods))


def _scatter(rates, bought, active, periods):
    """What a purchase by an other adds to the sum of the rates, less the same for all who were active that month.

    A month counts in pieces between the days on which periods begin or end, so that each period's rows add up to 0.
    """
    added = bought.join(rates, ["product_id", "business_date"])
    bits = added.select("customer_id", "business_date", scatter=added.times / added.others)
    bounds = periods.select(day=periods.start).union(periods.select(day=periods.end)).distinct()
    reached = rates.left_join(bounds, bounds.day <= rates.business_date)
    pieces = reached.group_by("product_id", "business_date", "month", "everybody").agg(
        bound=reached.day.max(), owed=(reached.times * reached.rate).max()
    )
    pieces = pieces.mutate(piece=ibis.greatest(pieces.month, pieces.bound.fill_null(pieces.month)))
    sums = pieces.group_by("month", "piece").agg(owed=(pieces.owed / pieces.everybody).sum())
    less = active.join(sums, "month")
    bits = bits.union(less.select("customer_id", business_date=less.piece, scatter=-less.owed))
    nothing = {"rate": ibis.null("float64"), "accepted": ibis.null("int64")}
    return bits.mutate(**nothing).select("customer_id", "business_date", "rate", "accepted", "scatter")


@view(key="transaction_id", date="business_date")
def personal_discount_lines(transactions, order_lines, receipts):
    """Lines with a personal discount, by purchase: what was given on them, and their shelf value, net of returns."""
    lines = netted_lines(transactions, order_lines, "personal_discount", "gross_amount")
    given = lines.filter(lines.personal_discount != 0)
    sums = given.group_by("transaction_id").agg(
        personal_discount=given.personal_discount.sum(), gross_amount=given.gross_amount.sum()
    )
    headers = purchases(receipts).select("transaction_id", "customer_id", "business_date", "channel")
    return headers.join(sums, "transaction_id")


@view(key=("customer_id", "period_id"))
def treated_persons(active_persons, delivered_contacts):
    """Active persons, and whether a delivered contact of the 365 days to the period's end was individual."""
    joined = active_persons.join(delivered_contacts, "customer_id")
    near = joined.filter(inside(joined.business_date, days_before(joined.end, 365), joined.end))
    sums = near.group_by(*PERSON).agg(
        by_own_behaviour=near.by_own_behaviour.any(), has_personal_offer=near.has_personal_offer.any()
    )
    found = active_persons.left_join(sums, PERSON).drop("period_id_right", "customer_id_right")
    flags = {name: found[name].fill_null(False) for name in ("by_own_behaviour", "has_personal_offer")}
    return found.select(*PERSON, **flags)


DEFINITIONS = (
    product_purchase_days,
    suggestions,
    persons_near_suggestions,
    purchases_without_suggestion,
    suggestions_and_others,
    personal_discount_lines,
    treated_persons,
)
