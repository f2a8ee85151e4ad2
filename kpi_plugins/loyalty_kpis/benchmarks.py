"""Benchmarks: where the firm stands against what is known of others."""

from math import sqrt

import ibis
import pandas as pd

from kpibook import because, kpi, modelled, view
from kpibook.rules import MINIMUM, reason
from kpibook.stats.intervals import Z, normal, student

TRUSTED = ("A", "B")


@view(key="respondent_id")
def rival_satisfaction(competitor_panel, periods, *, asked: bool = False):
    """Rival satisfaction: one row per respondent of the competitor panel with an answer on us and on rivals.

    Empty unless ``asked``, for clients who supply the panel: satisfaction with us, and the mean of that with rivals.
    """
    if not asked:
        nothing = periods.filter(ibis.literal(False))
        return nothing.select(respondent_id=nothing.period, own=ibis.null("float64"), rivals=ibis.null("float64"))
    known = competitor_panel.filter(competitor_panel.satisfaction.notnull())
    score = known.satisfaction.cast("float64")
    sides = known.group_by("respondent_id").agg(
        own=score.mean(where=known.is_own), rivals=score.mean(where=~known.is_own)
    )
    return sides.filter(sides.own.notnull() & sides.rivals.notnull())


@kpi(
    unit="ratio",
    better="higher",
    family="governance",
    question="Where do we stand against competitors?",
    columns={
        "scorecard": [
            "kpi", "segment_by", "segment", "value", "low", "high", "n", "status", "reason", "unit", "better",
        ],
        "benchmarks": [
            "benchmark_id", "kpi_id", "segment", "low", "value", "high", "year", "n", "source", "same_definition",
            "evidence_grade",
        ],
        "rival_satisfaction": ["respondent_id", "own", "rivals"],
    },
    table_units={"own_value": "of_kpi", "low": "of_kpi", "benchmark": "of_kpi", "high": "of_kpi", "gap": "of_kpi"},
)  # fmt: skip
def benchmark_gap(scorecard: pd.DataFrame, benchmarks: pd.DataFrame, rival_satisfaction: pd.DataFrame):
    """Gap to external benchmark: median over the comparable benchmarks of the distance to the benchmark in standard
    errors, above 0 where the firm does better; by KPI, its value less the benchmark, in the KPI's own unit.

    Comparable is a benchmark with the same definition and evidence of grade A or B; the others are context. The
    standard error joins the KPI's own and that of the benchmark's number of cases, where it is known. reached is the
    share of the comparable benchmarks at which the firm does at least as well; satisfaction_against_rivals compares the
    answers of the same respondents on us and on rivals.
    """
    rows = [_compared(row) for row in _paired(benchmarks, scorecard).to_dict("records")]
    judged = [row for row in rows if row["sigma"] is not None]
    parts = {"kpi": {row["name"]: row["figure"] for row in rows}}
    parts["standardised"] = {r["name"]: modelled(r["sigma"], n=r["n"], unit="ratio") for r in judged}
    variant = {"satisfaction_against_rivals": _against(rival_satisfaction)} if len(rival_satisfaction) else {}
    facts = {"n": len(judged), "table": _table(rows), "table_persons": None}
    if not judged:
        return modelled(None, status="undefined", reason=because(NONE), parts={**parts, "variant": variant}, **facts)
    ahead = [row["ahead"] for row in judged]
    reached = {"n": len(judged), "numerator": sum(ahead), "denominator": len(judged), "unit": "percent"}
    variant["reached"] = modelled(sum(ahead) / len(judged), **reached)
    median = float(pd.Series([row["sigma"] for row in judged]).median())
    return modelled(median, parts={**parts, "variant": variant}, **facts)


def _paired(benchmarks, scorecard):
    """Benchmarks beside the figure they are about."""
    figures = scorecard.rename(columns={name: f"own_{name}" for name in ("value", "low", "high", "n")})
    named = figures.assign(about=figures["segment_by"] + "=" + figures["segment"])
    both = pd.concat([figures.assign(about=figures["segment"]), named]).drop_duplicates(["kpi", "about"])
    both = both.drop(columns=["segment_by", "segment"])
    found = benchmarks.merge(both, left_on=["kpi_id", "segment"], right_on=["kpi", "about"], how="left")
    several = found.duplicated(["kpi_id", "segment"], keep=False)
    name = found["kpi_id"].where(found["segment"] == "total", found["kpi_id"] + " " + found["segment"])
    return found.assign(name=name.where(~several, name + " " + found["benchmark_id"]))


def _compared(row):
    """One benchmark: the gap as a figure, in standard errors, and whether the firm is at least as good."""
    known = {name: None if pd.isna(value) else value for name, value in row.items()}
    comparable = bool(known["same_definition"]) and known["evidence_grade"] in TRUSTED
    none = {**known, "comparable": comparable, "gap": None, "sigma": None, "ahead": None, "n": known["own_n"]}
    if not comparable:
        return {**none, "figure": modelled(None, status="not_identified", reason=because(CONTEXT))}
    if known["kpi"] is None or known["status"] != "ok" or known["own_value"] is None or known["value"] is None:
        status = known["status"] if known["status"] not in (None, "ok") else "undefined"
        why = (known["reason"] if known["status"] not in (None, "ok") else "") or reason("no_rows")
        return {**none, "figure": modelled(None, status=status, reason=why)}
    gap = float(known["own_value"]) - float(known["value"])
    error = _error(known)
    interval = normal(gap, error) if error else None
    sign = {"higher": 1.0, "lower": -1.0}.get(known["better"])
    facts = {"low": interval.low, "high": interval.high} if interval else {}
    figure = modelled(gap, n=known["own_n"], unit=known["unit"] or "", **facts)
    sigma = sign * gap / error if sign and error else None
    ahead = sign * gap >= 0 if sign else None
    return {**none, "gap": gap, "sigma": sigma, "ahead": ahead, "figure": figure}


def _error(row):
    """Standard error of the gap; None when not even the firm's own is known."""
    if row["own_low"] is None or row["own_high"] is None or row["own_low"] == row["own_high"]:
        return None
    own = (float(row["own_high"]) - float(row["own_low"])) / (2 * Z)
    if not row["n"]:
        return own
    value = float(row["value"])
    if row["unit"] == "percent" and 0 < value < 1:
        return sqrt(own**2 + value * (1 - value) / row["n"])
    return own * sqrt(1 + row["own_n"] / row["n"]) if row["own_n"] else own


def _against(answers):
    """Mean of paired differences between the answers on us and on rivals."""
    difference = (answers["own"] - answers["rivals"]).astype(float)
    n = len(difference)
    facts = {"n": n, "persons": n, "unit": "index"}
    if n < MINIMUM["M"]:
        return modelled(None, status="low_n", reason=reason("too_few_persons", n=n, minimum=MINIMUM["M"]), **facts)
    mean = float(difference.mean())
    interval = student(mean, float(difference.std(ddof=1)) / sqrt(n), n - 1)
    return modelled(mean, low=interval.low, high=interval.high, **facts)


def _table(rows):
    names = [
        "name",
        "own_value",
        "low",
        "value",
        "high",
        "gap",
        "sigma",
        "comparable",
        "evidence_grade",
        "year",
        "source",
    ]
    shown = [{name: row[name] for name in names} for row in rows]
    return pd.DataFrame(shown, columns=names).rename(columns={"name": "kpi", "value": "benchmark"})


NONE = "No benchmark with the same definition and documented evidence meets a figure of its own."
CONTEXT = "Context, not comparable: another definition, or evidence below grade B."

DEFINITIONS = (rival_satisfaction, benchmark_gap)
