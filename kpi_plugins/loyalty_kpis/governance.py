"""Governance: whether the objectives set beforehand are met."""

import json

import pandas as pd

from kpibook import kpi, modelled

JUDGED = ("met", "missed")
NOTHING_TO_JUDGE = json.dumps({"id": "reason.zero_denominator"})


@kpi(
    unit="percent",
    better="higher",
    columns={
        "scorecard": ["kpi", "segment", "value", "low", "high", "status", "reason", "target_state"],
        "targets": ["kpi_id", "segment", "baseline_value", "target_value", "superseded_at"],
    },
)
def target_attainment(scorecard: pd.DataFrame, targets: pd.DataFrame):
    """Target attainment: targets met, out of the targets that the data can judge (met or missed, not open); by KPI, the
    way covered from the baseline to the target.

    Without a baseline, or with one equal to the target, a KPI's own figure is 1 when met and 0 when missed.
    """
    valid = targets[targets["superseded_at"].isna()]
    figures = scorecard.drop_duplicates(["kpi", "segment"])
    rows = valid.merge(figures, left_on=["kpi_id", "segment"], right_on=["kpi", "segment"], how="left")
    met, judged = int((rows["target_state"] == "met").sum()), int(rows["target_state"].isin(JUDGED).sum())
    shown = [row for row in rows.to_dict("records") if _tells(row)]
    parts = {_name(row): _attained(row) for row in shown}
    facts = {"n": len(rows), "numerator": met, "denominator": judged, "parts": {"kpi": parts}}
    if judged == 0:
        return modelled(None, status="undefined", reason=NOTHING_TO_JUDGE, **facts)
    return modelled(met / judged, **facts)


def _name(row):
    return row["kpi_id"] if row["segment"] == "total" else f"{row['kpi_id']} {row['segment']}"


def _way(row):
    way = row["target_value"] - row["baseline_value"]
    return None if pd.isna(way) or way == 0 else way


def _tells(row):
    """Whether there is anything to say of one target: it has a figure, and a baseline or a verdict."""
    return row["target_state"] in JUDGED or (row["target_state"] == "open" and (row["status"] != "ok" or _way(row)))


def _attained(row):
    """How far the way from baseline to target is covered, with status and interval of the KPI's own figure."""
    if row["status"] != "ok":
        return modelled(None, status=row["status"], reason=row["reason"])
    way = _way(row)
    if way is None:
        return modelled(float(row["target_state"] == "met"))
    value, *ends = ((row[name] - row["baseline_value"]) / way for name in ("value", "low", "high"))
    low, high = (None, None) if pd.isna(ends[0]) or pd.isna(ends[1]) else sorted(map(float, ends))
    return modelled(float(value), low=low, high=high)


DEFINITIONS = (target_attainment,)
