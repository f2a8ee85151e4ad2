"""How touchpoints are experienced: what customers say of them, and how they sound."""

from typing import Literal

import ibis
import pandas as pd

from kpibook import kpi, modelled, view
from kpibook.rules import reason
from kpibook.stats.intervals import wilson
from kpibook.stats.net_scores import adjusted_wald
from kpibook.stats.survey_weights import effective_answers, kish

#: Sentiment beyond it is positive or negative; answers in the outer quarters of their scale are.
NEUTRAL, UPPER, LOWER = 0.2, 0.75, 0.25
PUBLISHED, SHOWN = 100, 30


@view(date="day")
def contact_ratings(survey_responses, visitor_paths, *, rated_by: Literal["both", "survey", "sentiment"] = "both"):
    """Contact ratings: one row per rated contact, and one per person, day, touchpoint and channel with the contacts not
    rated.

    A satisfaction answer (CSAT) in the upper quarter of its scale (4 or 5 of 5) is positive, in the lower quarter
    negative; so is a sentiment above 0.2 or below -0.2. ``contacts`` counts human events; answers are none. ``person``
    is the customer, else the visitor or the single answer.
    """
    asked = survey_responses.filter(
        (survey_responses.respondent_type == "customer")
        & (survey_responses.question_code == "CSAT")
        & survey_responses.touchpoint_type.notnull()
        & survey_responses.score.notnull()
    )
    spread = (asked.scale_max - asked.scale_min).nullif(0)
    place = (asked.score.cast("float64") - asked.scale_min) / spread
    place = asked.higher_is_better.fill_null(True).ifelse(place, 1 - place)
    answers = asked.select(
        day=asked.ts.date(),
        touchpoint_type="touchpoint_type",
        channel="channel",
        person=ibis.coalesce(
            ibis.literal("customer ") + asked.customer_id, ibis.literal("answer ") + asked.response_id
        ),
        rating=_rating(place, UPPER - 1e-9, LOWER + 1e-9),
        weight=asked.weight.fill_null(1.0),
        contacts=ibis.literal(0, "int64"),
    )
    events = visitor_paths.mutate(day=visitor_paths.ts.date(), feeling=visitor_paths.sentiment.cast("float64")).filter(
        visitor_paths.touchpoint_type.notnull()
    )
    rated = events.filter(events.feeling.notnull())
    heard = rated.select(
        "day",
        "touchpoint_type",
        "channel",
        person="visitor_id",
        rating=_rating(rated.feeling, NEUTRAL, -NEUTRAL, strictly=True),
        weight=ibis.literal(1.0),
        contacts=ibis.literal(1, "int64"),
    )
    silent = events.filter(events.feeling.isnull())
    unrated = silent.group_by("day", "touchpoint_type", "channel", "visitor_id").agg(contacts=silent.count())
    unheard = unrated.select(
        "day",
        "touchpoint_type",
        "channel",
        person="visitor_id",
        rating=ibis.null("int64"),
        weight=ibis.null("float64"),
        contacts="contacts",
    )
    spoken = heard.union(unheard)
    return {"both": lambda: answers.union(spoken), "survey": lambda: answers, "sentiment": lambda: spoken}[rated_by]()


@kpi(
    unit="index",
    better="higher",
    family="acquisition",
    breakdowns=["touchpoint_type"],
    question="How is each touchpoint experienced?",
    columns={"contact_ratings": ["day", "person", "rating", "weight", "contacts"]},
)
def touchpoint_sentiment(contact_ratings: pd.DataFrame):
    """Positive/negative touchpoints (experience): share of positive less share of negative contacts, times 100, of the
    contacts that were rated, by a satisfaction answer or by their sentiment.

    coverage is contacts with a sentiment, out of all contacts. Intervals take the contacts of a person together.
    """
    rated = contact_ratings[contact_ratings["rating"].notna()]
    parts = {"variant": {"coverage": _coverage(contact_ratings)}} if contact_ratings["contacts"].sum() else {}
    weight, rating = (rated[column].to_numpy(dtype=float) for column in ("weight", "rating"))
    effective = kish(weight)
    facts = {"n": int(effective), "persons": rated["person"].nunique(), "parts": parts}
    if effective == 0:
        return modelled(None, status="undefined", reason=reason("no_rows"), **facts)
    good, bad = (float(weight[rating == sign].sum()) / float(weight.sum()) for sign in (1, -1))
    if effective < SHOWN:
        return modelled(None, status="low_n", reason=reason("too_few_cases", n=int(effective), minimum=SHOWN), **facts)
    low, high = adjusted_wald(good, bad, effective_answers(rating, weight, pd.factorize(rated["person"])[0]))
    few = effective < PUBLISHED
    why = reason("too_few_cases", n=int(effective), minimum=PUBLISHED) if few else ""
    figures = {"low": 100 * low, "high": 100 * high, "status": "low_n" if few else "ok", "reason": why}
    return modelled(100 * (good - bad), **figures, **facts)


def _rating(value, above, below, *, strictly=False):
    """1, 0 or -1."""
    good, bad = (value > above, value < below) if strictly else (value >= above, value <= below)
    return ibis.cases((good, 1), (bad, -1), (value.notnull(), 0), else_=None).cast("int64")


def _coverage(ratings):
    spoken = ratings[ratings["contacts"] > 0]
    contacts, heard = spoken["contacts"].to_numpy(dtype=float), spoken["rating"].notna().to_numpy()
    met, of = float(contacts[heard].sum()), float(contacts.sum())
    n = effective_answers(heard, contacts, pd.factorize(spoken["person"])[0])
    low, high = wilson(met / of * n, n)
    return modelled(
        met / of, low=low, high=high, n=int(of), persons=spoken["person"].nunique(), numerator=met, denominator=of,
        unit="percent",
    )  # fmt: skip


DEFINITIONS = (contact_ratings, touchpoint_sentiment)
