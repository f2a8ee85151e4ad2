"""The card receipt beside the average receipt of everybody."""

from kpibook import kpi, ratio
from loyalty_kpis.views import purchases


@kpi(
    unit="index",
    better="neutral",
    family="sales",
    question="How far is the card receipt above the overall average?",
)
def avg_receipt_index_total(receipts):
    """Card receipt index on total: average receipt with card per average receipt of all purchases, times 100.

    It tends to 100 as the card's share of purchases tends to 100 %: read it only beside identified_sales_share.
    The interval knows that the card receipts are part of the total.
    """
    bought = purchases(receipts)
    card, person = bought.member_id.notnull(), bought.customer_id
    of_card = ratio(bought.net_amount.sum(where=card), bought.count(where=card), cluster=person)
    of_all = ratio(bought.net_amount.sum(), bought.count(), cluster=person)
    return of_card / of_all * 100


DEFINITIONS = (avg_receipt_index_total,)
