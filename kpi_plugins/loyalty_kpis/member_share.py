"""Why the members' share of sales moved: because members buy more, or because buyers were given a card."""

import ibis
import numpy as np
import pandas as pd

from kpibook import because, kpi, modelled, rules, view
from kpibook.stats.cluster_bootstrap import percentiles, poisson_totals
from loyalty_kpis.reach import CLOSED_DAYS, inside

#: Components of the change, in the order in which they are read.
KINDS = ("relabelled", "like_for_like", "new_to_brand", "lost", "rest")
SUMS = ["card_before", "card_now", "other_before", "other_now"]
SQUARES = ["squares_before", "squares_now"]
UNCERTAIN = because(
    "Between the members known to have bought before they enrolled and these plus all who may have done so anonymously."
)


@view(key=("person", "period_id"))
def share_moves(receipts, memberships, periods):
    """Share moves: net sales with and without card in the current and the comparison period, one row a person.

    A person is known by customer, card, or a payment token that only one known person uses; whoever stays
    unknown is one row together, with the sums of the squared receipts. ``kind`` says why the person's sales with
    card moved.
    """
    spans = _spans(periods)
    known = _with_persons(receipts, memberships)
    dated = known.cross_join(spans).filter(lambda t: t.business_date < t.now_end)
    before = inside(dated.business_date, dated.before_start, dated.before_end).fill_null(False)
    now = inside(dated.business_date, dated.now_start, dated.now_end)
    card, net = dated.member_id.notnull(), dated.net_amount
    anonymous = dated.person.isnull()
    persons = dated.group_by("person", *spans.columns).agg(
        card_before=net.sum(where=before & card).fill_null(0),
        card_now=net.sum(where=now & card).fill_null(0),
        other_before=net.sum(where=before & ~card).fill_null(0),
        other_now=net.sum(where=now & ~card).fill_null(0),
        squares_before=(net * net).sum(where=before & anonymous).fill_null(0),
        squares_now=(net * net).sum(where=now & anonymous).fill_null(0),
        seen=dated.count(where=before | now),
        purchases=dated.count(where=dated.is_purchase),
        purchases_now=dated.count(where=dated.is_purchase & now),
        first_day=dated.business_date.min(where=dated.is_purchase),
        first_card=dated.business_date.min(where=card),
    )
    enrolled = memberships.group_by("customer_id").agg(enrolled_on=memberships.enrolled_at.min().date())
    dates = persons.left_join(enrolled, persons.person == enrolled.customer_id)
    joined = dates.enrolled_on.coalesce(dates.first_card)
    kind = ibis.cases(
        (joined.isnull() | (joined >= dates.now_end), "rest"),
        (dates.purchases_now == 0, "lost"),
        (joined < dates.before_start, "like_for_like"),
        (dates.first_day < joined, "relabelled"),
        else_="new_to_brand",
    )
    rows = dates.mutate(kind=kind).filter(lambda t: (t.seen > 0) | t.person.isnull())
    totals = periods.filter(periods.segment_by == "total").select("period_id", side="period")
    return rows.cross_join(totals).select(
        "period_id", "side", "person", "kind", *SUMS, *SQUARES, "purchases", "before_start", "data_start"
    )


@kpi(
    unit="percent",
    better="neutral",
    family="sales",
    by_columns=False,
    question="Did the share rise because members buy more or because buyers were given a card?",
    columns={
        "share_moves": [
            "side", "person", "kind", *SUMS, *SQUARES, "purchases", "before_start", "data_start",
        ]
    },
    table_units={
        "contribution": "pp", "card_before": "money", "card_now": "money", "other_before": "money",
        "other_now": "money",
    },
)  # fmt: skip
def member_revenue_share_change(share_moves: pd.DataFrame):
    """Change in member revenue share: share of net sales with a card in the period minus that in the comparison period,
    in percentage points; the variants are its five parts, and add up to it.

    like_for_like are persons enrolled before the comparison period: only their part is behaviour. relabelled enrolled
    later and had bought before, known by name or payment token; new_to_brand enrolled later and had not; lost are
    members without a purchase in the period (their part is what the share lost with them); rest is everybody else. A
    person's part counts all their sales, with card and without: [(1 - S) x change with card - S x change without] /
    sales now, S being the share before. Where there are anonymous purchases, some of new_to_brand may have bought
    before: both are then given as intervals. Intervals by bootstrap of persons. Purchases before the data began are
    unknown.
    """
    first = share_moves.iloc[0]
    refused = _refused(first)
    if refused:
        return modelled(None, status=refused[0], reason=refused[1])
    rows = share_moves.fillna(dict.fromkeys((*SUMS, *SQUARES), 0.0))
    totals = np.array([[rows.loc[rows["kind"] == kind, name].sum() for name in SUMS] for kind in KINDS])
    point = _parts(totals[None])[0]
    if np.isnan(point).any():
        return modelled(None, status="undefined", reason=rules.reason("zero_denominator"))
    named = rows[rows["person"].notna()]
    draws = _parts(_drawn(rows))
    with_card = min(int((named[name] != 0).sum()) for name in ("card_before", "card_now"))
    status, why = rules.ratio_rule(with_card)
    facts = {"n": with_card, "persons": len(named), "status": status, "reason": why, "unit": "pp"}
    low, high = percentiles(draws.sum(axis=1))
    found = {
        kind: modelled(float(point[i]), low=ends[0], high=ends[1], **facts)
        for i, kind in enumerate(KINDS)
        for ends in [percentiles(draws[:, i])]
    }
    maybe = _possibly_relabelled(rows, totals)
    if maybe > 0 and status == "ok":
        found |= _bounded(point, draws, maybe, {**facts, "status": "bounded", "reason": UNCERTAIN})
    table = pd.DataFrame({"component": KINDS, "contribution": point}).assign(
        persons=[int((named["kind"] == kind).sum()) for kind in KINDS],
        **{name: totals[:, i] for i, name in enumerate(SUMS)},
    )
    beside = {"table": table, "table_persons": "persons"}
    return modelled(float(point.sum()), low=low, high=high, parts={"variant": found}, **beside, **facts)


def _spans(periods):
    """One row: the current period and the one it is compared with (null when there is none)."""
    totals = periods.filter(periods.segment_by == "total")
    now, before = totals.period == "current", totals.period == "previous"
    return totals.agg(
        now_start=totals.start.max(where=now),
        now_end=totals.end.max(where=now),
        before_start=totals.start.max(where=before),
        before_end=totals.end.max(where=before),
        data_start=totals.data_start.max(),
    )


def _with_persons(receipts, memberships):
    """Receipts with the ``person``: the customer, the card's owner, or the only known user of the payment token."""
    owners = memberships.select(_card=memberships.member_id, _owner=memberships.customer_id)
    carded = receipts.left_join(owners, receipts.member_id == owners._card)
    named = carded.select(
        "business_date",
        "member_id",
        "net_amount",
        "is_purchase",
        "payment_token_hash",
        named=carded.customer_id.coalesce(carded._owner, carded.member_id),
    )
    users = named.filter(named.named.notnull() & named.payment_token_hash.notnull())
    users = users.group_by(_token=users.payment_token_hash).agg(_first=users.named.min(), _last=users.named.max())
    single = users.filter(users._first == users._last)
    linked = named.left_join(single, named.payment_token_hash == single._token)
    return linked.select(
        "business_date", "member_id", "net_amount", "is_purchase", person=linked.named.coalesce(linked._first)
    )


def _refused(row):
    """Status and reason when there is nothing to compare, else None."""
    if row["side"] != "current":
        return "undefined", rules.reason("compares_itself")
    if pd.isna(row["before_start"]):
        return "missing_data", rules.reason("no_comparison")
    needed, first = (pd.Timestamp(row[name]) for name in ("before_start", "data_start"))
    if (first - needed).days > CLOSED_DAYS:
        return "missing_data", rules.reason("history_not_covered", needed=str(needed.date()), first=str(first.date()))
    return None


def _parts(totals):
    """Contributions (draws, kinds) of totals (draws, kinds, sums); not a number where a period has no sales."""
    card_before, card_now, other_before, other_now = (totals[:, :, i] for i in range(4))
    sales_before = (card_before + other_before).sum(axis=1, keepdims=True)
    sales_now = (card_now + other_now).sum(axis=1, keepdims=True)
    sales_before[sales_before <= 0] = np.nan
    sales_now[sales_now <= 0] = np.nan
    share = card_before.sum(axis=1, keepdims=True) / sales_before
    return ((1 - share) * (card_now - card_before) - share * (other_now - other_before)) / sales_now


def _drawn(rows):
    """Bootstrapped totals (draws, kinds, sums); the many unknown receipts vary as a sum of their own."""
    named = rows[rows["person"].notna()]
    unknown = rows.loc[rows["person"].isna(), [*SUMS, *SQUARES]].sum()
    groups = [named.loc[named["kind"] == kind, SUMS].to_numpy(dtype=np.float64) for kind in KINDS]
    noise = np.sqrt([0.0, 0.0, *unknown[SQUARES]])
    return poisson_totals(groups, fixed=(len(KINDS) - 1, unknown[SUMS].to_numpy(dtype=np.float64), noise))


def _possibly_relabelled(rows, totals):
    """The part of new_to_brand who may have bought anonymously before: as many persons as there were such purchases."""
    anonymous = int(rows.loc[rows["person"].isna(), "purchases"].sum())
    new = rows.loc[rows["kind"] == "new_to_brand", SUMS].to_numpy(dtype=np.float64)
    before, now = totals[:, [0, 2]].sum(), totals[:, [1, 3]].sum()
    share = totals[:, 0].sum() / before
    own = ((1 - share) * (new[:, 1] - new[:, 0]) - share * (new[:, 3] - new[:, 2])) / now
    return float(np.sort(own)[::-1][:anonymous].clip(0).sum())


def _bounded(point, draws, maybe, facts):
    """relabelled and new_to_brand as intervals, their middles adding up as before."""
    relabelled, new = KINDS.index("relabelled"), KINDS.index("new_to_brand")
    low, high = percentiles(draws[:, relabelled])[0], percentiles(draws[:, relabelled] + maybe)[1]
    low_new, high_new = percentiles(draws[:, new] - maybe)[0], percentiles(draws[:, new])[1]
    return {
        "relabelled": modelled(float(point[relabelled] + maybe / 2), low=low, high=high, **facts),
        "new_to_brand": modelled(float(point[new] - maybe / 2), low=low_new, high=high_new, **facts),
    }


DEFINITIONS = (share_moves, member_revenue_share_change)
