"""Before and during a campaign: what those targeted and all others spent, as agencies like to compare them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import ibis
import pandas as pd

from kpibook import view
from kpibook.stats.intervals import student

if TYPE_CHECKING:
    import ibis.expr.types as ir

WEEK = 7.0
#: What the view says of a campaign, beside its day and its discounts.
FIGURES = (
    "targeted", "others", "contrast_days", "before_targeted", "before_others", "during_targeted", "during_others",
    "difference", "standard_error", "degrees_of_freedom", "sales_difference",
)  # fmt: skip


@view(key="campaign_id", date="business_date")
def campaign_contrasts(
    campaigns,
    campaign_targets,
    receipts,
    periods,
    *,
    before_days: int = 0,
    compared_with: Literal["not_targeted", "never_targeted", "no_overlap"] = "not_targeted",
    placebo: bool = False,
):
    """Campaign contrasts: one row per campaign with the net sales per person and week of those targeted and of all
    other identified persons, before its start and in the response window, and the difference of the two changes.

    Who ever bought or was assigned to a campaign counts, with 0 if need be. Nobody drew these groups: they differ
    because the ones were chosen, and the difference is no effect. Before is before_days long, or as long as the
    window when 0; campaigns that the data do not cover from there to the window's end are left out. Others are all
    who were not targeted by this campaign, by none at all (never_targeted), or by none that ran at the same time
    (no_overlap). With placebo everything happens before the campaign, in two spans of the length of before: what
    differs there differs without it.
    """
    spans = _spans(campaigns, periods, before_days, placebo)
    targets = campaign_targets.filter(campaign_targets.arm == "treatment")
    treated = targets.select("campaign_id", "customer_id").distinct()
    roles = _roles(treated, campaigns, spans, compared_with)
    known = receipts.filter(receipts.customer_id.notnull())
    buyers, assigned = (t.select(customer_id=t.customer_id.cast("string")) for t in (known, campaign_targets))
    everybody = buyers.union(assigned).distinct()
    sums = _sums(known, spans, roles)
    counts = roles.group_by(_campaign=roles.campaign_id).agg(
        targeted=roles.count(where=roles.role == "targeted"), left_out=roles.count(where=roles.role == "left_out")
    )
    rows = spans.left_join(counts, spans.campaign_id == counts._campaign).left_join(
        sums, spans.campaign_id == sums._summed
    )
    sized = rows.cross_join(everybody.agg(persons=everybody.count())).mutate(
        targeted=lambda t: t.targeted.fill_null(0),
        others=lambda t: t.persons - t.targeted.fill_null(0) - t.left_out.fill_null(0),
    )
    return _contrast(sized)


def _spans(campaigns, periods, before_days, placebo):
    """Campaigns covered by the data: ``first`` day before, ``turn`` between before and during, ``until``."""
    seen = periods.agg(data_start=periods.data_start.min(), data_end=periods.data_end.max())
    lasts = campaigns.response_window_days
    before = ibis.literal(before_days, "int64") if before_days > 0 else lasts
    dated = campaigns.select("campaign_id", start=campaigns.start_at.date(), lasts=lasts, before=before)
    begins = dated.start - dated.before.as_interval("D") if placebo else dated.start
    during = dated.before if placebo else dated.lasts
    placed = dated.mutate(turn=begins, during=during).mutate(
        first=lambda t: t.turn - t.before.as_interval("D"), until=lambda t: t.turn + t.during.as_interval("D")
    )
    covered = placed.cross_join(seen).filter(lambda t: (t.first >= t.data_start) & (t.until <= t.data_end))
    return covered.select("campaign_id", "start", "lasts", "before", "during", "first", "turn", "until")


def _roles(treated, campaigns, spans, compared_with):
    """By campaign and person: ``targeted``, or ``left_out`` of the others because another campaign reached them."""
    own = treated.semi_join(spans, "campaign_id").mutate(role=ibis.literal("targeted"))
    if compared_with == "not_targeted":
        return own
    if compared_with == "never_targeted":
        pairs = treated.select("customer_id").distinct().cross_join(spans.select("campaign_id"))
    else:
        runs = campaigns.select(
            other=campaigns.campaign_id,
            other_first=campaigns.start_at.date(),
            other_until=campaigns.start_at.date() + campaigns.response_window_days.as_interval("D"),
        )
        reached = treated.join(runs, treated.campaign_id == runs.other).select(
            "customer_id", "other_first", "other_until"
        )
        same_time = [reached.other_first < spans.until, reached.other_until > spans.first]
        pairs = reached.join(spans, same_time).select("customer_id", "campaign_id").distinct()
    left_out = pairs.select("campaign_id", "customer_id").anti_join(own, ["campaign_id", "customer_id"])
    return own.union(left_out.mutate(role=ibis.literal("left_out")))


def _sums(known, spans, roles):
    """By campaign the sums of who bought anything; those of persons who did not are 0."""
    bought = known.select(
        "customer_id",
        "business_date",
        amount=known.net_amount.cast("float64"),
        given=(known.loyalty_discount + known.personal_discount).cast("float64"),
    )
    near = spans.join(bought, [bought.business_date >= spans.first, bought.business_date < spans.until])
    within = near.business_date >= near.turn
    persons = near.group_by("campaign_id", "customer_id", "before", "during").agg(
        early=near.amount.sum(where=~within).fill_null(0.0),
        late=near.amount.sum(where=within).fill_null(0.0),
        given=near.given.sum(where=within).fill_null(0.0),
    )
    weekly = persons.mutate(early=persons.early / persons.before * WEEK, late=persons.late / persons.during * WEEK)
    ruled = weekly.left_join(roles, ["campaign_id", "customer_id"]).mutate(
        role=lambda t: t.role.fill_null("other"), change=lambda t: t.late - t.early
    )
    sides = {"targeted": ruled.role == "targeted", "others": ruled.role == "other"}
    values = {"early": ruled.early, "late": ruled.late, "change": ruled.change, "square": ruled.change**2}
    made = {f"{n}_{s}": v.sum(where=rows).fill_null(0.0) for n, v in values.items() for s, rows in sides.items()}
    return ruled.group_by(_summed=ruled.campaign_id).agg(
        **made, contrast_discounts=ruled.given.sum(where=sides["targeted"]).fill_null(0.0)
    )


def _contrast(rows: ir.Table) -> ir.Table:
    """Welch's comparison of the two groups' changes from their sums."""
    parts, size = {}, {}
    for side in ("targeted", "others"):
        n = rows[side].cast("float64").nullif(0.0)
        total, square = rows[f"change_{side}"].fill_null(0.0), rows[f"square_{side}"].fill_null(0.0)
        size[side], parts[side] = n, (square - total * total / n) / (n - 1).nullif(0.0) / n
    one, other = parts["targeted"], parts["others"]
    freedom = (one + other) ** 2 / (one**2 / (size["targeted"] - 1) + other**2 / (size["others"] - 1)).nullif(0.0)

    def mean(name, side):
        return rows[f"{name}_{side}"].fill_null(0.0) / size[side]

    difference = mean("change", "targeted") - mean("change", "others")
    return rows.select(
        "campaign_id", "targeted", "others", business_date=rows.start, contrast_days=rows.during,
        before_targeted=mean("early", "targeted"), before_others=mean("early", "others"),
        during_targeted=mean("late", "targeted"), during_others=mean("late", "others"),
        difference=difference,
        standard_error=(one + other).sqrt(),
        degrees_of_freedom=freedom,
        sales_difference=difference * rows.targeted * rows.during / WEEK,
        contrast_discounts=rows.contrast_discounts.fill_null(0.0),
    )  # fmt: skip


def contrasts(cases: pd.DataFrame) -> pd.DataFrame | None:
    """One row per campaign of ``cases`` with its contrast, t intervals and sales per discount; None without any."""
    columns = ["campaign_id", *FIGURES, "contrast_discounts"]
    known = cases[columns].drop_duplicates("campaign_id").dropna(subset=["difference"]).sort_values("campaign_id")
    if known.empty:
        return None
    rows = known.rename(
        columns={"campaign_id": "campaign", "contrast_days": "days", "contrast_discounts": "discounts"}
    ).reset_index(drop=True)
    ends = [_ends(*row) for row in rows[["difference", "standard_error", "degrees_of_freedom"]].to_numpy(float)]
    low, high = zip(*ends, strict=True)
    kept, paid = rows["sales_difference"], rows["discounts"].where(rows["discounts"] > 0)
    return rows.assign(difference_low=low, difference_high=high, sales_per_discount=(kept - paid) / paid)


def _ends(value: float, error: float, freedom: float) -> tuple[float | None, float | None]:
    if not (error > 0 and freedom > 0):
        return None, None
    low, high = student(value, error, freedom)
    return low, high


DEFINITIONS = (campaign_contrasts,)
