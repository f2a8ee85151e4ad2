"""Designs behind the return: trials of the programme itself, and stores that it reached one after another."""

import ibis

from kpibook import view
from loyalty_kpis.customer_months import BENEFITS, NEVER, month_number, span_months
from loyalty_kpis.views import kept, netted_lines, purchases

CASE = ["campaign_id", "customer_id"]
DAYS_A_MONTH = 365.25 / 12
#: Where a receipt without a store belongs to.
REMOTE = ""


@view(key=("period_id", "campaign_id", "customer_id"))
def programme_cases(
    campaign_cases,
    campaigns,
    receipts,
    receipt_benefits,
    enrolled_persons,
    periods,
    *,
    objective: str = "programme",
    window_days: int = 0,
):
    """Programme cases: one row per whole period, campaign that is a trial of the programme itself, and person assigned
    to it who was no member before; in the period in which the window ends.

    Such a campaign has the word ``objective`` as its objective: an invitation to enrol, or a group from whom the
    programme is withheld. ``margin`` is contribution margin before loyalty benefits in the window from the first day
    on, ``benefits`` what was given in it, ``member_months`` those as a member. The window is the campaign's response
    window, or window_days when that is not 0.
    """
    trials = campaigns.filter(campaigns.objective.strip().lower() == objective.lower()).select("campaign_id")
    lasts = ibis.literal(window_days) if window_days > 0 else campaign_cases.lasts
    cases = campaign_cases.mutate(lasts=lasts).semi_join(trials, "campaign_id")
    cases = cases.select(*CASE, "is_treated", "is_random", "assignment_prob", "business_date", "lasts")
    spans = periods.filter(periods.segment_by == "total").select("period_id", "start", "end", "data_end")
    ended = [
        spans.end.delta(cases.business_date, unit="day") >= cases.lasts,
        spans.start.delta(cases.business_date, unit="day") < cases.lasts,
    ]
    rows = cases.join(spans, ended)
    known = enrolled_persons.select("customer_id", "enrolled_on")
    rows = rows.left_join(known, "customer_id").select(*rows.columns, "enrolled_on")
    rows = rows.filter(rows.enrolled_on.isnull() | (rows.enrolled_on >= rows.business_date))
    waited = rows.enrolled_on.delta(rows.business_date, unit="day")
    joined = (waited < rows.lasts).fill_null(False)
    months = ibis.ifelse(joined, (rows.lasts - waited) / DAYS_A_MONTH, 0.0)
    rows = rows.mutate(
        over=(rows.data_end.delta(rows.business_date, unit="day") >= rows.lasts).fill_null(False),
        joined=joined,
        member_months=months.fill_null(0.0),
    )
    bought = purchases(receipts)
    margin = bought.gross_amount - bought.general_discount - bought.cogs - bought.variable_cost
    bought = bought.left_join(receipt_benefits, "transaction_id").select(
        _person=bought.customer_id,
        _day=bought.business_date,
        _margin=margin.cast("float64"),
        _benefits=receipt_benefits.benefits.fill_null(0.0),
    )
    near = rows.join(bought, rows.customer_id == bought._person)
    lag = near._day.delta(near.business_date, unit="day")
    near = near.filter((lag >= 0) & (lag < near.lasts))
    keys = ["period_id", *CASE]
    sums = near.group_by(keys).agg(margin=near._margin.sum(), benefits=near._benefits.sum())
    found = rows.left_join(sums, keys).select(*rows.columns, "margin", "benefits")
    return found.select(
        *keys, "is_treated", "is_random", "assignment_prob", "over", "joined", "member_months",
        margin=found.margin.fill_null(0.0),
        benefits=found.benefits.fill_null(0.0),
    )  # fmt: skip


@view(key="transaction_id")
def receipt_benefits(transactions, order_lines):
    """Receipt benefits: member and personal discounts net of what suppliers refund, by receipt, returns netted."""
    given = order_lines.filter((order_lines.loyalty_discount != 0) | (order_lines.personal_discount != 0))
    lines = netted_lines(transactions, given, *BENEFITS)
    amount = lines.loyalty_discount + lines.personal_discount - lines.supplier_funding.fill_null(0)
    return lines.group_by("transaction_id").agg(benefits=amount.sum().cast("float64"))


@view(key="store_id")
def store_launches(transactions, memberships, *, launch_share: float = 0.02, least_enrolments: int = 10):
    """Store launches: the month in which the programme reached each store, from who enrolled there.

    It is the month in which launch_share of the store's enrolments had been made, so that a stray one before does not
    count; stores with fewer than least_enrolments never had it.
    """
    heads = kept(transactions).filter(lambda t: t.store_id.notnull() & (t.channel == "store"))
    joined = memberships.join(heads, memberships.enrol_transaction_id == heads.transaction_id)
    joined = joined.select("member_id", "store_id", "business_date")
    early = ibis.window(group_by=joined.store_id, order_by=[joined.business_date, joined.member_id])
    placed = joined.mutate(
        place=ibis.row_number().over(early) + 1,
        size=joined.count().over(ibis.window(group_by=joined.store_id)),
        month=month_number(joined.business_date),
    )
    begun = placed.filter((placed["size"] >= least_enrolments) & (placed.place >= launch_share * placed["size"]))
    return begun.group_by("store_id").agg(launch=begun.month.min())


@view(key=("period_id", "store_id", "month"))
def store_months(receipts, receipt_benefits, store_launches, periods):
    """Store months: contribution margin before loyalty benefits of all receipts, with card and without, by whole
    period, store and month of the data, returns netted into the original purchase.

    ``launch`` is the month in which the programme reached the store; receipts without a store stand under an empty
    name. ``full_from`` and ``full_to`` tell which months the data hold whole, the latter not included.
    """
    margin = receipts.gross_amount - receipts.general_discount - receipts.cogs - receipts.variable_cost
    in_store = (receipts.channel == "store") & receipts.store_id.notnull()
    rows = receipts.left_join(receipt_benefits, "transaction_id").select(
        store_id=in_store.ifelse(receipts.store_id, REMOTE),
        month=month_number(receipts.business_date),
        margin=margin.cast("float64"),
        benefits=receipt_benefits.benefits.fill_null(0.0),
        carded=receipts.member_id.notnull().cast("int64"),
    )
    sums = rows.group_by("store_id", "month").agg(
        margin=rows.margin.sum(), benefits=rows.benefits.sum(), carded=rows.carded.sum()
    )
    sums = sums.left_join(store_launches, "store_id").select(*sums.columns, "launch")
    day = ibis.interval(days=1)
    spans = periods.filter(periods.segment_by == "total").mutate(**span_months(periods))
    spans = spans.select(
        "period_id", "from_month", "to_month",
        full_from=month_number((spans.data_start - day).cast("date")) + 1,
        full_to=month_number(spans.data_end),
    )  # fmt: skip
    found = sums.cross_join(spans)
    return found.select(
        "period_id", "store_id", "month", "margin", "benefits", "carded",
        "from_month", "to_month", "full_from", "full_to",
        launch=found.launch.fill_null(NEVER),
    )  # fmt: skip


@view(key=("period_id", "customer_id", "month"))
def study_ineligible(enrolment_study, transactions, order_lines, products):
    """Study of products without points: contribution margin before loyalty benefits of products that earn no points,
    by person of the enrolment study and month.
    """
    outside = order_lines.semi_join(products.filter(products.points_eligible == False), "product_id")  # noqa: E712
    lines = netted_lines(transactions, outside, "gross_amount", "general_discount", "cogs", "variable_cost")
    known = kept(transactions).select("transaction_id", "customer_id", "business_date")
    rows = lines.join(known.filter(known.customer_id.notnull()), "transaction_id")
    margin = rows.gross_amount - rows.general_discount - rows.cogs - rows.variable_cost
    sums = rows.group_by("customer_id", month=month_number(rows.business_date)).agg(margin=margin.sum().cast("float64"))
    return enrolment_study.join(sums, ["customer_id", "month"]).select(
        "period_id", "customer_id", "month", "person", ineligible=sums.margin
    )


DEFINITIONS = (receipt_benefits, store_launches, store_months, programme_cases, study_ineligible)
