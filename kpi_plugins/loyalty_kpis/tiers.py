"""Tiers: which status members hold, and whether they move up or down."""

import ibis
import numpy as np
import pandas as pd

from kpibook import because, kpi, modelled, rules, view
from kpibook.stats.intervals import wilson
from kpibook.stats.multinomial import mean_interval
from loyalty_kpis.reach import seen_until

YEAR = ibis.interval(months=12)
#: Fewer members in a row of the matrix are shown as low_n.
ROW_MINIMUM = 50
LOST = "lost"
MOVES = {"up": 1, "stay": 0, "down": -1, LOST: 0}
COLUMNS = ["rank_before", "tier_before", "rank_now", "tier_now", "since", "in_grace"]
NOBODY = because("No member held a tier a year before the end of the period.")


@view(key=("customer_id", "period_id"), describes="customer_id")
def customer_tier(tier_history, memberships, periods):
    """Customer tier: the highest tier each person held when the period began, for breakdowns."""
    members = memberships.select("member_id", "customer_id")
    held = _held(tier_history, periods, periods.start).join(members, "member_id")
    best = held.group_by("period_id", "customer_id").agg(rank=held["rank"].max())
    return best.join(_names(tier_history), "rank").select("period_id", "customer_id", tier="name")


@view(key=("period_id", "tier"))
def held_tiers(customer_tier):
    """Held tiers: the tiers that somebody held when the period began."""
    return customer_tier.select("period_id", "tier").distinct()


@view(key=("member_id", "period_id"))
def tier_moves(tier_history, periods):
    """Tier moves: one row per member who held a tier a year before the end of the period (or of the data): that tier,
    the one held at the end, null if none, and since when. Where spells overlap, as in a grace period, the highest
    counts.
    """
    until = seen_until(periods)
    before = _held(tier_history, periods, until - YEAR)
    now = _held(tier_history, periods, until).select(
        "period_id", "member_id", rank_now="rank", since="since", overlaps_now="overlaps"
    )
    then = before.select("period_id", "member_id", "overlaps", rank_before="rank")
    found = then.left_join(now, ["period_id", "member_id"])
    names = _names(tier_history)
    old = names.select(rank_before="rank", tier_before="name")
    new = names.select(rank_now="rank", tier_now="name")
    named = found.left_join(old, "rank_before").left_join(new, "rank_now")
    grace = named.overlaps | named.overlaps_now.fill_null(False)
    return named.select("period_id", "member_id", *COLUMNS[:-1], in_grace=grace)


@kpi(
    unit="percent",
    better="higher",
    family="programme",
    question="Do members move up or down the tiers?",
    columns={"tier_moves": ["member_id", *COLUMNS]},
    table_units={"share": "percent", "low": "percent", "high": "percent"},
)
def tier_migration(tier_moves: pd.DataFrame):
    """Tier migration: members who stand in a higher tier at the period's end than a year before it, minus those in a
    lower one, out of all who held a tier then.

    A year holds each yearly requalification once. up, down, stay and lost (without a tier at the end) add up to one;
    the table is the matrix of tiers. on_reset_day is the part of the moves that took effect on the commonest day,
    in_grace the members with two spells at once, of which the higher counts. What the rules do is seen against the
    comparison period: these figures are gross, not net of chance.
    """
    n = len(tier_moves)
    if n == 0:
        return modelled(None, status="undefined", reason=NOBODY)
    move = _moves(tier_moves)
    counts = {name: int((move == name).sum()) for name in MOVES}
    facts = {"n": n, "denominator": n, "persons": n, **_judged(n)}
    low, high = mean_interval(list(counts.values()), list(MOVES.values()))
    parts = {name: _share(counts[name], n) for name in MOVES}
    moved = tier_moves[move.isin(["up", "down"])]
    commonest = moved["since"].value_counts()
    parts["on_reset_day"] = _share(int(commonest.max()) if len(moved) else 0, len(moved))
    parts["in_grace"] = _share(int(tier_moves["in_grace"].sum()), n)
    net = counts["up"] - counts["down"]
    beside = {"table": _matrix(tier_moves), "table_persons": "members", "parts": {"variant": parts}}
    return modelled(net / n, low=low, high=high, numerator=net, **beside, **facts)


def _held(tier_history, periods, instant):
    """By period and member, the highest tier held just before midnight of the day before ``instant``."""
    midnight = instant.cast("timestamp(6)")
    second = ibis.interval(seconds=1)
    valid = (tier_history.valid_from < midnight) & (
        tier_history.valid_to.isnull() | (tier_history.valid_to >= midnight - second)
    )
    spells = tier_history.join(periods, valid)
    held = spells.group_by("period_id", "member_id").agg(
        rank=spells.tier_rank.max(), since=spells.valid_from.max(), spells=spells.count()
    )
    return held.select("period_id", "member_id", "rank", since=held.since.date(), overlaps=held.spells > 1)


def _names(tier_history):
    return tier_history.group_by(rank=tier_history.tier_rank).agg(name=tier_history.tier_id.min())


def _moves(rows):
    """up, stay, down or lost for each row."""
    before, now = rows["rank_before"].astype(float), rows["rank_now"].astype(float)
    named = np.select([now.isna(), now > before, now < before], [LOST, "up", "down"], "stay")
    return pd.Series(named, index=rows.index)


def _judged(n):
    if n < ROW_MINIMUM:
        return {"status": "low_n", "reason": rules.reason("too_few_persons", n=n, minimum=ROW_MINIMUM)}
    return {"status": "ok", "reason": ""}


def _share(part, whole):
    """A part of the members, with its Wilson interval."""
    if whole == 0:
        return modelled(None, status="undefined", reason=rules.reason("zero_denominator"))
    interval = wilson(part, whole)
    ends = {"low": interval.low, "high": interval.high}
    return modelled(part / whole, n=whole, numerator=part, denominator=whole, persons=whole, **ends, **_judged(whole))


def _matrix(rows):
    """Members by tier before and tier now, with their share of the row."""
    now = rows["tier_now"].where(rows["rank_now"].notna(), LOST)
    cells = rows.assign(now=now, order=rows["rank_now"].astype(float).fillna(0.0))
    keys = ["rank_before", "tier_before", "order", "now"]
    found = cells.groupby(keys, dropna=False).size().rename("members").reset_index()
    of = found.groupby(["rank_before"])["members"].transform("sum")
    ends = [wilson(part, whole) for part, whole in zip(found["members"], of, strict=True)]
    return pd.DataFrame(
        {
            "tier_before": found["tier_before"],
            "tier_now": found["now"],
            "members": found["members"],
            "of": of,
            "share": found["members"] / of,
            "low": [interval.low for interval in ends],
            "high": [interval.high for interval in ends],
            "status": ["ok" if whole >= ROW_MINIMUM else "low_n" for whole in of],
        }
    )


DEFINITIONS = (customer_tier, held_tiers, tier_moves, tier_migration)
