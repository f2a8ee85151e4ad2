"""Shared steps of the satisfaction KPIs: answers after a contact, prices of a product in several channels."""

import ibis

from kpibook import view
from loyalty_kpis.views import kept


@view(date="answered_on")
def effort_answers(survey_answers, tickets):
    """Effort answers: one row per answer to the effort question, and how many days after its contact it came.

    ``days_after`` counts from the ticket's resolution, or from its creation while it is open; null without a ticket,
    below 0 before the ticket was created.
    """
    efforts = survey_answers.filter(survey_answers.question_code == "CES")
    contacts = tickets.select(
        _ticket=tickets.ticket_id, _created=tickets.created_at, _ended=tickets.resolved_at.coalesce(tickets.created_at)
    )
    found = efforts.left_join(contacts, efforts.ticket_id == contacts._ticket)
    since_created = found.ts.delta(found._created, unit="second") / 86_400
    since_ended = found.ts.delta(found._ended, unit="second") / 86_400
    waiting = (since_created >= 0) & (since_ended < 0)
    days = ibis.cases((waiting, ibis.literal(0.0)), (since_created < 0, since_created), else_=since_ended)
    return found.select(*efforts.columns, days_after=days.cast("float64"))


@view(key="business_date", date="business_date")
def channel_price_days(transactions, order_lines, *, tolerance: float = 0.01):
    """Channel price days: per day, the products sold in at least two channels, and those with mismatching prices.

    The price is the shelf value per unit of a channel's sales of that product and day; it mismatches when the dearest
    channel asks more than tolerance above the cheapest.
    """
    sold = order_lines.filter((order_lines.quantity > 0) & (order_lines.gross_amount > 0))
    headers = kept(transactions).select("transaction_id", "business_date", "channel")
    lines = sold.select("transaction_id", "product_id", "quantity", "gross_amount").join(headers, "transaction_id")
    known = lines.filter(lines.channel.notnull())
    prices = known.group_by("business_date", "product_id", "channel").agg(
        price=known.gross_amount.sum().cast("float64") / known.quantity.sum().cast("float64")
    )
    products = prices.group_by("business_date", "product_id").agg(
        channels=prices.count(), lowest=prices.price.min(), highest=prices.price.max()
    )
    several = products.filter(products.channels > 1)
    return several.group_by("business_date").agg(
        product_days=several.count(), mismatched=several.count(where=several.highest > several.lowest * (1 + tolerance))
    )


DEFINITIONS = (effort_answers, channel_price_days)
