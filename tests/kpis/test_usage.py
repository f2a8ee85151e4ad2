"""Usage classes, concentration and RFM, worked by hand."""

from __future__ import annotations

import json
from datetime import date, timedelta

import ibis
import numpy as np
import pyarrow as pa
import pytest

from kpis.person_shop import compute, figure, row, spenders
from loyalty_kpis.usage import pareto_share
from tiny_client import receipt, shop

YEARS = {"period": "2024-01-01/2024-12-31", "compare": "2023-01-01/2023-12-31"}
SPENT = spenders(
    ("2023-06-01", {"anna": 10, "bea": 20, "carl": 30, "dora": 40, "emil": 50}),
    ("2024-06-01", {"anna": 45, "bea": 35, "carl": 30, "dora": 30, "fay": 100}),
)


def test_usage_classes_keep_the_cut_points_of_the_comparison_period() -> None:
    """2023: three of five spend up to 30 (P50), four up to 40 (P80). 2024 by these: carl and dora low, bea (35) medium,
    anna (45) and fay (100) heavy, with 145 of 240. By its own cut points (35 and 45) only fay would be heavy.
    """
    results = compute("usage_class_share", SPENT, **YEARS, data="2022-01-01/2024-12-31")
    assert figure("usage_class_share", results) == (pytest.approx(0.4), 2, 5, "low_n")
    assert figure("usage_class_share", results, "medium")[0] == pytest.approx(0.2)
    assert figure("usage_class_share", results, "low")[0] == pytest.approx(0.4)
    assert figure("usage_class_share", results, "revenue_of_heavy")[:3] == (pytest.approx(145 / 240), 145, 240)
    assert figure("usage_class_share", results, "revenue_of_low")[1] == 60
    assert figure("usage_class_share", results, period="previous")[:3] == (pytest.approx(0.2), 1, 5)
    assert json.loads(row(results, "usage_class_share")["reason"]) == {
        "id": "reason.too_few_cases",
        "n": 5,
        "minimum": 30,
    }


def test_usage_classes_take_their_own_cut_points_when_the_comparison_is_not_covered() -> None:
    """Data from June 2023: 2023 has no full year. 2024: P50 = 35, P80 = 45, so fay alone is heavy."""
    results = compute("usage_class_share", SPENT, **YEARS, data="2023-06-01/2024-12-31")
    assert figure("usage_class_share", results)[:3] == (pytest.approx(0.2), 1, 5)
    assert figure("usage_class_share", results, period="previous")[3] == "missing_data"


def test_usage_classes_without_comparison() -> None:
    results = compute("usage_class_share", SPENT, YEARS["period"], data="2022-01-01/2024-12-31")
    assert figure("usage_class_share", results)[:3] == (pytest.approx(0.2), 1, 5)


def test_usage_classes_by_percent_rank_are_those_of_each_window() -> None:
    """2024 in the order of spend: carl and dora (30), bea (35), anna (45), fay (100) at 0, 0.25, 0.5, 0.75 and 1: up to
    0.5 low, anna medium, fay heavy. 2023: anna, bea and carl low, dora medium, emil heavy, whatever 2024 was.
    """
    settings = {"classes": "percent_rank"}
    results = compute("usage_class_share", SPENT, **YEARS, data="2022-01-01/2024-12-31", settings=settings)
    assert figure("usage_class_share", results)[:3] == (pytest.approx(0.2), 1, 5)
    assert figure("usage_class_share", results, "medium")[1] == 1
    assert figure("usage_class_share", results, "low")[1] == 3
    assert figure("usage_class_share", results, "revenue_of_low")[1:3] == (95, 240)
    assert figure("usage_class_share", results, "revenue_of_heavy", period="previous")[1:3] == (50, 150)


def test_pareto_share() -> None:
    """2024: a fifth of five persons is one, fay: 100 of 240. 2023: emil, 50 of 150."""
    results = compute("pareto_share", SPENT, **YEARS, data="2022-01-01/2024-12-31")
    assert figure("pareto_share", results) == (pytest.approx(100 / 240), 100, 240, "low_n")
    assert figure("pareto_share", results, period="previous")[:3] == (pytest.approx(1 / 3), 50, 150)
    assert json.loads(row(results, "pareto_share")["reason"]) == {
        "id": "reason.too_few_customers",
        "n": 5,
        "minimum": 100,
    }


def test_pareto_share_of_the_tenth_and_gini() -> None:
    """30, 30, 35, 45, 100 of 240: a tenth of five is one person; Gini 2 (30 + 60 + 105 + 180 + 500) / (5 x 240) - 6/5.
    Of equal spends it is 0.
    """
    results = compute("pareto_share", SPENT, YEARS["period"], data="2022-01-01/2024-12-31")
    assert figure("pareto_share", results, "top_10_percent")[:3] == (pytest.approx(100 / 240), 100, 240)
    assert figure("pareto_share", results, "gini")[0] == pytest.approx(1750 / 1200 - 1.2)
    assert row(results, "pareto_share", "gini")["unit"] == "ratio"
    equal = spenders(("2024-06-01", {"a": 5, "b": 5, "c": 5}))
    results = compute("pareto_share", equal, YEARS["period"], data="2022-01-01/2024-12-31")
    assert figure("pareto_share", results, "gini")[0] == pytest.approx(0)


def test_pareto_share_rounds_the_fifth_up_and_leaves_strangers_out() -> None:
    """A fifth of six persons is two: 6 + 5 of 21; the anonymous 500 are nobody's. Of equals, one is enough."""
    days = spenders(("2024-06-01", {"a": 6, "b": 5, "c": 4, "d": 3, "e": 2, "f": 1, None: 500}))
    results = compute("pareto_share", days, YEARS["period"], data="2022-01-01/2024-12-31")
    assert figure("pareto_share", results)[1:3] == (pytest.approx(11), 21)
    ties = spenders(("2024-06-01", {"a": 5, "b": 5, "c": 1, "d": 1, "e": 1}))
    results = compute("pareto_share", ties, YEARS["period"], data="2022-01-01/2024-12-31")
    assert figure("pareto_share", results)[1:3] == (5, 13)


def test_pareto_share_knows_that_its_fifth_could_be_others() -> None:
    """100 persons: 20 spend 11 to 30, 80 spend 5. The fifth is the 20, its smallest spend 11; parts are 11/5 = 2.2 for
    the 80 and x - 11 + 2.2 for the 20: together 410 of 810. With R = 410/810 the residuals part - R x have the
    standard error sqrt(100/99 * sum of squares) / 810.
    """
    spends = {f"p{i}": (i + 11 if i < 20 else 5) for i in range(100)}
    days = spenders(("2024-06-01", spends))
    found = row(compute("pareto_share", days, YEARS["period"], data="2022-01-01/2024-12-31"), "pareto_share")
    share = 410 / 810
    squares = sum((x - 11 + 2.2 - share * x) ** 2 for x in range(11, 31)) + 80 * (2.2 - share * 5) ** 2
    error = (100 / 99 * squares) ** 0.5 / 810
    assert (found["value"], found["status"]) == (pytest.approx(share), "ok")
    assert found["high"] - found["low"] == pytest.approx(2 * 1.959964 * error, rel=1e-6)


def test_pareto_shares_scatter_as_their_standard_error_says() -> None:
    """200 periods of 400 other persons each, spends lognormal with sigma 0.8."""
    times, persons = 200, 400
    spends = np.random.default_rng(4).lognormal(3, 0.8, (times, persons))
    ends = [date(2000, 1, 1) + timedelta(days=40 * i) for i in range(times)]
    bought = {
        "customer_id": [f"{i}-{j}" for i in range(times) for j in range(persons)],
        "business_date": [end - timedelta(days=1) for end in ends for _ in range(persons)],
        "net_amount": spends.ravel(),
        "cogs": np.zeros(times * persons),
    }
    first = [date(1999, 1, 1)] * times
    periods = ibis.memtable(pa.table({"period_id": range(times), "start": first, "end": ends, "data_start": first}))
    estimate = pareto_share(ibis.memtable(pa.table(bought)), periods, window_days=30)
    found = ibis.duckdb.connect().to_pyarrow(estimate.base.to_expr().order_by("period_id"))
    ranked = np.sort(spends, axis=1)
    place = np.arange(1, persons + 1)
    wanted = {
        "fifth": ranked[:, -persons // 5 :].sum(axis=1) / spends.sum(axis=1),
        "tenth": ranked[:, -persons // 10 :].sum(axis=1) / spends.sum(axis=1),
        "unequal": 2 * (ranked * place).sum(axis=1) / (persons * spends.sum(axis=1)) - (persons + 1) / persons,
    }
    for name, figures in wanted.items():
        parts, amounts = (found[column].to_numpy().reshape(times, persons) for column in (name, "amount"))
        shares = parts.sum(axis=1) / amounts.sum(axis=1)
        np.testing.assert_allclose(shares, figures, rtol=1e-9)
        squares = ((parts - shares[:, None] * amounts) ** 2).sum(axis=1)
        errors = np.sqrt(persons / (persons - 1) * squares) / amounts.sum(axis=1)
        assert errors.mean() == pytest.approx(shares.std(), rel=0.15)


@pytest.mark.parametrize("kpi", ["pareto_share", "rfm_segments"])
def test_rankings_of_everybody_are_not_cut_by_columns(kpi: str) -> None:
    """Whoever is heavy is in the top fifth by construction."""
    results = compute(kpi, SPENT, **YEARS, data="2022-01-01/2024-12-31", breakdowns=("usage_class", "quarter"))
    assert set(results.scorecard["segment_by"]) - {"variant", "quarter"} == {"total"}


def test_usage_classes_know_that_their_cut_points_are_estimated() -> None:
    """2023: ten persons spend 10 to 100; P50 is 50, with half of them up to it; 2024 the other way round.

    Between P40 and P60 stood two (50, 60) and stand two, with 110: each person up to 50 in 2023 takes 1 from today's
    low users and 55 from their spend, less the mean of that, 0.5 and 27.5. Low: 0.5 of ten; deviations -1 of those
    who spent up to 50 before, 1 of the others: squares 10, standard error sqrt(10 x 10/9) / 10 = 0.3333 (with cut
    points taken as known: 0.1667). Revenue 150 of 550; deviations -27.5 - 150/550 of the spend of the five who spent
    100 to 60, 27.5 + 400/550 of that of the others: squares 24,926, error sqrt(24,926 x 10/9) / 550 = 0.30258.
    """
    before = {name: 10 * (i + 1) for i, name in enumerate("abcdefghij")}
    now = {name: 110 - spend for name, spend in before.items()}
    shop = spenders(("2023-06-01", before), ("2024-06-01", now))
    results = compute("usage_class_share", shop, **YEARS, data="2022-01-01/2024-12-31")
    for name, value, error in (("low", 0.5, 1 / 3), ("revenue_of_low", 150 / 550, 0.30258)):
        found = row(results, "usage_class_share", name)
        ends = (value - 1.959964 * error, value + 1.959964 * error)
        assert (found["low"], found["high"]) == pytest.approx(ends, abs=1e-4), name


def test_usage_classes_by_margin() -> None:
    """2024, own cut points 35 and 45: net minus cost 5 anna, 5 bea, 20 carl, 20 dora, 50 fay; heavy is fay, medium
    anna, low the three others: 50, 5 and 45 of 100.
    """
    costs = {"anna": (45, 40), "bea": (35, 30), "carl": (30, 10), "dora": (30, 10), "fay": (100, 50)}
    receipts = [receipt(i, "2024-06-01", net, who, cogs=cogs) for i, (who, (net, cogs)) in enumerate(costs.items())]
    results = compute("usage_class_share", shop(*receipts), YEARS["period"], data="2022-01-01/2024-12-31")
    names = ("heavy", "medium", "low")
    found = [figure("usage_class_share", results, f"margin_of_{name}")[:3] for name in names]
    assert found == [(pytest.approx(part / 100), pytest.approx(part), 100) for part in (50, 5, 45)]


def test_usage_classes_without_the_cost_of_goods() -> None:
    results = compute("usage_class_share", SPENT, **YEARS, data="2022-01-01/2024-12-31", without=["order_lines.cogs"])
    (verdict,) = results.computability
    lost = ("margin_of_heavy", "margin_of_medium", "margin_of_low")
    assert (verdict.state, verdict.lost, verdict.missing) == ("partly", lost, ("order_lines.cogs",))


def test_rfm_segments() -> None:
    """Five persons, each better than the one before in all three: scores 1 to 5. Dora and emil have all >= 4."""
    receipts, number = [], 0
    for place, name in enumerate(["anna", "bea", "carl", "dora", "emil"], 1):
        for visit in range(place):
            number += 1
            receipts.append(receipt(number, f"2024-0{place}-0{visit + 1}", 10, name))
    receipts.append(receipt(99, "2024-06-30", 500))
    results = compute("rfm_segments", shop(*receipts), "2024-01-01/2024-06-30")
    assert figure("rfm_segments", results) == (2, 2, None, "ok")
    table = results.tables["rfm_segments"]
    assert [(r.row, r.column, r.numerator) for r in table.itertuples()] == [
        (f"R{i}F{i}", f"M{i}", 1) for i in range(1, 6)
    ]


def test_rfm_ties_share_a_score_and_returns_do_not_count() -> None:
    """All bought once on one day except emil, twice. His purchase of 12 May was returned in full, so he has one too:
    frequency and recency are equal for all, score 1; money 10, 20, 30, 40, 50 scores 1 to 5.
    """
    spends = {"anna": 10, "bea": 20, "carl": 30, "dora": 40, "emil": 50}
    tables = spenders(("2024-05-01", spends))
    tables["transactions"] += [
        {"transaction_id": t, "ts": "2024-05-12 09:00:00", "customer_id": "emil"} for t in ("s", "r")
    ]
    tables["order_lines"] += [
        {"transaction_id": "s", "line_id": "s", "net_amount": 5},
        {"transaction_id": "r", "line_id": "r", "net_amount": -5, "return_of_line_id": "s"},
    ]
    results = compute("rfm_segments", tables, "2024-01-01/2024-06-30", data="2024-01-01/2024-06-30")
    assert figure("rfm_segments", results)[0] == 0
    table = results.tables["rfm_segments"]
    assert [(r.row, r.column) for r in table.itertuples()] == [("R1F1", f"M{i}") for i in range(1, 6)]


def test_rfm_by_ntile_gives_equal_persons_different_scores() -> None:
    """Five persons who bought alike stand in the order of their names: scores 1 to 5, dora and emil 4 and more."""
    tables = spenders(("2024-05-01", dict.fromkeys(["emil", "dora", "carl", "bea", "anna"], 10)))
    results = compute("rfm_segments", tables, "2024-01-01/2024-06-30", settings={"scores": "ntile"})
    assert figure("rfm_segments", results)[0] == 2
    table = results.tables["rfm_segments"]
    assert [(r.row, r.column) for r in table.itertuples()] == [(f"R{i}F{i}", f"M{i}") for i in range(1, 6)]


@pytest.mark.parametrize(("frequency", "scores"), [("days", {"R1F1"}), ("receipts", {"R1F1", "R1F5"})])
def test_rfm_frequency_is_days_or_receipts(frequency: str, scores: set[str]) -> None:
    """All five bought on 1 May, emil with two receipts: one day as everybody, but two receipts."""
    tables = spenders(("2024-05-01", dict.fromkeys(["anna", "bea", "carl", "dora", "emil"], 10)))
    tables["transactions"] += [{"transaction_id": "s", "ts": "2024-05-01 09:00:00", "customer_id": "emil"}]
    tables["order_lines"] += [{"transaction_id": "s", "line_id": "s", "net_amount": 5}]
    results = compute("rfm_segments", tables, "2024-01-01/2024-06-30", settings={"frequency": frequency})
    assert {r.row for r in results.tables["rfm_segments"].itertuples()} == scores


def test_rfm_cut_points_are_those_of_the_comparison_period() -> None:
    """First half-year: money 10 to 50, one day each. Second: everybody spends 45, above the cut points 10, 20, 30, 40,
    on two days, above 1; and comes as near to the end as nobody did before: all five score 5, 5, 5.
    """
    first = {n: 10 * i for i, n in enumerate(["anna", "bea", "carl", "dora", "emil"], 1)}
    tables = spenders(
        ("2023-10-01", first), ("2024-06-29", dict.fromkeys(first, 15)), ("2024-06-30", dict.fromkeys(first, 30))
    )
    results = compute(
        "rfm_segments", tables, "2024-01-01/2024-06-30", "2023-07-01/2023-12-31", data="2023-07-01/2024-06-30"
    )
    assert figure("rfm_segments", results)[0] == 5
    assert figure("rfm_segments", results, period="previous")[0] == 0


def test_rfm_by_margin_needs_the_cost_of_goods() -> None:
    """With cogs of 49 emil's margin is the lowest, and dora, 40 with no cost, the best."""
    costs = {"anna": (10, 0), "bea": (20, 0), "carl": (30, 0), "dora": (40, 0), "emil": (50, 49)}
    receipts, number = [], 0
    for place, (name, (amount, cogs)) in enumerate(costs.items(), 1):
        for visit in range(place):
            number += 1
            part = {"cogs": cogs / place}
            receipts.append(receipt(number, f"2024-0{place}-0{visit + 1}", amount / place, name, **part))
    results = compute("rfm_segments", shop(*receipts), "2024-01-01/2024-06-30")
    assert figure("rfm_segments", results)[0] == 2
    assert figure("rfm_segments", results, "by_margin")[0] == 1
    without = compute("rfm_segments", shop(*receipts), "2024-01-01/2024-06-30", without=["order_lines.cogs"])
    (verdict,) = without.computability
    assert (verdict.state, verdict.lost, verdict.missing) == ("partly", ("by_margin",), ("order_lines.cogs",))
