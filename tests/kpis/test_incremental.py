"""Increments, worked by hand in the shop of six customers."""

from __future__ import annotations

import json
from typing import Any

import pytest

from kpis.enrolment_shop import SPENT, YEAR, client, memberships, monthly
from tiny_client import only, receipt, row, run, shop

NOTHING = {"general_discount": 0, "variable_cost": 0}


def _row(kpi: str, tables: dict, segment: str = "total", **more: Any) -> dict[str, Any]:
    return row(run(tables, **{**YEAR, **more}, catalog=only(kpi)), kpi, segment)


def test_incremental_margin() -> None:
    """p1, p3 and p5 enrol in August, seven months after their first purchase; all baskets are 10, so ntile pairs p1
    with p2, p3 with p4, p5 with p6. Net sales a month from September to December less those before, members minus their
    controls: p1 +5 against 0, p3 0 against -5, p5 -10 against -10: together 10 a month, 40 in four months, half of it
    margin: 20 over 12 member-months. Three members are no basis (rule D): neither it nor its readings are shown.
    """
    found = _row("incremental_margin", client())
    assert (found["value"], found["status"], found["grade"], found["n"]) == (None, "low_n", "C", 3)
    few = {"id": "reason.too_few_for_effect", "treated": 3, "controls": 3, "minimum": 200}
    assert json.loads(found["reason"]) == few
    reading = _row("incremental_margin", client(), "risk_set")
    assert (reading["value"], reading["status"]) == (pytest.approx(20), "low_n")
    assert json.loads(reading["reason"]) == few


def test_bracket_of_the_incremental_margin() -> None:
    """p2 enrols in December: the only later enroller. Against p2 alone p1 gains 2.50 a month: 30 in 12 member-months.
    Never enrolled are p4 and p6: p3 gains 2.50, p5 nothing, 10 in eight member-months, 15 in 12.
    """
    results = run(client(), **YEAR, catalog=only("incremental_margin"))
    ends = [row(results, "incremental_margin", name)["value"] for name in ("later_enrollers", "never_enrolled")]
    assert sorted(ends) == pytest.approx([15, 30])
    whole = row(results, "incremental_margin")
    assert whole["low"] <= 15
    assert whole["high"] >= 30


def test_what_the_margin_is() -> None:
    """Margin before loyalty benefits: gross - general discount - cost of goods - variable cost. Of 10 net: gross 12, of
    which 1 general and 1 loyalty discount, goods 5, variable 1: 5, so the 40 of net sales are 20 of margin again. The
    loyalty discount is not taken off.
    """
    shares = {"gross_amount": 1.2, "general_discount": 0.1, "loyalty_discount": 0.1, "cogs": 0.5, "variable_cost": 0.1}
    tables = {**client(), **shop(*monthly(**shares))}
    assert _row("incremental_margin", tables, "risk_set")["value"] == pytest.approx(20)


def test_returns_are_taken_off_the_original_purchase() -> None:
    """In October p1 buys for 30 more and returns it in November: not a purchase, and no change."""
    line = {"gross_amount": 30, "general_discount": 0, "cogs": 15, "variable_cost": 0, "channel": "store"}
    back = {name: -value if isinstance(value, int) else value for name, value in line.items()}
    extra = (
        receipt(900, "2023-10-20", 30, "p1", line_id="sold", **line),
        receipt(901, "2023-11-20", -30, "p1", return_of_line_id="sold", **back),
    )
    assert _row("incremental_margin", client(*extra), "risk_set")["value"] == pytest.approx(20)


def test_anonymous_buyers_do_not_count() -> None:
    extra = (receipt(900, "2023-09-20", 500, None, gross_amount=500, cogs=1, channel="store"),)
    assert _row("incremental_margin", client(*extra), "risk_set")["value"] == pytest.approx(20)


def test_nobody_enrolled_before_is_not_identified() -> None:
    """All six enrol with their first purchase in January: no history, nobody to compare with."""
    tables = client(memberships=memberships(dict.fromkeys(SPENT, "2023-01-10")))
    found = _row("incremental_margin", tables)
    assert (found["value"], found["status"], found["grade"]) == (None, "not_identified", "D")
    assert json.loads(found["reason"])["text"] == "The increment cannot be identified with these data."


def test_everybody_enrols_at_once() -> None:
    found = _row("incremental_margin", client(memberships=memberships(dict.fromkeys(SPENT, "2023-08-10"))))
    assert (found["status"], found["grade"]) == ("not_identified", "D")


def test_history_can_be_asked_to_be_longer() -> None:
    """With eight months needed nobody who enrols in August has been a customer long enough."""
    results = run(
        client(), **YEAR, catalog=only("incremental_margin"), settings={"enrolment_risk": {"history_months": 8}}
    )
    assert row(results, "incremental_margin")["status"] == "not_identified"


def test_only_the_months_of_the_period_count() -> None:
    """In November and December 5 a month: 10, the enrolment in August lies before the period."""
    found = _row("incremental_margin", client(), "risk_set", period="2023-11-01/2023-12-31")
    assert found["value"] == pytest.approx(10)


def test_all_members_are_a_second_line() -> None:
    """Member-months after enrolment: p1, p3 and p5 have four each, p2 none (December is the month of enrolment). A
    member since 2020 adds 12: the same effect in 24 instead of 12 member-months, bounds twice as wide.
    """
    tables = client(memberships=memberships({"p1": "2023-08-10", "p2": "2023-12-10", "p3": "2023-08-10",
                                             "p5": "2023-08-10", "old": "2020-01-01"}))  # fmt: skip
    results = run(tables, **YEAR, catalog=only("incremental_margin"))
    whole, every = row(results, "incremental_margin"), row(results, "incremental_margin", "all_members")
    assert (every["low"], every["high"]) == pytest.approx((2 * whole["low"], 2 * whole["high"]))


def test_incremental_revenue_and_its_components() -> None:
    """40 in all. Observed 4 * (15 + 10 + 0) = 100, without it 60. Members bought in eight of 12 months; their controls'
    change is -4 months (p6) where they lost -4 (p5) too: no effect on months with a purchase, nor on purchases in
    them. All of it is basket.
    """
    results = run(client(), **YEAR, catalog=only("incremental_revenue"))
    value = {name: row(results, "incremental_revenue", name)["value"] for name in ("survival", "frequency", "basket")}
    assert value == pytest.approx({"survival": 0, "frequency": 0, "basket": 40}, abs=1e-9)
    assert row(results, "incremental_revenue", "risk_set")["value"] == pytest.approx(40)


def test_survival_is_told_from_basket() -> None:
    """p5 now stays and spends 10 as before, against p6 who left: +40 in all from being there. Observed 140, without it
    60; months with a purchase 12 instead of 8 (Y 1 against 2/3), spend 140/12 instead of 60/8. Logarithmic mean of 140
    and 60 is 80 / ln(7/3) = 94.42: survival 94.42 ln(12/8) = 38.28, basket 94.42 ln(11.667/7.5) = 41.72.
    """
    tables = {**client(), **shop(*monthly({**SPENT, "p5": (10, 10)}, cogs=0.5))}
    results = run(tables, **YEAR, catalog=only("incremental_revenue"))
    value = {name: row(results, "incremental_revenue", name)["value"] for name in ("survival", "frequency", "basket")}
    assert value == pytest.approx({"survival": 38.28, "frequency": 0, "basket": 41.72}, abs=0.01)


def test_incremental_revenue_share() -> None:
    """Net sales of the year: 8 * 60 + 4 * 40 = 640, and 60 anonymous: 700. The bracket is twice that of the margin, 30
    and 60: bounds of at most 30/670 and at least 60/640. Of the members' own sales 40 of 60 without it.
    """
    extra = (receipt(900, "2023-09-20", 60, None, channel="store", gross_amount=60),)
    results = run(client(*extra), **YEAR, catalog=only("incremental_revenue_share"))
    whole = row(results, "incremental_revenue_share")
    assert (whole["status"], whole["value"]) == ("low_n", None)
    assert whole["low"] <= 30 / 670 + 1e-12
    assert whole["high"] >= 60 / 640 - 1e-12
    own = [row(results, "incremental_revenue_share", n)["value"] for n in ("of_members_own", "first_three_months")]
    assert own == pytest.approx([40 / 60, 30 / 45])


def test_identified_member_share() -> None:
    """p1, p3 and p5 have seven months of history and a control. p2 enrols in December with ten months of it, but
    only p4 buys then too, with a smaller basket: no control. new joined at the first purchase, old before the data:
    3 of 6. By margin before benefits since the month of enrolment: p1 5 + 4 * 7.5 = 35, p3 25, p5 5; p2 5, new 3:
    65 of 73.
    """
    extra = (receipt(900, "2023-11-20", 6, "new", channel="store", gross_amount=6, cogs=3, **NOTHING),)
    enrolled = {"p1": "2023-08-10", "p2": "2023-12-10", "p3": "2023-08-10", "p5": "2023-08-10"}
    tables = client(*extra, memberships=memberships({**enrolled, "new": "2023-11-20", "old": "2020-01-01"}))
    results = run(tables, **YEAR, catalog=only("identified_member_share"))
    found = row(results, "identified_member_share")
    assert (found["value"], found["numerator"], found["denominator"]) == (0.5, 3, 6)
    assert found["status"] == "low_n"
    assert row(results, "identified_member_share", "by_margin")["value"] == pytest.approx(65 / 73)


def test_a_control_of_another_stratum_is_no_control() -> None:
    """Without p6 the third of the baskets that p5 is in holds p5 alone: p1 and p3 of p1, p2, p3 and p5 are left."""
    spent = {c: s for c, s in SPENT.items() if c != "p6"}
    tables = {**client(), **shop(*monthly(spent, cogs=0.5))}
    found = _row("identified_member_share", tables)
    assert (found["numerator"], found["denominator"]) == (2, 4)


def test_selection_gap() -> None:
    """Member since before 2023: old, who spends 30 a month. Never enrolled by the end: p4 (8 * 10 + 4 * 5 = 100) and p6
    (80) in 24 customer-months: 7.5 a month, p6's four empty months kept. Gap a year 12 * 22.5 = 270. Who enrols in 2023
    is neither. The effect per member-year is 12 * 40 / 12 = 40: not shown, for three members.
    """
    old = tuple(receipt(900 + m, f"2023-{m:02d}-15", 30, "old", channel="store", gross_amount=30) for m in range(1, 13))
    tables = client(*old, memberships=[*memberships(), *memberships({"old": "2022-01-01"})])
    results = run(tables, **YEAR, catalog=only("selection_gap"))
    assert row(results, "selection_gap", "naive_gap")["value"] == pytest.approx(270)
    whole, effect = row(results, "selection_gap"), row(results, "selection_gap", "effect_per_member_year")
    assert whole["status"] == "low_n"
    assert whole["low"] <= 1 - effect["high"] / 270 + 1e-9
    assert whole["high"] >= 1 - effect["low"] / 270 - 1e-9


def test_selection_gap_needs_a_gap() -> None:
    """Without members since before the period there is no gap to explain."""
    found = _row("selection_gap", client())
    assert (found["status"], json.loads(found["reason"])) == ("undefined", {"id": "reason.zero_denominator"})


def test_the_naive_gap_stands_without_any_effect() -> None:
    tables = client(memberships=memberships(dict.fromkeys(("p1", "p3", "p5"), "2022-06-01")))
    results = run(tables, **YEAR, catalog=only("selection_gap"))
    assert row(results, "selection_gap")["status"] == "not_identified"
    assert row(results, "selection_gap", "naive_gap")["value"] == pytest.approx(12 * (340 / 36 - 300 / 36))


def test_channel_as_a_stratum() -> None:
    """p2 buys on the web: apart from p1 when channels are strata, so p1 has no control. p3 gains 5 a month, p5 nothing:
    20 of net sales in four months, 10 of margin.
    """
    tables = client()
    for head in tables["transactions"]:
        head["channel"] = "web" if head["customer_id"] == "p2" else "store"
    catalog = only("incremental_margin")
    apart = run(tables, **YEAR, catalog=catalog, settings={"enrolment_risk": {"by_channel": True}})
    together = run(tables, **YEAR, catalog=catalog)
    assert row(apart, "incremental_margin", "risk_set")["value"] == pytest.approx(10)
    assert row(together, "incremental_margin", "risk_set")["value"] == pytest.approx(20)


def test_products_without_points() -> None:
    """All of what is bought earns no points: the placebo is the whole increment, 20 in 12 member-months. Where all
    products earn points there is none.
    """
    tables = client()
    for line in tables["order_lines"]:
        line["product_id"] = "plain"
    tables["products"] = [{"product_id": "plain", "points_eligible": False}]
    results = run(tables, **YEAR, catalog=only("incremental_margin"))
    assert row(results, "incremental_margin", "products_without_points")["value"] == pytest.approx(20 / 12)
    tables["products"] = [{"product_id": "plain", "points_eligible": True}]
    found = row(
        run(tables, **YEAR, catalog=only("incremental_margin")), "incremental_margin", "products_without_points"
    )
    assert json.loads(found["reason"])["text"] == "Every product earns points, or it is not known which do."
