"""Qualified purchases: lines that tell enough to decide on, and lines of the kind that is wanted."""

from kpibook import kpi, ratio, share, variants


@kpi(
    unit="percent",
    better="higher",
    family="sales",
    question="How many purchase lines are rich enough to drive decisions, and how many are the purchases we want?",
)
def qualified_purchase_rate(purchase_lines):
    """Qualified purchase rate: purchase lines with customer, product and category, cost, channel and time all known,
    out of all purchase lines of completed orders, staff and tests included.

    business also asks that the line was kept (something left after the returns of 30 days; the last 30 days of
    the data are provisional), neither staff nor test, sold above its cost of goods, and eligible for points. by_value
    weighs by net sales. The failing_ variants are the lines that miss one rule, whatever else they miss.
    """
    lines = purchase_lines
    person, net = lines.buyer, lines.net_amount
    data = lines.has_customer & lines.has_category & lines.has_cost & lines.has_channel & lines.has_time
    business = data & lines.is_kept & lines.is_regular & lines.has_margin & lines.is_eligible

    def lines_where(condition):
        return share(condition, cluster=person)

    return variants(
        lines_where(data),
        by_value=ratio(net.sum(where=data), net.sum(), cluster=person),
        business=lines_where(business),
        business_by_value=ratio(net.sum(where=business), net.sum(), cluster=person),
        failing_customer=lines_where(~lines.has_customer),
        failing_category=lines_where(~lines.has_category),
        failing_cost=lines_where(~lines.has_cost),
        failing_channel=lines_where(~lines.has_channel),
        failing_time=lines_where(~lines.has_time),
        failing_kept=lines_where(~lines.is_kept),
        failing_regular=lines_where(~lines.is_regular),
        failing_margin=lines_where(~lines.has_margin),
        failing_eligible=lines_where(~lines.is_eligible),
    )


DEFINITIONS = (qualified_purchase_rate,)
