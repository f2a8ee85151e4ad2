"""The sixteen KPIs as an author writes them."""

import ibis

from kpibook import hookimpl, kpi, matrix, ratio, share, total, view

LAPSED = 90


@view(key="transaction_id", date="business_date")
def orders(transactions, order_lines):
    """Orders: one row an order, with amount and cost."""
    sums = order_lines.group_by("transaction_id").agg(
        amount=order_lines.net_amount.sum().cast("float64"), cost=order_lines.cogs.sum().cast("float64")
    )
    return transactions.select("transaction_id", "customer_id", "business_date", "channel").join(sums, "transaction_id")


@view(key=("period_id", "customer_id"))
def persons(orders, periods):
    """Persons: one row for everybody who bought in a period or a month of it."""
    windows = periods.select("period_id", "segment_by", "end", first="start")
    known = orders.filter(orders.customer_id.notnull())
    seen = known.join(windows, (known.business_date >= windows.first) & (known.business_date < windows.end))
    return seen.group_by("period_id", "segment_by", "end", "customer_id").agg(
        orders=seen.count(), amount=seen.amount.sum().round(2), last=seen.business_date.max()
    )


@view(key=("period_id", "customer_id"))
def ranked(persons):
    """Ranked persons of the whole periods: class by spend, and fifths by recency, frequency and spend."""
    whole = persons.filter(persons.segment_by == "total")
    spend = ibis.window(group_by="period_id", order_by=[ibis.desc("amount"), "customer_id"])
    place = whole.mutate(
        place=ibis.row_number().over(spend) + 1,
        of=whole.count().over(ibis.window(group_by="period_id")),
        r=ibis.ntile(5).over(ibis.window(group_by="period_id", order_by=["last", "customer_id"])) + 1,
        f=ibis.ntile(5).over(ibis.window(group_by="period_id", order_by=["orders", "customer_id"])) + 1,
        m=ibis.ntile(5).over(ibis.window(group_by="period_id", order_by=["amount", "customer_id"])) + 1,
    )
    level = ibis.cases((place.place * 5 <= place.of, "heavy"), (place.place * 2 <= place.of, "medium"), else_="low")
    return place.select("period_id", "customer_id", "r", "f", "m", level=level)


@view(key="customer_id", date="first_day")
def first_orders(orders):
    """First orders: one row for everybody, with day and channel of the first order."""
    known = orders.filter(orders.customer_id.notnull())
    return known.group_by("customer_id").agg(
        first_day=known.business_date.min(), channel=known.channel.argmin(known.transaction_id.cast("int64"))
    )


@view(key=("customer_id", "month"), date="month")
def active_months(orders):
    """Active months: one row for everybody and month with an order, and the next such month."""
    known = orders.filter(orders.customer_id.notnull())
    months = known.select("customer_id", month=known.business_date.truncate("M")).distinct()
    following = months.month.lead().over(ibis.window(group_by="customer_id", order_by="month"))
    return months.mutate(following=following)


def _known(orders):
    return orders.customer_id.notnull()


@kpi(unit="money", better="higher")
def revenue(orders):
    """Revenue: sum of amounts."""
    return total(orders.amount.sum(), cluster=orders.customer_id)


@kpi(unit="count", better="higher")
def orders_placed(orders):
    """Orders: number of orders."""
    return total(orders.count(), cluster=orders.customer_id)


@kpi(unit="persons", better="higher")
def active(orders):
    """Active customers: persons with an order."""
    return total(orders.customer_id.nunique(), cluster=orders.customer_id)


def _receipt(orders, rows):
    return ratio(orders.amount.sum(where=rows), orders.count(where=rows), cluster=orders.customer_id)


@kpi(unit="money", better="higher")
def receipt_members(orders):
    """Receipt of the known: amount per order."""
    return _receipt(orders, _known(orders))


@kpi(unit="money", better="higher")
def receipt_others(orders):
    """Receipt of the others: amount per order."""
    return _receipt(orders, ~_known(orders))


@kpi(unit="money", better="neutral")
def receipt_gap(orders):
    """Receipt gap: that of the known minus that of the others."""
    return _receipt(orders, _known(orders)) - _receipt(orders, ~_known(orders))


@kpi(unit="percent", better="higher")
def known_share(orders):
    """Share of the known: their amount out of all."""
    return ratio(orders.amount.sum(where=_known(orders)), orders.amount.sum(), cluster=orders.customer_id)


def _margin(orders, rows):
    cost = ratio(orders.cost.sum(where=rows), orders.amount.sum(where=rows), cluster=orders.customer_id)
    return cost * -1.0 + 1.0


@kpi(unit="percent", better="higher")
def margin_members(orders):
    """Margin of the known: amount minus cost, out of amount."""
    return _margin(orders, _known(orders))


@kpi(unit="percent", better="higher")
def margin_others(orders):
    """Margin of the others: amount minus cost, out of amount."""
    return _margin(orders, ~_known(orders))


@kpi(unit="count", better="higher")
def frequency(orders):
    """Frequency: orders of the known per person."""
    return ratio(orders.count(where=_known(orders)), orders.customer_id.nunique(), cluster=orders.customer_id)


@kpi(unit="percent", better="higher")
def repeat_rate(persons):
    """Repeat rate: persons with two orders or more out of all."""
    return share(persons.orders >= 2, cluster=persons.customer_id)


@kpi(unit="persons", better="higher")
def first_buyers(first_orders):
    """First buyers: persons whose first order it was."""
    return total(first_orders.count(), cluster=first_orders.customer_id)


@kpi(unit="persons", better="higher")
def retained(active_months):
    """Retained: persons of a month who came in the next one."""
    stayed = active_months.following == active_months.month + ibis.interval(months=1)
    return total(active_months.count(where=stayed), cluster=active_months.customer_id)


@kpi(unit="persons", better="lower")
def lapsed(persons):
    """Lapsed: persons of the period whose last order is more than 90 days before its end."""
    gone = persons.end.delta(persons.last, unit="day") > LAPSED
    return total(persons.count(where=gone), cluster=persons.customer_id)


@kpi(unit="percent", better="neutral")
def heavy_share(ranked):
    """Classes: persons by class of spend, heavy ones out of all."""
    heavy = share(ranked.level == "heavy", cluster=ranked.customer_id)
    return matrix(ibis.literal("all"), ranked.level, headline=heavy)


@kpi(unit="percent", better="higher")
def rfm(ranked):
    """RFM: persons by fifths of recency, frequency and spend, the best in all three out of all."""
    best = share((ranked.r == 5) & (ranked.f == 5) & (ranked.m == 5), cluster=ranked.customer_id)
    row = ranked.r.cast("string").concat(ranked.f.cast("string"))
    return matrix(row, ranked.m.cast("string"), headline=best)


@hookimpl
def kpibook_definitions():
    views = [orders, persons, ranked, first_orders, active_months]
    known = [receipt_members, receipt_others, receipt_gap, known_share, margin_members, margin_others]
    return [*views, revenue, orders_placed, active, *known, frequency, repeat_rate, first_buyers, retained, lapsed,
            heavy_share, rfm]  # fmt: skip
