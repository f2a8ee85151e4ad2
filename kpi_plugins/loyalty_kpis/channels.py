"""Channels: what is sold directly, and what through marketplaces."""

import ibis

from kpibook import kpi, ratio, variants
from loyalty_kpis.views import in_periods, purchases

MARKETPLACE = "marketplace"


@kpi(
    unit="percent",
    better="higher",
    family="sales",
    question="Do customers buy from us directly or through marketplaces?",
    breakdowns=["identification"],
)
def own_channel_share(sold_lines, receipts, periods):
    """Own-channel sales share: net sales outside marketplaces, out of all net sales whose channel is known.

    shifted is the part of the own-channel sales to persons whose last purchase before the period was made on a
    marketplace: moved from one channel to the other, not won. Earlier purchases count as far as the data reach back.
    """
    own, person = sold_lines.channel != MARKETPLACE, sold_lines.buyer
    moved = _direct_sales(receipts, periods)
    return variants(
        ratio(
            sold_lines.net_amount.sum(where=own),
            sold_lines.net_amount.sum(where=sold_lines.channel.notnull()),
            cluster=person,
        ),
        shifted=ratio(
            moved.net_amount.sum(where=moved.came_from == MARKETPLACE),
            moved.net_amount.sum(),
            cluster=moved.customer_id,
        ),
    )


def _direct_sales(receipts, periods):
    """Own-channel receipts of whole periods, with the channel of the person's last purchase before the period."""
    totals = periods.filter(periods.segment_by == "total")
    known = purchases(receipts).filter(lambda t: t.customer_id.notnull() & t.channel.notnull())
    headers = known.select("transaction_id", "customer_id", "business_date", "ts", "channel")
    earlier = headers.join(totals.select("period_id", "start"), headers.business_date < totals.start)
    latest = ibis.window(
        group_by=[earlier.period_id, earlier.customer_id],
        order_by=[earlier.business_date.desc(), earlier.ts.desc(), earlier.transaction_id.desc()],
    )
    ranked = earlier.mutate(_place=ibis.row_number().over(latest))
    last = ranked.filter(ranked._place == 0).select("period_id", "customer_id", came_from=ranked.channel)
    direct = in_periods(receipts.filter(receipts.channel != MARKETPLACE), totals)
    direct = direct.select("period_id", "transaction_id", "customer_id", "net_amount")
    return direct.left_join(last, ["period_id", "customer_id"]).select(
        "period_id", "transaction_id", "customer_id", "net_amount", "came_from"
    )


DEFINITIONS = (own_channel_share,)
