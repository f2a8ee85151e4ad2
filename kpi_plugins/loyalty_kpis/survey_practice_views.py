"""Shared steps about how surveys are run: waves looked back upon, who was asked, and who answered."""

from kpibook import view
from loyalty_kpis.reach import days_before, inside

YEAR = 365
TREND_QUESTIONS = ["CSAT", "NPS", "SAT_OVERALL"]
ANSWER = [
    "respondent_id", "customer_id", "survey_id", "wave_id", "question_code", "scale", "score", "weight", "channel",
    "left_out", "satisfied", "answered_on",
]  # fmt: skip


@view()
def wave_answers(survey_answers, periods, *, history_days: int = 1095):
    """Wave answers: the answers to CSAT, NPS and SAT_OVERALL of the history_days before each whole period's end."""
    asked = survey_answers.filter(survey_answers.question_code.isin(TREND_QUESTIONS)).select(*ANSWER)
    return _before(asked, asked.answered_on, periods, history_days).select(*ANSWER, "period_id")


@view(key=("period_id", "survey_id", "wave_id"))
def measured_waves(survey_answers, periods):
    """Measured waves: per whole period, each wave begun in the 365 days before its end, with its answers up to then.

    ``effective_n`` is Kish's over respondents of any question; ``since`` and ``until`` are the ends of the 365 days.
    """
    given = survey_answers.filter(~survey_answers.left_out.isin(["unanswered", "off_scale"]).fill_null(False))
    begun = given.mutate(_begun=given.answered_on.min().over(group_by=["survey_id", "wave_id"]))
    placed = _before(begun, begun.answered_on, periods, YEAR).filter(lambda t: t._begun >= t.since)
    keys = ["period_id", "since", "until", "survey_id", "wave_id"]
    each = placed.group_by([*keys, "respondent_id"]).agg(
        weight=placed.weight.max(), first_day=placed.answered_on.min(), last_day=placed.answered_on.max()
    )
    return each.group_by(keys).agg(
        respondents=each.count(),
        first_day=each.first_day.min(),
        last_day=each.last_day.max(),
        effective_n=each.weight.sum() * each.weight.sum() / (each.weight * each.weight).sum(),
    )


@view(key="period_id")
def asked_customers(purchase_days, survey_invitations, periods):
    """Asked customers: per whole period, persons who bought in the 365 days before its end, and those of them asked."""
    bought = _before(purchase_days, purchase_days.business_date, periods, YEAR)
    active = bought.select("period_id", "customer_id").distinct()
    known = survey_invitations.filter(survey_invitations.respondent_type == "customer")
    sent = _before(known, known.sent_at.date(), periods, YEAR)
    asked = sent.filter(sent.customer_id.notnull()).select("period_id", "customer_id").distinct().mutate(was_asked=1)
    both = active.left_join(asked, ["period_id", "customer_id"])
    return both.group_by("period_id").agg(active=both.count(), asked=both.was_asked.sum().fill_null(0))


@view(date="sent_on")
def survey_contacts(survey_invitations, purchase_days, periods):
    """Survey contacts: one row per invitation of a customer; answered or not, and what the person bought before.

    ``recency_days``, ``tenure_days`` (since the first purchase in the data) and ``spend_before`` (365 days) look at
    purchases up to the day of sending; null without any. ``survey_wave`` has the day of the wave's first invitation: a
    wave that began before the period goes on in it.
    """
    ends = periods.agg(data_end=periods.data_end.max())
    sent = survey_invitations.filter(survey_invitations.respondent_type == "customer").select(
        "invitation_id", "customer_id", "survey_id", "wave_id", sent_on=lambda t: t.sent_at.date(),
        answered=survey_invitations.responded_at.notnull(),
    )  # fmt: skip
    days = purchase_days.select(_person="customer_id", _day="business_date", _net="net_amount")
    bought = sent.join(days, (sent.customer_id == days._person) & (days._day <= sent.sent_on))
    history = bought.group_by("invitation_id").agg(
        first_day=bought._day.min(),
        last_day=bought._day.max(),
        spend_before=bought._net.sum(where=bought._day > days_before(bought.sent_on, YEAR)).cast("float64"),
    )
    found = sent.left_join(history, "invitation_id").cross_join(ends)
    wave = found.survey_id.fill_null("unknown") + " " + found.wave_id.fill_null("unknown")
    return found.select(
        "customer_id",
        "survey_id",
        "sent_on",
        "answered",
        "data_end",
        "spend_before",
        survey_wave=wave + " \u00b7 " + found.sent_on.min().over(group_by=["survey_id", "wave_id"]).cast("string"),
        respondent_id=found.customer_id.coalesce("invitation " + found.invitation_id),
        recency_days=found.sent_on.delta(found.last_day, unit="day"),
        tenure_days=found.sent_on.delta(found.first_day, unit="day"),
    )


def _before(rows, day, periods, days):
    """Rows of the ``days`` before the end of every whole period: its period_id, ``since`` and ``until``."""
    wholes = periods.filter(periods.segment_by == "total").select(
        "period_id", since=days_before(periods.end, days), until=periods.end
    )
    dated = rows.mutate(_day=day)
    return dated.join(wholes, inside(dated._day, wholes.since, wholes.until))


DEFINITIONS = (wave_answers, measured_waves, asked_customers, survey_contacts)
