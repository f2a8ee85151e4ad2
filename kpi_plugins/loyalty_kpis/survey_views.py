"""Shared steps of the survey KPIs: waves, breaks in their series, and the answers that count."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import ibis

from kpibook import view

if TYPE_CHECKING:
    import ibis.expr.types as ir

QUESTION = ["respondent_type", "question_code"]
SURVEY = [*QUESTION, "survey_id"]
WAVE = [*SURVEY, "wave_id"]
SERVQUAL = ["SQ_E", "SQ_P", "SQ_WEIGHT"]
#: Below this a wave's mix of channels is chance.
MODE_MINIMUM = 30
#: Top-two-box of a scale from 1 to 5; any other scale needs a setting.
FIVE, SATISFIED_OF_FIVE = "1-5", 4


@view(key=("respondent_type", "question_code", "survey_id", "wave_id", "scale"))
def survey_waves(survey_responses, periods, *, same_wording: bool = False, mode_shift: float = 0.25):
    """Survey waves: one row per question, survey, wave and scale up to the period's end, and what breaks its series.

    ``broken_by`` is null for waves comparable with the latest; ``scale`` when the survey has since moved the question
    to another scale; ``wording`` when the survey had ended before the latest survey with the question began (unless
    same_wording says that all surveys ask in the same words); ``mode`` when more than mode_shift of the answers
    came through other channels than those of the survey's latest wave, both of at least 30 answers.
    """
    known = _up_to_now(keyed(survey_responses), periods)
    waves = known.group_by([*WAVE, "scale"]).agg(
        first_day=known.answered_on.min(), last_day=known.answered_on.max(), answers=known.count()
    )
    found = waves.left_join(_latest_scales(waves), SURVEY).drop(*(f"{c}_right" for c in SURVEY))
    found = found.left_join(_ended_before(waves), SURVEY).drop(*(f"{c}_right" for c in SURVEY))
    found = found.left_join(_mode_shifts(known), WAVE).drop(*(f"{c}_right" for c in WAVE))
    return found.select(
        *WAVE,
        "scale",
        "first_day",
        "last_day",
        "answers",
        broken_by=ibis.cases(
            (found.scale != found.latest_scale, "scale"),
            (found.ended_before & ibis.literal(not same_wording), "wording"),
            (found.shifted > mode_shift, "mode"),
        ),
    )


@view(date="answered_on")
def survey_answers(survey_responses, survey_waves, *, satisfied_from: Mapping[str, int] = {}):
    """Survey answers: one row per answer of a customer to a single question, SERVQUAL items apart.

    ``left_out`` is null for answers that count, else why not: ``unanswered``, ``off_scale`` (outside the scale's
    ends), or a break in the series, see survey_waves. ``satisfied`` is true from 4 on a scale from 1 to 5; other
    scales are never rescaled: satisfied_from gives the lowest satisfied score by survey_id (the highest where low is
    good), without it ``satisfied`` is null. Answers without a customer stand each for a respondent.
    """
    customers = keyed(survey_responses).filter(lambda t: t.respondent_type == "customer")
    return _judged(customers.filter(~customers.question_code.isin(SERVQUAL)), survey_waves, satisfied_from)


@view(date="answered_on")
def employee_answers(survey_responses, survey_waves, *, satisfied_from: Mapping[str, int] = {}):
    """Employee answers: one row per answer of an employee, judged like survey_answers."""
    staff = keyed(survey_responses).filter(lambda t: t.respondent_type == "employee")
    return _judged(staff, survey_waves, satisfied_from)


@view(key="invited_on", date="invited_on")
def employee_invitations(survey_invitations):
    """Employee invitations: how many employees were asked, per day."""
    staff = survey_invitations.filter(survey_invitations.respondent_type == "employee")
    dated = staff.mutate(invited_on=staff.sent_at.date())
    return dated.group_by("invited_on").agg(invited=dated.count())


def keyed(responses: ir.Table) -> ir.Table:
    """Responses with their day, respondent, weight (1 when null) and scale in words (``1-5``, ``1-5 low is good``)."""
    ends = responses.scale_min.cast("string") + "-" + responses.scale_max.cast("string")
    direction = responses.higher_is_better.fill_null(True).ifelse("", " low is good")
    return responses.select(
        "customer_id",
        "question_code",
        "dimension",
        "item_no",
        "score",
        "scale_min",
        "scale_max",
        "channel",
        "touchpoint_type",
        "ticket_id",
        "ts",
        "respondent_type",
        respondent_id=responses.customer_id.coalesce("answer " + responses.response_id),
        survey_id=responses.survey_id.fill_null("unknown"),
        wave_id=responses.wave_id.fill_null("unknown"),
        weight=responses.weight.fill_null(1.0),
        answered_on=responses.ts.date(),
        scale=(ends + direction).fill_null("unknown"),
    )


def standing(rows: ir.Table) -> ir.StringValue:
    """Why an answer does not count; null when it does."""
    off = (rows.score < rows.scale_min) | (rows.score > rows.scale_max)
    return ibis.cases((rows.score.isnull(), "unanswered"), (off.fill_null(False), "off_scale"), else_=rows.broken_by)


def with_breaks(answers: ir.Table, survey_waves: ir.Table) -> ir.Table:
    """Answers with the ``broken_by`` of their wave."""
    keys = [*WAVE, "scale"]
    waves = survey_waves.select(*keys, "broken_by")
    return answers.left_join(waves, keys).drop(*(f"{c}_right" for c in keys))


def _judged(answers: ir.Table, survey_waves: ir.Table, satisfied_from: Mapping[str, int]) -> ir.Table:
    found = with_breaks(answers, survey_waves)
    low_is_good = found.scale.endswith("low is good")
    branches = []
    for survey, limit in sorted(satisfied_from.items()):
        met = low_is_good.ifelse(found.score <= limit, found.score >= limit)
        branches.append((found.survey_id == survey, met))
    branches.append((found.scale == FIVE, found.score >= SATISFIED_OF_FIVE))
    return found.select(
        "customer_id",
        "respondent_id",
        "survey_id",
        "wave_id",
        "question_code",
        "scale",
        "score",
        "weight",
        "channel",
        "touchpoint_type",
        "ticket_id",
        "ts",
        "answered_on",
        left_out=standing(found),
        satisfied=ibis.cases(*branches).cast("float64"),
    )


def _up_to_now(answers: ir.Table, periods: ir.Table) -> ir.Table:
    now = periods.filter((periods.segment_by == "total") & (periods.period == "current"))
    known = answers.cross_join(now.agg(_until=now.end.max()))
    return known.filter(known.answered_on < known._until).drop("_until")


def _latest_scales(waves: ir.Table) -> ir.Table:
    """The scale of each survey's last answers; of several, that with most of them."""
    scales = waves.group_by([*SURVEY, "scale"]).agg(last_day=waves.last_day.max(), answers=waves.answers.sum())
    order = [scales.last_day.desc(), scales.answers.desc(), scales.scale]
    ranked = scales.mutate(_rank=ibis.row_number().over(group_by=SURVEY, order_by=order))
    return ranked.filter(ranked._rank == 0).select(*SURVEY, latest_scale=ranked.scale)


def _ended_before(waves: ir.Table) -> ir.Table:
    """Whether a survey's last answer came before the first one of the survey that was asked last."""
    surveys = waves.group_by(SURVEY).agg(begun=waves.first_day.min(), ended=waves.last_day.max())
    latest = surveys.mutate(_latest=surveys.ended.max().over(group_by=QUESTION))
    ends_last = (latest.ended == latest._latest).ifelse(latest.begun, None)
    framed = latest.mutate(_begun=ends_last).mutate(_last_begun=lambda t: t._begun.min().over(group_by=QUESTION))
    return framed.select(*SURVEY, ended_before=framed.ended < framed._last_begun)


def _mode_shifts(answers: ir.Table) -> ir.Table:
    """By wave: the share of answers that would have to change channel to give the mix of the survey's latest wave."""
    named = answers.mutate(channel=answers.channel.fill_null("unknown"))
    cells = named.group_by([*WAVE, "channel"]).agg(n=named.count(), last_day=named.answered_on.max())
    whole = cells.mutate(_n=cells.n.sum().over(group_by=WAVE), _last=cells.last_day.max().over(group_by=WAVE))
    order = [whole._last.desc(), whole.wave_id.desc()]
    mixes = whole.mutate(part=whole.n / whole._n, _rank=ibis.dense_rank().over(group_by=SURVEY, order_by=order))
    large = mixes.filter(mixes._n >= MODE_MINIMUM)
    latest = large.filter(large._rank == 0).select(*SURVEY, "channel", latest_part=large.part)
    sizes = latest.select(*SURVEY).distinct()
    judged = large.semi_join(sizes, SURVEY)
    both = judged.left_join(latest, [*SURVEY, "channel"])
    shared = ibis.least(both.part, both.latest_part.fill_null(0.0))
    return both.group_by(WAVE).agg(shifted=1 - shared.sum())


DEFINITIONS = (survey_waves, survey_answers, employee_answers, employee_invitations)
