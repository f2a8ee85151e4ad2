"""Employees: whether staff are satisfied and would recommend their employer."""

from __future__ import annotations

import pandas as pd

from kpibook import kpi, modelled
from kpibook.rules import PRIVACY_MINIMUM, reason, share_rule
from kpibook.stats.net_scores import finite_population
from kpibook.stats.survey_weights import weighted_share
from loyalty_kpis.recommendation import eleven_points, net_score
from loyalty_kpis.survey_figures import ANSWERS, asked, boxed, counting, note, nothing, persons, survey_rule, with_parts

#: Staff are few: published from 30 answers.
PUBLISHED = 30


@kpi(
    unit="points",
    better="higher",
    family="governance",
    question="Are staff satisfied?",
    by_columns=False,
    columns={"employee_answers": ANSWERS, "employee_invitations": ["invited_on", "invited"]},
)
def employee_satisfaction(employee_answers: pd.DataFrame, employee_invitations: pd.DataFrame):
    """Employee satisfaction (eNPS): 100 times the share of employees who answer 9 or 10 to whether they would recommend
    their employer minus that of those who answer 0 to 6, out of the whole numbers from 0 to 10.

    The variant job_satisfaction is the share of 4 or 5 on a scale from 1 to 5. Intervals are narrowed by the part of
    the invited who answered. Fewer than 10 answers are never shown.
    """
    rows = eleven_points(employee_answers, "ENPS")
    valid = counting(rows)
    invited = float(employee_invitations["invited"].sum())
    further = {"job_satisfaction": _content(boxed(asked(employee_answers, "JOB_SAT")), invited)}
    if valid.empty:
        return with_parts(nothing(rows), parts={"variant": further})
    if len(valid) < PRIVACY_MINIMUM:
        return with_parts(_private(), parts={"variant": further})
    figure = net_score(valid, PUBLISHED, finite_population(len(valid), invited))
    if figure is None:
        return modelled(None, status="undefined", reason=reason("zero_denominator"), parts={"variant": further})
    return with_parts(figure, reason=figure.reason or note(rows), parts={"variant": further})


def _content(rows: pd.DataFrame, invited: float):
    valid = counting(rows)
    if valid.empty:
        return with_parts(nothing(rows), unit="percent")
    if len(valid) < PRIVACY_MINIMUM:
        return with_parts(_private(), unit="percent")
    found = weighted_share(valid["satisfied"], valid["weight"], persons(valid))
    if found is None:
        return modelled(None, status="undefined", reason=reason("zero_denominator"), unit="percent")
    narrow = finite_population(len(valid), invited)
    low, high = (found.value + narrow * (end - found.value) for end in found.interval)
    status, why = survey_rule(found.effective_n, PUBLISHED)
    if status == "ok":
        status, why = share_rule(found.value, low, high, found.effective_n)
    facts = {"n": len(valid), "numerator": found.numerator, "denominator": found.denominator, "unit": "percent"}
    return modelled(found.value, low=low, high=high, status=status, reason=why, persons=len(valid), **facts)


def _private():
    return modelled(None, status="low_n", reason=reason("privacy", minimum=PRIVACY_MINIMUM))


DEFINITIONS = (employee_satisfaction,)
