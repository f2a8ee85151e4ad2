"""The page of ``simulations.coverage``: how often each interval held its KPI's value on the population."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from kpibook.stats.intervals import wilson

LEAST, MOST = 0.93, 0.97
_FEWEST = 30
#: Intervals about something else than the drawing of customers.
OTHER_DESIGN = {
    "total_programme_cost": "all members are counted; its interval is that of the points yet to be redeemed",
    "programme_cost_per_active_member": "likewise: only the cost's estimate varies, not who is a member",
    "employee_satisfaction": "its interval is for a finite staff of whom most answered, not for ever new staff",
    "employee_turnover": "staff are the same in every sample",
}
_HEAD = (
    "| KPI | reading | estimate | n | replicates | coverage | Monte-Carlo interval | mean width / spread | |\n"
    "|---|---|---|---:|---:|---:|---:|---:|---|"
)


@dataclass(frozen=True)
class Line:
    """``width``: mean half-width over 1.96 standard deviations of the values; 1 is what a normal interval has."""

    kpi: str
    reading: str
    kind: str
    n: float
    replicates: int
    held: int
    width: float

    @property
    def coverage(self) -> float:
        return self.held / self.replicates

    @property
    def verdict(self) -> str:
        if self.replicates < _FEWEST:
            return "too few replicates"
        return "below 93 %" if self.coverage < LEAST else "above 97 %" if self.coverage > MOST else ""

    def row(self) -> str:
        low, high = wilson(self.held, self.replicates)
        width = "" if np.isnan(self.width) else f"{self.width:.2f}"
        cells = [
            f"`{self.kpi}`", self.reading, self.kind, f"{self.n:,.0f}", str(self.replicates),
            f"{100 * self.coverage:.1f} %", f"{100 * low:.1f} to {100 * high:.1f}", width, self.verdict,
        ]  # fmt: skip
        return "| " + " | ".join(cells) + " |"


def lines(truth: pd.DataFrame, drawn: pd.DataFrame, kpis: Sequence[tuple[str, str, str]]) -> list[Line]:
    """One a reading that has an interval and is ok on the population; the change to the year before is a reading."""
    keys = ["kpi", "segment_by", "segment"]
    found = {}
    for value, low, high, change in (("value", "low", "high", False), ("change", "change_low", "change_high", True)):
        known = truth[(truth["status"] == "ok") & truth[low].notna() & (truth[low] < truth[high])]
        known = known[~known["kpi"].isin(OTHER_DESIGN)]
        if change:
            known = known[known["segment_by"] == "total"]
        joined = drawn.merge(known[[*keys, value]].rename(columns={value: "true"}), on=keys)
        joined = joined[(joined["status"] == "ok") & joined[low].notna() & joined["true"].notna()]
        held = (joined[low] <= joined["true"]) & (joined["true"] <= joined[high])
        joined = joined.assign(held=held, half=(joined[high] - joined[low]) / 2, figure=joined[value])
        groups = joined.groupby(keys).agg(
            n=("n", "mean"), size=("held", "size"), held=("held", "sum"), half=("half", "mean"), sd=("figure", "std")
        )
        for (kpi, _, segment), row in groups.iterrows():
            spread = 1.96 * row["sd"]
            reading = "change" if change else "" if segment == "total" else segment
            found[kpi, reading] = (
                row["n"],
                int(row["size"]),
                int(row["held"]),
                row["half"] / spread if spread else np.nan,
            )
    kinds = {kpi: kind for kpi, _, kind in kpis}
    place = {kpi: i for i, (kpi, _, _) in enumerate(kpis)}
    ordered = sorted(found, key=lambda key: (place[key[0]], key[1] != "", key[1]))
    return [Line(kpi, reading, kinds[kpi], *found[kpi, reading]) for kpi, reading in ordered]


def page(truth: pd.DataFrame, drawn: pd.DataFrame, replicates: int, kpis: Sequence[tuple[str, str, str]]) -> str:
    every = lines(truth, drawn, kpis)
    head = [line for line in every if not line.reading]
    further = [line for line in every if line.reading]
    families = dict.fromkeys(family for _, family, _ in kpis)
    parts = [_INTRODUCTION.format(replicates=replicates, **_counts(head)), "## Headlines"]
    for family in families:
        own = [line.row() for line in head if line.kpi in {k for k, f, _ in kpis if f == family}]
        if own:
            parts += [f"### {family.capitalize()}", "\n".join([_HEAD, *own])]
    if further:
        text = "Further readings of the same KPIs, and changes to the year before: {within} of {all} within 93 to 97 %."
        parts += ["## Variants and changes", text.format(**_counts(further))]
        parts.append("\n".join([_HEAD, *(line.row() for line in further)]))
    shown = {line.kpi for line in head}
    absent = [_absent(kpi, truth, drawn) for kpi, _, _ in kpis if kpi not in shown]
    if absent:
        parts += ["## Without a line above", "\n".join(absent)]
    return "\n\n".join(parts) + "\n"


def _counts(every: Sequence[Line]) -> dict[str, int]:
    judged = [line for line in every if line.replicates >= _FEWEST]
    return {
        "all": len(judged),
        "within": sum(not line.verdict for line in judged),
        "below": sum(line.coverage < LEAST for line in judged),
        "above": sum(line.coverage > MOST for line in judged),
    }


def _absent(kpi: str, truth: pd.DataFrame, drawn: pd.DataFrame) -> str:
    own = truth[(truth["kpi"] == kpi) & (truth["segment_by"] == "total")]
    status = own["status"].iloc[0] if len(own) else "not computed"
    if kpi in OTHER_DESIGN:
        return f"- `{kpi}`: {OTHER_DESIGN[kpi]}"
    if status != "ok":
        return f"- `{kpi}`: {status} on the population"
    if own["low"].isna().all() or (own["low"] == own["high"]).all():
        return f"- `{kpi}`: no interval (a count of everything, or exact)"
    return f"- `{kpi}`: not ok in any replicate ({drawn[drawn['kpi'] == kpi]['status'].value_counts().to_dict()})"


_INTRODUCTION = """# Coverage of the intervals

How often does a nominal 95 % interval hold the value that it is about? The population is Marea, the generated client:
7,000 customers with everything that is theirs, anonymous receipts, visitors, tickets and respondents. {replicates}
samples of as many units are drawn from it with replacement: a customer whole, with household and the friends brought;
an anonymous receipt with its returns; each other anonymous person alone. The engine computes every KPI on each sample,
as it would for a client. Counted is whether the interval holds the KPI's value on the whole population, wherever the
sample's status is `ok`. Written by `python -m simulations.coverage --replicates {replicates}`.

Of {all} headline figures with an interval {within} lie within 93 to 97 %, {below} below, {above} above. The
Monte-Carlo interval says how far {replicates} replicates can tell. *Mean width / spread* is the mean half-width of the
intervals over 1.96 standard deviations of the values: below 1 an interval is narrower than the figure varies, above 1
wider.

What this does not show: whether the figure measures the right thing. A causal figure can hold its value on the
population and miss the truth; that is docs/known_truth.md. Costs, targets, benchmarks and staff are the same in every
sample."""
