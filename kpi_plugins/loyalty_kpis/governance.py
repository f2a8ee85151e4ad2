"""Governance: whether the objectives set beforehand are met."""

import json

import pandas as pd

from kpibook import kpi, modelled

JUDGED = ("met", "missed")
NOTHING_TO_JUDGE = json.dumps({"id": "reason.zero_denominator"})


@kpi(
    unit="percent",
    better="higher",
    question="Are we in line with the objectives set beforehand?",
    columns={
        "scorecard": [
            "kpi", "segment_by", "segment", "period_start", "period_end", "value", "low", "high", "status", "reason",
            "target_state",
        ],
        "targets": [
            "target_id", "kpi_id", "segment", "period_start", "period_end", "baseline_value", "target_value", "set_at",
            "superseded_at",
        ],
    },
)  # fmt: skip
def target_attainment(scorecard: pd.DataFrame, targets: pd.DataFrame):
    """Target attainment: targets met, out of the targets that the data can judge (met or missed, not open); by KPI, the
    way covered from the baseline to the target.

    Counted are the targets whose time meets the period, of each KPI and segment the latest that was not superseded
    before the period's end. Without a baseline, or with one that had reached the target, there is no way to cover: a
    KPI's own figure is 1 when met and 0 when missed.
    """
    rows = _with_figures(_standing(targets, scorecard), scorecard)
    met, judged = int((rows["target_state"] == "met").sum()), int(rows["target_state"].isin(JUDGED).sum())
    shown = [row for row in rows.to_dict("records") if _tells(row)]
    parts = {_name(row): _attained(row) for row in shown}
    facts = {"n": len(rows), "numerator": met, "denominator": judged, "parts": {"kpi": parts}}
    if judged == 0:
        return modelled(None, status="undefined", reason=NOTHING_TO_JUDGE, **facts)
    return modelled(met / judged, **facts)


def _standing(targets, scorecard):
    """The targets of the period, the latest of each KPI and segment that still stood at the period's end."""
    whole = scorecard[scorecard["segment_by"] == "total"]
    if whole.empty:
        return targets.iloc[:0]
    first, last = pd.Timestamp(whole["period_start"].min()), pd.Timestamp(whole["period_end"].max())
    starts, ends = pd.to_datetime(targets["period_start"]), pd.to_datetime(targets["period_end"])
    replaced = pd.to_datetime(targets["superseded_at"])
    stood = replaced.isna() | (replaced >= last + pd.Timedelta(days=1))
    standing = targets[(starts <= last) & (ends >= first) & stood]
    return standing.sort_values(["set_at", "target_id"]).drop_duplicates(["kpi_id", "segment"], keep="last")


def _with_figures(targets, scorecard):
    """Each target beside the row aimed at: its segment is ``total``, a segment's name or ``breakdown=segment``."""
    figures = scorecard.drop(columns=["period_start", "period_end"])
    named = figures.assign(aim=figures["segment_by"] + "=" + figures["segment"])
    both = pd.concat([figures.assign(aim=figures["segment"]), named]).drop_duplicates(["kpi", "aim"])
    both = both.drop(columns=["segment_by", "segment"])
    return targets.merge(both, left_on=["kpi_id", "segment"], right_on=["kpi", "aim"], how="left")


def _name(row):
    return row["kpi_id"] if row["segment"] == "total" else f"{row['kpi_id']} {row['segment']}"


def _way(row):
    way = row["target_value"] - row["baseline_value"]
    return None if pd.isna(way) or way == 0 else way


def _was_reached(row):
    """The target asks for less than the baseline was: the figure lies where the verdict says, against the way."""
    beyond = (row["value"] - row["target_value"]) * (row["target_value"] - row["baseline_value"])
    return (row["target_state"] == "met" and beyond < 0) or (row["target_state"] == "missed" and beyond > 0)


def _tells(row):
    """Whether there is anything to say of one target: it has a figure, and a baseline or a verdict."""
    return row["target_state"] in JUDGED or (row["target_state"] == "open" and (row["status"] != "ok" or _way(row)))


def _attained(row):
    """How far the way from baseline to target is covered, with status and interval of the KPI's own figure."""
    if row["status"] != "ok":
        return modelled(None, status=row["status"], reason=row["reason"])
    way = _way(row)
    if way is None or _was_reached(row):
        return modelled(float(row["target_state"] == "met"))
    value, *ends = ((row[name] - row["baseline_value"]) / way for name in ("value", "low", "high"))
    low, high = (None, None) if pd.isna(ends[0]) or pd.isna(ends[1]) else sorted(map(float, ends))
    return modelled(float(value), low=low, high=high)


DEFINITIONS = (target_attainment,)
