"""Retention time, win-back and net revenue retention, worked by hand."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from kpibook.stats.repeat_buying import fit
from kpis.customer_cases import bought, figure, people, results, view_rows
from loyalty_kpis.lifetime import net_revenue_retention, retention_time
from tiny_client import receipt, row, shop

LOST_30 = {"settings": {"purchase_sequence": {"lost_days": 30}}}
DAYS = {
    "anna": ["2024-02-01", "2024-02-11"],
    "bea": ["2024-03-01"],
    "carl": ["2024-01-20", "2024-02-10"],
    "dora": ["2024-11-01", "2024-11-21", "2024-12-11", "2024-12-31"],
    "emil": ["2024-12-10"],
    "fay": ["2024-04-01", "2024-04-20", "2024-07-01"],
    "hal": ["2024-01-15", "2024-05-01"],
}
RECORDS = {"anna": "2024-02-01", "bea": "2024-03-01", "carl": "2023-12-01", "dora": "2024-11-05"}
RECORDS |= {"emil": "2024-12-10", "fay": "2024-03-31"}


def relations() -> dict:
    """Also gus, whose only purchase came back in full, and a purchase of nobody known."""
    tables = people(**DAYS)
    more = [*bought("gus", "2024-06-01", first=90, line_id="sold"), *bought(None, "2024-06-01", first=91)]
    more += bought("gus", "2024-06-02", first=92, amount=-10, return_of_line_id="sold")
    extra = shop(*more)
    merged = {name: [*tables[name], *extra[name]] for name in tables}
    records = [{"customer_id": name, "created_at": day} for name, day in {**RECORDS, "gus": "2024-06-01"}.items()]
    return merged | {"customers": records}


def test_tenures() -> None:
    """Lost after 30 days; data of 2024, so who has not come back by 2 December has left.

    Anna left on 11 February, bea on her first day, carl after 71 days, first seen after 50; fay on 1 July: she had come
    back from a longer silence. Dora, on record only after her first purchase, is still there on 1 December, 30 days
    after it. Emil came too late to be judged; nobody knows when hal, without a day of record, began before 15 January;
    gus never kept a purchase.
    """
    found = view_rows("tenures", "retention_time", relations(), data="2024-01-01/2024-12-31", **LOST_30)
    rows = {r.customer_id: (r.entered_days, r.lasted_days, r.defected) for r in found.itertuples()}
    assert rows == {
        "anna": (0, 10, True),
        "bea": (0, 0, True),
        "carl": (50, 71, True),
        "dora": (0, 30, False),
        "fay": (0, 91, True),
    }


def test_retention_time() -> None:
    """At 0 days four are at risk and bea leaves: 3/4; at 10 anna of three: 1/2; at 71 carl, at risk from 50 on, of two,
    dora being censored: 1/4; at 91 fay, the last. Median 10. Within 730 days 10 * 3/4 + 61 * 1/2 + 20 * 1/4 = 43.
    """
    found = results("retention_time", relations(), data="2024-01-01/2024-12-31", **LOST_30)
    median = row(found, "retention_time")
    assert (median["value"], median["n"], median["status"]) == (10, 5, "low_n")
    assert json.loads(median["reason"]) == {"id": "reason.too_few_at_risk", "n": 3, "minimum": 30}
    for name in ("rmst_24_months", "rmst_36_months"):
        assert row(found, "retention_time", name)["value"] == pytest.approx(43)
    table = found.tables["retention_time"]
    assert list(zip(table["time"], table["at_risk"], table["events"], strict=True)) == [
        (0, 4, 1), (10, 3, 1), (71, 2, 1), (91, 1, 1)
    ]  # fmt: skip
    assert table["survival"].tolist() == pytest.approx([3 / 4, 1 / 2, 1 / 4, 0])


def _tenures(*persons: tuple[int, int, bool]) -> pd.DataFrame:
    frame = pd.DataFrame(persons, columns=["entered_days", "lasted_days", "defected"])
    return frame.assign(customer_id=[f"p{i}" for i in range(len(frame))])


def test_retention_time_that_most_outlast() -> None:
    """Ten of forty left by day 40, thirty are still there after 800: no median; within 730 days 10 * 40 + 30 * 730 over
    40; three years nobody has been followed.
    """
    found = retention_time(_tenures(*[(0, 40, True)] * 10, *[(0, 800, False)] * 30))
    assert (found.value, found.status, json.loads(found.reason)["id"]) == (
        None, "undefined", "reason.curve_does_not_cross"
    )  # fmt: skip
    means = found.parts["variant"]
    assert (means["rmst_24_months"].value, means["rmst_24_months"].status) == (pytest.approx(557.5), "ok")
    assert means["rmst_36_months"].value is None
    assert json.loads(means["rmst_36_months"].reason) == {
        "text": "Nobody has been followed for {days} days, at most for {followed}.", "days": 1095, "followed": 800
    }  # fmt: skip


def test_retention_time_rests_on_its_weakest_step() -> None:
    """A hundred old customers join at day 100, but of the young only five are at risk when the first leaves."""
    found = retention_time(_tenures(*[(0, 3, True)] * 3, *[(0, 90, True)] * 2, *[(100, 400, True)] * 100))
    assert (found.value, found.status) == (3, "low_n")
    assert json.loads(found.reason)["n"] == 5


LAPSED = {
    "anna": ["2024-05-01", "2024-08-01"],
    "bea": ["2024-05-31", "2024-09-29"],
    "carl": ["2024-06-01", "2024-07-15"],
    "dora": ["2024-01-10"],
}
SECOND_HALF = {"period": "2024-07-01/2024-12-31", **LOST_30}


def test_reactivation_rate() -> None:
    """On 1 July anna is silent for 61 days, bea for 31, carl for 30 and so not lost, dora for longer. Within 90 days,
    by 28 September, anna is back; bea comes on the 29th: 1 of 3. A receipt that was returned brings nobody back.
    """
    tables = people(**LAPSED)
    back = shop(
        *bought("dora", "2024-08-05", first=80, line_id="sold"),
        *bought("dora", "2024-08-09", first=81, amount=-10, return_of_line_id="sold"),
        *bought(None, "2024-08-05", first=82),
    )
    merged = {name: [*tables[name], *back[name]] for name in tables}
    found = results("reactivation_rate", merged, **SECOND_HALF)
    headline = row(found, "reactivation_rate")
    assert (headline["value"], headline["numerator"], headline["denominator"]) == (pytest.approx(1 / 3), 1, 3)
    assert headline["status"] == "low_n"
    (verdict,) = found.computability
    assert (verdict.state, verdict.lost) == ("partly", ("incremental",))


def test_reactivation_rate_waits_until_its_days_are_over() -> None:
    found = figure("reactivation_rate", people(**LAPSED), data="2022-01-01/2024-09-27", **SECOND_HALF)
    assert (found["value"], found["status"]) == (None, "undefined")
    found = figure("reactivation_rate", people(**LAPSED), data="2022-01-01/2024-09-28", **SECOND_HALF)
    assert found["denominator"] == 3


def test_reactivation_by_random_campaigns() -> None:
    """Eight lost on 1 August are drawn: of the four treated two are back within 90 days, of the four controls one:
    2/4 - 1/4. A ninth, who had just bought, and a tenth, who was not drawn at random, do not count.
    """
    names = [f"p{i}" for i in range(10)]
    days = {name: ["2024-03-01"] for name in names}
    for i in (0, 1, 4, 9):
        days[f"p{i}"].append("2024-09-01")
    days["p8"].append("2024-07-20")
    drawn = [
        {"campaign_id": "k", "customer_id": name, "assigned_at": "2024-08-01 09:00:00"}
        | {"arm": "treatment" if i < 4 or i > 7 else "control", "is_random": i != 9}
        for i, name in enumerate(names)
    ]
    tables = people(**days) | {"campaign_targets": drawn}
    found = figure("reactivation_rate", tables, "incremental", **SECOND_HALF)
    assert (found["value"], found["status"]) == (pytest.approx(0.25), "low_n")


SPENDS = [("anna", 100, 40), ("bea", 50, 100), ("carl", 70, 0), ("dora", 0, 500)]


def _two_years() -> dict:
    receipts = []
    for i, (name, before, now) in enumerate(SPENDS):
        receipts += [receipt(i, "2023-06-01", before, name, line_id=f"s{i}")] if before else []
        receipts += [receipt(10 + i, "2024-06-01", now, name)] if now else []
    receipts += [receipt(20, "2024-01-20", -20, "anna", return_of_line_id="s0")]
    receipts += [receipt(21, "2024-06-01", 900), receipt(22, "2022-06-01", 900, "dora")]
    return shop(*receipts)


def test_net_revenue_retention() -> None:
    """2023: anna 80 after a return that came in 2024, bea 50, carl 70: 200. 2024: 40, 100 and nothing: 140. Counting of
    bea no more than her 50: 90. Dora is new to the year before and strangers are nobody's.
    """
    found = results("net_revenue_retention", _two_years())
    headline = row(found, "net_revenue_retention")
    assert [headline[k] for k in ("value", "numerator", "denominator", "n")] == [pytest.approx(0.7), 140, 200, 3]
    assert json.loads(headline["reason"]) == {"id": "reason.too_few_customers", "n": 3, "minimum": 100}
    gross = row(found, "net_revenue_retention", "gross_retention")
    assert [gross[k] for k in ("value", "numerator", "denominator")] == [pytest.approx(0.45), 90, 200]
    chance = row(found, "net_revenue_retention", "gross_retention_by_chance")
    assert (chance["status"], json.loads(chance["reason"])) == (
        "undefined", {"text": "Nobody bought on two days of the earlier year."}
    )  # fmt: skip


def test_net_revenue_retention_without_anybody_before_or_history() -> None:
    new = shop(receipt(1, "2024-06-01", 10, "anna"))
    assert figure("net_revenue_retention", new)["status"] == "undefined"
    assert figure("net_revenue_retention", new, data="2023-02-01/2024-12-31")["status"] == "missing_data"


def steady(persons: int = 3000, seed: int = 8, shape: float = 3.0) -> pd.DataFrame:
    """Spending years of persons who do not change; low users spend up to 20. ``shape`` is that of their purchases."""
    rng = np.random.default_rng(seed)
    rates, scales = rng.gamma(1.0, 4.0, persons), rng.gamma(6.0, 1 / 25.0, persons)
    counts = [rng.poisson(rates) for _ in range(2)]
    spends = [rng.gamma(shape * np.maximum(n, 1e-9)) * 3 / shape / scales * (n > 0) for n in counts]
    classes = [
        np.select([n == 0, s <= 20, s <= 90], ["lost", "low", "medium"], "heavy")
        for n, s in zip(counts, spends, strict=True)
    ]
    frame = {"customer_id": [f"p{i}" for i in range(persons)], "low_to": 20.0}
    for name, n, s, c in zip(("before", "now"), counts, spends, classes, strict=True):
        frame |= {f"bought_{name}": n, f"spend_{name}": s, f"class_{name}": c}
    return pd.DataFrame(frame)


def test_gross_retention_of_a_steady_market_is_what_chance_expects() -> None:
    """Nobody changes, everybody's purchases are all alike: gross retention is still far below 1. Rates are gamma with
    shape 1 and mean 4: of next year's purchases (1 + 4)**-2 are made by who did not buy this year, net retention is
    0.96.
    """
    years = steady(shape=1e6)
    found = net_revenue_retention(years)
    gross, chance = (found.parts["variant"][k] for k in ("gross_retention", "gross_retention_by_chance"))
    assert gross.value < 0.85
    assert chance.value == pytest.approx(gross.value, abs=0.02)
    assert chance.low < chance.value < chance.high
    assert found.low < 0.96 < found.high
    then = years[years["bought_before"] > 0]
    kept = fit(then["bought_before"])[0].at_most(then["bought_before"]) / then["bought_before"]
    assert chance.value == pytest.approx((then["spend_before"] * kept).sum() / then["spend_before"].sum(), rel=1e-9)


def test_chance_is_as_sure_as_refits_say() -> None:
    """The interval of the expectation against 25 computations over redrawn persons."""
    years = steady(700)
    then = years[years["bought_before"] > 0].reset_index(drop=True)
    chance = net_revenue_retention(then).parts["variant"]["gross_retention_by_chance"]
    rng, refits = np.random.default_rng(1), []
    for _ in range(25):
        own = then.iloc[rng.integers(0, len(then), len(then))]
        kept = fit(own["bought_before"])[0].at_most(own["bought_before"]) / own["bought_before"]
        refits.append((own["spend_before"] * kept).sum() / own["spend_before"].sum())
    assert (chance.high - chance.low) / 3.92 == pytest.approx(np.std(refits), rel=0.35)
