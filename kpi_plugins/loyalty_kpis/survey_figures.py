"""What the survey KPIs have in common: which answers count, how many are enough, how a share is stated."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from kpibook import because, modelled
from kpibook.rules import MINIMUM, OK, reason, share_rule, too_few
from kpibook.stats.intervals import student
from kpibook.stats.survey_weights import kish, weighted_share

if TYPE_CHECKING:
    from kpibook.estimates import Modelled

#: Shown from 30 effective answers, published from 100.
SHOWN, PUBLISHED = MINIMUM["P"], 100
ANSWERS = ["respondent_id", "question_code", "scale", "score", "weight", "left_out", "satisfied", "answered_on"]
BREAKS = ("scale", "wording", "mode")
NONE_COUNTS = (
    "None of {n} answers counts: {unanswered} without a score, {off_scale} outside their scale, {broken} before a"
    " break in the series (scale, wording or mode), {other} on a scale that has no place here."
)
SOME_LEFT_OUT = (
    "Left out: {unanswered} answers without a score, {off_scale} outside their scale, {broken} before a break in the"
    " series (scale, wording or mode), {other} on a scale that has no place here."
)


def asked(answers: pd.DataFrame, *questions: str) -> pd.DataFrame:
    """The rows of some questions."""
    return answers[answers["question_code"].isin(questions)]


def counting(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows that count."""
    return rows[rows["left_out"].isna()]


def boxed(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows marked ``other_scale`` where no top box is known for the scale."""
    unknown = rows["left_out"].isna() & rows["satisfied"].isna()
    return rows.assign(left_out=rows["left_out"].where(~unknown, "other_scale"))


def latest(rows: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """The last answer of each ``keys``; of several on one day the highest."""
    return rows.sort_values([*keys, "answered_on", "score"], kind="stable").drop_duplicates(keys, keep="last")


def persons(rows: pd.DataFrame) -> np.ndarray:
    """A code from 0 for each respondent."""
    return pd.factorize(rows["respondent_id"])[0]


def survey_rule(effective: float, published: int = PUBLISHED, answers: int | None = None) -> tuple[str, str]:
    """Published from 100 effective answers, shown from 30 as low_n; ``answers`` is how many they are."""
    if effective < published:
        minimum = SHOWN if effective < SHOWN else published
        return "low_n", too_few(effective, minimum, answers)
    return OK


def note(rows: pd.DataFrame) -> str:
    """A sentence when answers were left out for more than being empty."""
    found = _counts(rows)
    return because(SOME_LEFT_OUT, **found) if found["off_scale"] + found["broken"] + found["other"] else ""


def nothing(rows: pd.DataFrame) -> Modelled:
    """No answer counts: why."""
    why = because(NONE_COUNTS, n=len(rows), **_counts(rows)) if len(rows) else reason("no_rows")
    return modelled(None, status="undefined", reason=why, n=0)


def tally(rows: pd.DataFrame) -> dict[str, Any]:
    """A table of how many answers of each question and scale count, and why the others do not."""
    return counted(rows.assign(standing=rows["left_out"].fillna("counted")), ["question_code", "scale", "standing"])


def counted(rows: pd.DataFrame, keys: list[str]) -> dict[str, Any]:
    """A table of answers and weights by ``keys``, and the respondents behind each of its rows."""
    groups = rows.groupby(keys, sort=True, dropna=False)
    table = pd.DataFrame({"answers": groups.size(), "weight": groups["weight"].sum()}).reset_index()
    return {"table": table, "table_persons": groups["respondent_id"].nunique().to_numpy()}


def share_of(met: pd.Series, rows: pd.DataFrame, *, why: str = "", weighted: bool = True) -> Modelled:
    """Weighted share of ``rows`` that ``met`` something: rule P from 100 effective answers (Kish, by person) on."""
    weights = rows["weight"] if weighted else np.ones(len(rows))
    codes = persons(rows)
    found = weighted_share(met, weights, codes)
    if found is None:
        return modelled(None, status="undefined", reason=reason("zero_denominator"))
    status, low_n = survey_rule(found.effective_n, answers=len(rows))
    if status == "ok":
        status, low_n = share_rule(found.value, *found.interval, found.effective_n)
    facts = {"numerator": found.numerator, "denominator": found.denominator, "persons": len(np.unique(codes))}
    low, high = found.interval
    return modelled(found.value, low=low, high=high, n=len(rows), status=status, reason=low_n or why, **facts)


def mean_of(values: pd.Series, rows: pd.DataFrame, unit: str = "points") -> Modelled:
    """Weighted mean of ``values`` with a t interval on Kish's n."""
    w, x = rows["weight"].to_numpy(float), values.to_numpy(float)
    codes = persons(rows)
    effective = kish(w, codes)
    if effective == 0:
        return modelled(None, status="undefined", reason=reason("zero_denominator"), unit=unit)
    mean = float(w @ x / w.sum())
    spread = float(w @ (x - mean) ** 2 / w.sum())
    status, why = survey_rule(effective, answers=len(rows))
    low = high = None
    if effective > 1:
        low, high = student(mean, (spread / (effective - 1)) ** 0.5, effective - 1)
    facts = {"persons": len(np.unique(codes)), "unit": unit, "status": status, "reason": why}
    return modelled(mean, low=low, high=high, n=len(rows), **facts)


def with_parts(figure: Modelled, **more: Any) -> Modelled:
    """The figure with further facts, such as its table and parts."""
    return modelled(**{**vars(figure), **more})


def _counts(rows: pd.DataFrame) -> dict[str, int]:
    kinds = rows["left_out"].value_counts()
    return {
        "unanswered": int(kinds.get("unanswered", 0)),
        "off_scale": int(kinds.get("off_scale", 0)),
        "broken": int(sum(kinds.get(name, 0) for name in BREAKS)),
        "other": int(kinds.get("other_scale", 0)),
    }
