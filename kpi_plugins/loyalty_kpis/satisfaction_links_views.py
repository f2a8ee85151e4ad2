"""Shared steps about what customers did in the year before and after they answered."""

import ibis

from kpibook import view
from loyalty_kpis.reach import CLOSED_DAYS, days_before, inside

YEAR = 365
ANSWER = ["customer_id", "question_code", "survey_id", "wave_id", "answered_on"]
KEYS = ["period_id", *ANSWER]


@view(key=("period_id", "customer_id", "question_code", "survey_id", "wave_id", "answered_on"))
def answer_outcomes(survey_answers, purchase_days, periods):
    """Answer outcomes: answers to CSAT, NPS and SAT_OVERALL whose following 365 days end in the period, and the
    person's purchases, spend and margin (net of the cost of goods) in the 365 days up to the answer and after it.

    Only answers whose year after is wholly in the data. ``history`` tells whether the year before is, too.
    ``tenure_days`` counts from the first purchase in the data.
    """
    usable = survey_answers.filter(
        survey_answers.customer_id.notnull()
        & survey_answers.question_code.isin(["CSAT", "NPS", "SAT_OVERALL"])
        & ~survey_answers.left_out.isin(["unanswered", "off_scale"]).fill_null(False)
    )
    answers = usable.group_by([*ANSWER, "scale"]).agg(
        score=usable.score.mean().cast("float64"), satisfied=usable.satisfied.mean()
    )
    due = answers.mutate(due=answers.answered_on + ibis.interval(days=YEAR))
    placed = due.join(periods, inside(due.due, periods.start, periods.end) & (due.due < periods.data_end))
    framed = placed.select(
        *KEYS, "scale", "score", "satisfied", "due",
        history=placed.data_start <= days_before(placed.answered_on, YEAR - CLOSED_DAYS),
    )  # fmt: skip
    days = purchase_days.select(
        _person=purchase_days.customer_id,
        day=purchase_days.business_date,
        net=purchase_days.net_amount,
        margin=purchase_days.net_amount - purchase_days.cogs,
    )
    bought = framed.join(days, (framed.customer_id == days._person) & (days.day <= framed.due))
    after = bought.day > bought.answered_on
    before = ~after & (bought.day > days_before(bought.answered_on, YEAR))
    sums = bought.group_by(KEYS).agg(
        first_day=bought.day.min(),
        bought_before=bought.count(where=before),
        bought_after=bought.count(where=after),
        spend_before=bought.net.sum(where=before).cast("float64"),
        margin_before=bought.margin.sum(where=before).cast("float64"),
        margin_after=bought.margin.sum(where=after).cast("float64"),
    )
    found = framed.join(sums, KEYS)
    known = found.filter(found.first_day <= found.answered_on)
    return known.select(
        *KEYS, "scale", "score", "satisfied", "history", "bought_before", "bought_after", "spend_before",
        margin_before=known.margin_before.fill_null(0.0),
        margin_after=known.margin_after.fill_null(0.0),
        tenure_days=known.answered_on.delta(known.first_day, unit="day"),
    )  # fmt: skip


@view(key=("period_id", "customer_id", "question_code", "survey_id", "wave_id", "answered_on"))
def member_outcomes(answer_outcomes, memberships):
    """Member outcomes: answer outcomes for CSAT, and whether the person was a member on the day of the answer."""
    answers = answer_outcomes.filter(answer_outcomes.question_code == "CSAT")
    enrolled = memberships.select(
        _person=memberships.customer_id, _since=memberships.enrolled_at.date(), _until=memberships.closed_at.date()
    )
    own = (answers.customer_id == enrolled._person) & (enrolled._since <= answers.answered_on)
    open_then = answers.join(enrolled, own & (enrolled._until.isnull() | (enrolled._until > answers.answered_on)))
    members = open_then.select(*KEYS).distinct().mutate(_found=True)
    found = answers.left_join(members, KEYS)
    return found.select(
        *KEYS, "satisfied", "score", "scale", "bought_before", "bought_after", "spend_before",
        member=found._found.fill_null(False),
    )  # fmt: skip


DEFINITIONS = (answer_outcomes, member_outcomes)
