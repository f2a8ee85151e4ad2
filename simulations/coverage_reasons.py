"""Why intervals that are not about the drawing of customers, or do not reach 93 to 97 %, are what they are."""

from __future__ import annotations

ALL = "*"
CHANGE = ", change"

#: {(kpi, reading): why}: intervals about something else than who happens to be a customer, or wide on purpose.
#: ALL stands for every reading of a KPI; a reading's change is the reading with CHANGE.
BY_DESIGN = {
    ("total_programme_cost", ALL): "All members are counted; the interval is that of the points yet to be redeemed.",
    ("programme_cost_per_active_member", ALL): "Only the cost's estimate varies, not who is a member.",
    ("points_liability", ALL): (
        "The points open are counted, as in a balance sheet; the interval is that of the part of them yet to be"
        " redeemed, not of which members there are."
    ),
    ("employee_satisfaction", ALL): "For a finite staff of whom most answered, not for ever new staff.",
    ("employee_turnover", ALL): "Staff are the same in every sample.",
    ("channel_consistency", ""): "For ever new channels (Q-profile); the channels are the same in every sample.",
    ("interpurchase_time", ""): "A median in whole days between order statistics: it seldom moves.",
}

#: The same for intervals that are too narrow or too wide for the drawing of customers, as far as it is known why.
REASONS = {
    ("buyers_who_are_customers", "as_often_as_identified"): (
        "How many buyers hide behind anonymous receipts is told by how many payment cards differ, and a sample with"
        " replacement sees fewer of these than there are: a fault of the sampling, biased by several times the width."
        " The interval is that of the receipts per identified buyer only."
    ),
    ("k_factor", "invitations_per_customer"): (
        "A friend counts once, for the first of several invitations; the samples draw the referrers of one friend"
        " apart, so that more invitations are first ones: a fault of the sampling."
    ),
    ("customer_base_growth", "same_identification"): (
        "Anonymous purchases are counted by day, and whole days are taken to vary; in the samples each receipt is drawn"
        " for itself. Too wide."
    ),
    ("break_even_uplift", ""): (
        "The cost is taken as given; discounts and points rise with the members' margin, so that their ratio"
        " varies less. Too wide."
    ),
    ("usage_class_share", ALL): "The cut points, frozen at the comparison period, are taken as known. Too narrow.",
    ("suggestion_acceptance_rate", "not_shown"): (
        "Whom a product was not shown to is taken as known; the rate is that of few purchases by them. Too narrow."
    ),
}


def by_design(kpi: str, reading: str, change: bool) -> bool:
    """Whether the interval is about something else than the drawing of customers, or wide on purpose."""
    return _found(BY_DESIGN, kpi, reading, change) != ""


def why(kpi: str, reading: str, change: bool) -> str:
    """The reason, as far as it is known; else empty."""
    return _found(BY_DESIGN, kpi, reading, change) or _found(REASONS, kpi, reading, change)


def _found(known: dict[tuple[str, str], str], kpi: str, reading: str, change: bool) -> str:
    keys = [(kpi, reading + CHANGE if change else reading), *([(kpi, reading)] if change else []), (kpi, ALL)]
    return next((known[key] for key in keys if key in known), "")
