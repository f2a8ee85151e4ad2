"""Shared steps of SERVQUAL: expectation and perception of an item side by side, and an instrument's holes."""

import ibis

from kpibook import view
from loyalty_kpis.survey_views import keyed, standing, with_breaks

SURVEY, RESPONDENT = ["survey_id"], ["survey_id", "wave_id", "customer_id"]


@view(date="answered_on")
def servqual_items(survey_responses, survey_waves):
    """SERVQUAL items: one row per respondent, wave and item: what was expected, what was perceived.

    ``expected`` and ``perceived`` are null when not asked, not answered, outside 1 to 7 or asked on another scale;
    ``points`` is the respondent's allocation to the item's dimension, null without one. Expectations asked on a later
    day than the perceptions are null, and ``late`` says so. ``hole`` names an item of which nobody in the survey has
    both. Answers without a customer cannot be paired and are not here.
    """
    customers = keyed(survey_responses).filter(lambda t: (t.respondent_type == "customer") & t.customer_id.notnull())
    asked = customers.filter(customers.question_code.isin(["SQ_E", "SQ_P", "SQ_WEIGHT"]))
    known = with_breaks(asked, survey_waves).mutate(counts=lambda t: standing(t).isnull())
    items = known.filter((known.question_code != "SQ_WEIGHT") & known.dimension.notnull() & known.item_no.notnull())
    fits = items.counts & (items.scale == "1-7")
    of, to = items.question_code == "SQ_E", items.question_code == "SQ_P"
    keys = [*RESPONDENT, "dimension", "item_no"]
    pairs = items.group_by(keys).agg(
        expected=items.score.mean(where=of & fits).cast("float64"),
        perceived=items.score.mean(where=to & fits).cast("float64"),
        expected_on=items.answered_on.min(where=of & fits),
        perceived_on=items.answered_on.max(where=to & fits),
        answered_on=items.answered_on.max(),
        channel=items.channel.max(),
        touchpoint_type=items.touchpoint_type.max(),
        left_out=items.count(where=items.score.notnull() & ~fits),
    )
    late = (pairs.expected_on > pairs.perceived_on).fill_null(False)
    timed = pairs.mutate(late=late, expected=late.ifelse(ibis.null("float64"), pairs.expected))
    day = timed.mutate(answered_on=timed.answered_on.max().over(group_by=RESPONDENT))
    whole = day.left_join(_holes(items), ["survey_id", "dimension", "item_no"])
    found = whole.left_join(_points(known), [*RESPONDENT, "dimension"])
    return found.select(
        *keys,
        "expected",
        "perceived",
        "points",
        "answered_on",
        "channel",
        "touchpoint_type",
        "left_out",
        "late",
        "hole",
    )


def _holes(items):
    """Items of a survey that have expectations but no perception from anybody, or the other way round."""
    sides = items.filter(items.score.notnull())
    both = sides.group_by("survey_id", "dimension", "item_no").agg(
        expectations=sides.count(where=sides.question_code == "SQ_E"),
        perceptions=sides.count(where=sides.question_code == "SQ_P"),
    )
    one_sided = both.filter((both.expectations == 0) | (both.perceptions == 0))
    side = (one_sided.expectations == 0).ifelse("E", "P")
    return one_sided.select("survey_id", "dimension", "item_no", hole=side + one_sided.item_no.cast("string"))


def _points(answers):
    rows = answers.filter((answers.question_code == "SQ_WEIGHT") & answers.counts)
    return rows.group_by([*RESPONDENT, "dimension"]).agg(points=rows.score.mean().cast("float64"))


DEFINITIONS = (servqual_items,)
