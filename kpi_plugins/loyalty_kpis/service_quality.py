"""Service quality: what customers expect of service against what they perceive (SERVQUAL)."""

from __future__ import annotations

from functools import cached_property
from math import erfc, sqrt
from typing import Any

import numpy as np
import pandas as pd

from kpibook import because, kpi, modelled
from kpibook.once import once
from kpibook.rules import reason
from kpibook.stats.multiplicity import holm
from kpibook.stats.reliability import cronbach_alpha
from kpibook.stats.respondent_bootstrap import percentile, person_sums, replicates
from loyalty_kpis.survey_figures import ANSWERS, asked, counting, nothing, share_of, with_parts

DIMENSIONS = {"R": "reliability", "A": "assurance", "T": "tangibles", "E": "empathy", "RS": "responsiveness"}
RESPONDENT = ["survey_id", "wave_id", "customer_id"]
PAIR = ["dimension", "item_no", "expected", "perceived", "points", "answered_on", "left_out", "late", "hole"]
COLUMNS = {"servqual_items": [*RESPONDENT, *PAIR]}
ENOUGH = 100
MET = -1e-9
MIDPOINT, EXPECTED_SCALE = 5.5, "1-10"


@kpi(
    unit="points",
    better="higher",
    family="satisfaction",
    question="Is service as good as customers expect?",
    columns=COLUMNS,
)
def servqual_gap(servqual_items: pd.DataFrame, *, min_items: float = 0.8):
    """SERVQUAL gap, overall: mean over respondents of perception minus expectation from 1 to 7: the mean of the item
    gaps inside each dimension, dimensions weighted by the respondent's own 100 points (equally without them).

    Respondents with both halves, at least min_items of the items and one of every dimension. The variants: listwise
    (all items), equal_weights and item_mean (each item alike), the same two listwise, mean_weights (mean weights on
    mean gaps, listwise), servperf (perceptions only) and expectations, mean of dimension means.
    """
    held = _respondents(servqual_items, min_items)
    if held.refusal is not None:
        return held.refusal
    further = {"equal_weights": held.mean("equal"), "item_mean": held.mean("items")}
    further |= {"servperf": held.mean("perceived"), "expectations": held.mean("expected")}
    whole = _respondents(servqual_items, 1.0)
    if whole.refusal is None:
        further["listwise"] = whole.mean("weighted")
        further["listwise_equal_weights"] = whole.mean("equal")
        further["listwise_item_mean"] = whole.mean("items")
        further["mean_weights"] = whole.mean_weights()
        further["listwise_servperf"] = whole.mean("perceived")
        further["listwise_expectations"] = whole.mean("expected")
    return with_parts(held.mean("weighted"), **held.table(servqual_items), parts={"variant": further})


@kpi(
    unit="points",
    better="higher",
    family="satisfaction",
    question="Which of the five dimensions needs attention?",
    columns=COLUMNS,
)
def servqual_dimension_gap(servqual_items: pd.DataFrame, *, min_items: float = 0.8):
    """SERVQUAL gap by dimension (RATER): of the five dimensions the one with the largest shortfall; the gap of one is
    the mean over respondents of the mean of its item gaps, perception minus expectation from 1 to 7.

    Respondents as in servqual_gap. The interval of the headline allows for its being the lowest of five; the table has
    Cronbach's alpha of the item gaps, perceptions alone (SERVPERF) and Holm's p value by dimension. The variants
    listwise_ need all items.
    """
    held = _respondents(servqual_items, min_items)
    if held.refusal is not None:
        return held.refusal
    gaps = {name: held.mean(f"gap_{code}") for code, name in DIMENSIONS.items()}
    errors = [held.error(f"gap_{code}") for code in DIMENSIONS]
    p_values = holm(
        [
            erfc(abs(f.value) / e / sqrt(2)) if e > 0 else float(f.value == 0)
            for f, e in zip(gaps.values(), errors, strict=True)
        ]
    )
    rows = [
        {
            "dimension": name,
            "gap": gaps[name].value,
            "low": gaps[name].low,
            "high": gaps[name].high,
            "p_holm": p,
            "expected": float(held.frame[f"expected_{code}"].mean()),
            "perceived": float(held.frame[f"perceived_{code}"].mean()),
            "alpha": held.alpha(servqual_items, code),
            "respondents": len(held.frame),
        }
        for (code, name), p in zip(DIMENSIONS.items(), p_values, strict=True)
    ]
    whole = _respondents(servqual_items, 1.0)
    further = {} if whole.refusal else {f"listwise_{n}": whole.mean(f"gap_{c}") for c, n in DIMENSIONS.items()}
    worst = min(gaps, key=lambda name: gaps[name].value)
    code = next(c for c, name in DIMENSIONS.items() if name == worst)
    which = because("The dimension with the largest shortfall is {dimension:own}.", dimension=worst)
    headline = held.mean(f"gap_{code}", confidence=1 - 0.05 / len(DIMENSIONS))
    dimensions = {name: with_parts(gap, persons=None) for name, gap in gaps.items()}  # no group of persons
    parts = {"servqual_dimension": dimensions, "variant": further}
    beside = {"table": pd.DataFrame(rows), "table_persons": "respondents"}
    return with_parts(headline, reason=headline.reason or which, parts=parts, **beside)


@kpi(
    unit="percent",
    better="higher",
    family="satisfaction",
    question="For how many customers did we meet or beat expectations?",
    columns={**COLUMNS, "survey_answers": ANSWERS},
)
def expectation_met_rate(servqual_items: pd.DataFrame, survey_answers: pd.DataFrame, *, min_items: float = 0.8):
    """Expectations met or exceeded: respondents whose weighted SERVQUAL gap is 0 or more, out of those with a gap; in a
    period without SERVQUAL, weighted answers to SAT_EXPECT of at least the midpoint 5.5 on a scale from 1 to 10.
    """
    stated = asked(survey_answers, "SAT_EXPECT")
    other = stated["left_out"].isna() & (stated["scale"] != EXPECTED_SCALE)
    stated = stated.assign(left_out=stated["left_out"].where(~other, "other_scale"))
    known = counting(stated)
    further = {"sat_expect": share_of(known["score"] >= MIDPOINT, known)} if len(known) else {}
    parts = {"parts": {"variant": further}}
    held = _respondents(servqual_items, min_items)
    if held.refusal is None:
        people = held.frame.assign(weight=1.0, respondent_id=held.frame["customer_id"])
        basis = because("Measured by the SERVQUAL gap of {n} respondents.", n=len(people))
        return with_parts(share_of(people["weighted"] >= MET, people, why=basis), **parts)
    if len(known):
        basis = because("No SERVQUAL that counts in the period: measured by SAT_EXPECT, {n} answers.", n=len(known))
        return with_parts(share_of(known["score"] >= MIDPOINT, known, why=basis), **parts)
    return held.refusal if len(servqual_items) else nothing(stated)


class _Held:
    """Respondents that count: one row each, with their gaps; ``refusal`` when there is nothing to say."""

    def __init__(self, frame: pd.DataFrame, refusal=None) -> None:
        self.frame, self.refusal = frame, refusal
        self.codes = pd.factorize(frame["customer_id"])[0] if len(frame) else np.array([], int)

    def mean(self, column: str, confidence: float = 0.95):
        """Mean over respondents, bootstrapped by person."""
        low, high = percentile(self._drawn(column), confidence)
        n = len(self.frame)
        few = n < ENOUGH
        why = reason("too_few_persons", n=n, minimum=ENOUGH) if few else ""
        facts = {"n": n, "persons": len(np.unique(self.codes)), "status": "low_n" if few else "ok", "reason": why}
        return modelled(float(self.frame[column].mean()), low=low, high=high, **facts)

    def error(self, column: str) -> float:
        return float(self._drawn(column).std(ddof=1))

    def mean_weights(self):
        """Mean weights applied to mean gaps."""
        value = sum(float(self.frame[f"weight_{c}"].mean() * self.frame[f"gap_{c}"].mean()) for c in DIMENSIONS)
        base = self.mean("weighted")
        return with_parts(base, value=value, low=None, high=None)

    def alpha(self, items: pd.DataFrame, code: str) -> float | None:
        own = items[items["dimension"] == code].assign(gap=lambda t: t["perceived"] - t["expected"])
        wide = own.pivot(index=RESPONDENT, columns="item_no", values="gap").dropna()
        return cronbach_alpha(wide.to_numpy(float))

    def table(self, items: pd.DataFrame) -> dict[str, Any]:
        """How many respondents count, and why the others do not."""
        everybody = items.groupby(RESPONDENT).ngroups
        late = items[items["late"]].groupby(RESPONDENT).ngroups
        own = int((self.frame["own_weights"]).sum())
        counts = {"respondents": everybody, "counted": len(self.frame), "with_own_weights": own}
        counts |= {"expectations_asked_afterwards": late, "answers_left_out": int(items["left_out"].sum())}
        table = pd.DataFrame({"what": list(counts), "number": list(counts.values())})
        return {"table": table, "table_persons": everybody}

    def _drawn(self, column: str) -> np.ndarray:
        return self._means[:, self._columns.get_loc(column)]

    @cached_property
    def _columns(self) -> pd.Index:
        return self.frame.select_dtypes("number").columns

    @cached_property
    def _means(self) -> np.ndarray:
        """Means of all columns over resamples of the persons."""
        values = np.column_stack([self.frame[self._columns].to_numpy(float), np.ones(len(self.frame))])
        drawn = replicates(person_sums(values, self.codes))
        return drawn[:, :-1] / drawn[:, -1:]


@once
def _respondents(items: pd.DataFrame, min_items: float) -> _Held:
    """Those with at least ``min_items`` of their survey's items in both halves, and one of every dimension."""
    if items.empty:
        return _Held(items, modelled(None, status="undefined", reason=reason("no_rows"), n=0))
    holes = sorted(items["hole"].dropna().unique())
    if holes:
        missing = because(
            "Nobody answered both halves of every item; missing: {items}. No dimension is averaged over fewer items.",
            items=", ".join(holes),
        )
        return _Held(items.iloc[:0], modelled(None, status="missing_data", reason=missing, n=0))
    groups = items.groupby(RESPONDENT, sort=True)
    who = groups.size().index
    items = items.assign(person=groups.ngroup())
    items = items[items["person"] >= 0]
    pairs = items.dropna(subset=["expected", "perceived"]).assign(gap=lambda t: t["perceived"] - t["expected"])
    size = items.drop_duplicates(["survey_id", "dimension", "item_no"]).groupby("survey_id").size()
    cells = {value: _means(pairs, value, len(who)) for value in ("gap", "expected", "perceived")}
    answered = np.bincount(pairs["person"], minlength=len(who))
    enough = answered >= min_items * size.reindex(who.get_level_values("survey_id")).to_numpy() - 1e-9
    kept = np.flatnonzero(enough & ~np.isnan(np.column_stack(list(cells.values()))).any(axis=1))
    if not len(kept):
        none = because(
            "None of {n} respondents has both halves of at least {share:percent} of the items on a scale from 1 to 7.",
            n=len(who),
            share=min_items,
        )
        return _Held(items.iloc[:0], modelled(None, status="undefined", reason=none, n=0))
    frame = who[kept].to_frame(index=False)
    named = {f"{value}_{code}": means[kept, i] for value, means in cells.items() for i, code in enumerate(DIMENSIONS)}
    return _Held(_measured(frame.assign(**named), kept, pairs, _weights(items, len(who))[kept]))


def _means(rows: pd.DataFrame, column: str, persons: int) -> np.ndarray:
    """Means of a column by ``person`` (rows) and dimension, in their order; not a number where nothing is known."""
    values = rows[column].to_numpy(dtype=float)
    code = pd.Categorical(rows["dimension"], categories=list(DIMENSIONS)).codes
    known = (code >= 0) & ~np.isnan(values)
    place = (rows["person"].to_numpy() * len(DIMENSIONS) + code)[known]
    sums, counts = (np.bincount(place, w, persons * len(DIMENSIONS)) for w in (values[known], np.ones(known.sum())))
    found = np.divide(sums, counts, out=np.full(len(sums), np.nan), where=counts > 0)
    return found.reshape(persons, len(DIMENSIONS))


def _weights(items: pd.DataFrame, persons: int) -> np.ndarray:
    """Each respondent's points as shares of their sum, equal where an allocation is incomplete; last, whether own."""
    points = _means(items, "points", persons)
    whole = points.sum(axis=1)
    own = ~np.isnan(points).any(axis=1) & (whole > 0) & (points >= 0).all(axis=1)
    shares = np.divide(points, whole[:, None], out=np.full(points.shape, 1 / len(DIMENSIONS)), where=own[:, None])
    return np.column_stack([shares, own])


def _measured(frame: pd.DataFrame, kept: np.ndarray, pairs: pd.DataFrame, weights: np.ndarray) -> pd.DataFrame:
    values = {f"weight_{code}": weights[:, i] for i, code in enumerate(DIMENSIONS)}
    made = frame.assign(**values)
    made["weighted"] = sum(made[f"weight_{c}"] * made[f"gap_{c}"] for c in DIMENSIONS)
    for name, value in (("equal", "gap"), ("expected", "expected"), ("perceived", "perceived")):
        made[name] = made[[f"{value}_{c}" for c in DIMENSIONS]].to_numpy().mean(axis=1)
    sums, counts = (np.bincount(pairs["person"], w)[kept] for w in (pairs["gap"], np.ones(len(pairs))))
    made["items"] = sums / counts
    return made.assign(own_weights=weights[:, -1].astype(bool))


DEFINITIONS = (servqual_gap, servqual_dimension_gap, expectation_met_rate)
