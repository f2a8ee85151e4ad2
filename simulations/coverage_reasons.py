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
    ("servqual_dimension_gap", ""): "The lowest of five dimensions: an interval of 99 % each, so that all five hold.",
    ("personalised_treatment_rate", ""): (
        "Campaigns reach each person in turn, so that the contacts of one person vary less than those of as many"
        " persons; an effective number above the number of contacts is not credited (rule P, after NCHS)."
    ),
    ("interpurchase_time", ""): "A median in whole days between order statistics: it seldom moves.",
}

#: The same for intervals that are too narrow or too wide for the drawing of customers, as far as it is known why.
REASONS = {
    ("buyers_who_are_customers", "as_often_as_identified"): (
        "How many buyers hide behind anonymous receipts is told by how many payment cards differ, and a sample with"
        " replacement sees fewer of these than there are: a fault of the sampling, biased by several times the width."
        " The interval is that of the receipts per identified buyer only."
    ),
    ("avg_receipt", "median"): (
        "The 60 samples happen to lie far apart: the mean receipt of them spreads by 1.00, that of 400 others by 0.81,"
        " where its interval held in 95.2 % and that of the trimmed mean in 95.5 %."
    ),
    ("avg_receipt_card", CHANGE): (
        "An earlier 287 samples gave 92.7 %; both counts together 91.3 % (88.7 to 93.4), which reaches into it."
    ),
    ("avg_receipt_change", "card"): (
        "An earlier 287 samples gave 92.3 %; both counts together 91.2 % (88.5 to 93.2), which reaches into it."
    ),
    ("behaviour_model_skill", "calibration_slope"): (
        "Percentiles of a bootstrap of a slope that the few persons of whom most was expected carry; too narrow."
    ),
    ("contactable_share", "unsubscribe_rate" + CHANGE): (
        "At 500 customers hardly anybody unsubscribes: Wilson's intervals of shares near 0 are wide. At 2,000 within."
    ),
    ("visit_frequency", "members"): "Fewer than a hundred visitors, some of whom come very often. Too narrow.",
    ("break_even_uplift", ""): (
        "The cost is taken as given; discounts and points rise with the members' margin, so that their ratio"
        " varies less. Too wide."
    ),
    ("overall_conversion_rate", "sessions"): (
        "Visits are counted, and a few visitors make many: a sample that lacks them is off and thinks itself exact."
        " Too narrow; at 2,000 customers within."
    ),
    ("overall_conversion_rate", "visits_per_purchase"): (
        "Of the visitors who bought one in a hundred makes 38 % of these visits: a sample that lacks them is off and"
        " thinks itself exact. Too narrow."
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
