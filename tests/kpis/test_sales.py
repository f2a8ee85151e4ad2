"""Sales KPIs against figures worked out by hand."""

from __future__ import annotations

import pytest

from kpibook.engine.compute import Results
from kpis.sales_cases import CATALOGUE, KNOWN, PERIOD, SHOP, YEARS, back, copies, of, only, reason, sale, tables, values
from tiny_client import only as single
from tiny_client import receipt, row, run
from tiny_client import shop as sold


@pytest.fixture(scope="module")
def shop() -> Results:
    chosen = {"avg_receipt": {"trim": 0.25}}
    return run(SHOP, PERIOD, catalog=only(), breakdowns=("month",), settings=chosen, data=KNOWN)


def test_net_sales(shop: Results) -> None:
    """r1 60 + r10 70 + r11 -20 + r13 20 + r14 30 + r15 10 = 170, of which 60 in January.

    On the day of return: January r1 100 + r3 30 - r4 30 + r9 50 = 150; February r2 -40 + r10 20 + r11 -20
    + r13 20 + r14 45 + r15 10 = 35.
    """
    found = row(shop, "net_sales")
    assert (found["value"], found["low"], found["high"], found["status"]) == (170, 170, 170, "ok")
    assert values(shop, "net_sales", "month") == {"2024-01": 60, "2024-02": 110}
    assert values(shop, "net_sales", "variant") == {"return_day": 185}


def test_net_sales_by_identification() -> None:
    """Ten such shops: with card 60 + 30 + 10, known without card 70 - 20, unknown 20. Of one shop it is not told."""
    parts = {"member": 1000, "identified": 500, "anonymous": 200}
    assert values(_net_sales(10), "net_sales", "identification") == parts
    hidden = run(copies(SHOP, 1), PERIOD, catalog=only("net_sales"), data=KNOWN, min_persons=10)
    assert values(hidden, "net_sales", "identification") == dict.fromkeys(parts)
    assert reason(row(hidden, "net_sales", "member")) == {"id": "reason.privacy", "minimum": 10}


def _net_sales(times: int) -> Results:
    return run(copies(SHOP, times), PERIOD, catalog=only("net_sales"), data=KNOWN)


def test_avg_receipt(shop: Results) -> None:
    """190 / 5 = 38; the median of 10, 20, 30, 60, 70 is 30; between its quartiles 20 and 60 the mean is 110 / 3.

    Three buyers: c1, c2, the anonymous one of r13.
    """
    found = row(shop, "avg_receipt")
    assert (found["value"], found["numerator"], found["denominator"], found["n"]) == (38, 190, 5, 3)
    assert found["status"] == "low_n"
    assert reason(found) == {"id": "reason.too_few_customers", "n": 3, "minimum": 100}
    assert values(shop, "avg_receipt", "month") == {"2024-01": 60, "2024-02": 32.5}
    assert values(shop, "avg_receipt", "variant") == pytest.approx({"median": 30, "trimmed_mean": 110 / 3})


@pytest.mark.parametrize(("known", "low", "high"), [(True, 14, 27), (False, 16, 25)])
def test_the_median_receipt_varies_by_person(known: bool, low: float, high: float) -> None:
    """1, 2 … 40 paid twice each: the median lies between ranks 40 and 41. Of strangers 80 * 0.5 * 0.5 = 20 is the
    variance of the number below, 1.96 * 4.472 = 8.8: ranks 31 and 50. Of 40 persons each has 0 or 2 of 2 below, 1 from
    the expected: 40, and 1.96 * 6.325 = 12.4: ranks 27 and 54.
    """
    amounts = [1 + i // 2 for i in range(80)]
    rows = [receipt(i, "2024-01-10", x, f"c{x}" if known else None) for i, x in enumerate(amounts)]
    found = row(run(sold(*rows), PERIOD, catalog=single("avg_receipt"), data=KNOWN), "avg_receipt", "median")
    assert (found["value"], found["low"], found["high"], found["n"]) == (20.5, low, high, 80)


def test_the_trimmed_receipt_varies_with_its_limits() -> None:
    """1, 2 … 120 paid by as many: within 2.19 and 118.81 lie 3 … 118, on average 60.5. Squares around it, with the four
    beyond moved to the limits: 116 * (116² - 1) / 12 + 4 * 58.31² = 143,665.2; times 120/119, its root over 116 is
    3.28122, and 1.959964 times that 6.43107.
    """
    rows = [receipt(i, "2024-01-10", i, f"c{i}") for i in range(1, 121)]
    found = row(run(sold(*rows), PERIOD, catalog=single("avg_receipt"), data=KNOWN), "avg_receipt", "trimmed_mean")
    assert (found["denominator"], found["n"], found["status"]) == (116, 116, "ok")
    assert found["value"] == pytest.approx(60.5)
    assert (found["low"], found["high"]) == pytest.approx((60.5 - 6.43107, 60.5 + 6.43107), abs=1e-4)


def test_avg_receipt_card(shop: Results) -> None:
    """(60 + 30 + 10) / 3; c1 alone shows a card."""
    found = row(shop, "avg_receipt_card")
    assert (found["value"], found["denominator"], found["n"]) == (pytest.approx(100 / 3), 3, 1)
    assert values(shop, "avg_receipt_card", "month") == {"2024-01": 60, "2024-02": 20}


def test_avg_receipt_no_card(shop: Results) -> None:
    """(70 + 20) / 2: c2 70, unknown 20."""
    assert row(shop, "avg_receipt_no_card")["value"] == 45
    assert values(shop, "avg_receipt_no_card", "variant") == {"identified": 70, "anonymous": 20}
    assert values(shop, "avg_receipt_no_card", "month") == {"2024-02": 45}


def test_avg_receipt_gap(shop: Results) -> None:
    """100 / 3 - 45 = -35 / 3, that is 20 / 27 - 1 of the receipt without card; nobody buys without card in January."""
    assert row(shop, "avg_receipt_gap")["value"] == pytest.approx(-35 / 3)
    assert row(shop, "avg_receipt_gap", "percent")["value"] == pytest.approx(20 / 27 - 1)
    assert values(shop, "avg_receipt_gap", "month") == {"2024-01": None, "2024-02": 20 - 45}
    january = row(shop, "avg_receipt_gap", "2024-01")
    assert (january["status"], reason(january)) == ("undefined", {"id": "reason.zero_denominator"})


def test_the_gap_among_like_receipts_and_within_persons() -> None:
    """Strata with both kinds: Monday noon 30, 50 against 20, 40; Tuesday noon 100 against 60.

    With card (30 + 50 + 100) / 3 = 60; without, at the mix of two Mondays and a Tuesday, (2 x 30 + 60) / 3 = 40.
    The other store's 500 and the evening's 7 have no counterpart. Raw: 680 / 4 - 127 / 4.
    Within persons: c1 (30 + 100) / 2 - 60 = 5, c2 (50 + 500) / 2 - 40 = 235, mean 120; c3 never shows a card.
    """
    monday, next_monday, tuesday = "2024-01-01", "2024-01-08", "2024-01-09"
    till = tables(
        sale("r1", monday, 30, by="c1", card="m1"),
        sale("r2", next_monday, 50, by="c2", card="m2"),
        sale("r3", monday, 20, by="c3"),
        sale("r4", next_monday, 40, by="c2"),
        sale("r5", tuesday, 100, by="c1", card="m1"),
        sale("r6", tuesday, 60, by="c1"),
        sale("r7", monday, 500, by="c2", card="m2", store_id="s2"),
        sale("r8", monday, 7, hour=18),
        sale("r9", "2023-12-31", 1000, by="c1"),
        sale("r10", "2023-12-31", 1, by="c1", card="m1"),
    )
    found = run(till, "2024-01-01/2024-01-31", catalog=only("avg_receipt_gap"))
    assert row(found, "avg_receipt_gap")["value"] == pytest.approx(680 / 4 - 127 / 4)
    assert values(found, "avg_receipt_gap", "variant") == pytest.approx(
        {"percent": 680 / 127 - 1, "like_for_like": 20, "within_person": 120}
    )
    within = row(found, "avg_receipt_gap", "within_person")
    assert (within["n"], within["status"]) == (2, "low_n")


def test_avg_receipt_change_by_price_units_and_mix() -> None:
    """17.50 to 26 a receipt: 35 / 2 in 2023, (36 + 8 + 8) / 2 in 2024, one of four a having come back.

    Units: 4 / 2 to 6 / 2, half as many again. Price: a and b of 2024 cost 36 + 8 = 44, at the prices of 2023
    3 x 10 + 2 x 5 = 40. Mix, d being new: 26 / 17.5 = 1.5 x 1.1 x (1 + mix). With card 25 to 44, without 10 to 8.
    """
    found = run(YEARS, "2024-01-01/2024-01-31", "2023-01-01/2023-01-31", catalog=only("avg_receipt_change"))
    total = row(found, "avg_receipt_change")
    assert (total["value"], total["n"]) == (pytest.approx(26 / 17.5 - 1), 2)
    assert values(found, "avg_receipt_change", "variant") == pytest.approx(
        {"card": 0.76, "no_card": -0.2, "price": 0.1, "units": 0.5, "mix": 26 / 17.5 / 1.65 - 1}
    )
    assert set(found.scorecard.period) == {"current"}


def test_avg_receipt_change_needs_a_comparison() -> None:
    found = row(run(YEARS, "2024-01-01/2024-01-31", catalog=only("avg_receipt_change")), "avg_receipt_change")
    assert (found["status"], found["reason"]) == ("missing_data", '{"id": "reason.no_comparison"}')


def test_spend_per_customer(shop: Results) -> None:
    """c1 60 + 30 + 10, c2 70: 85 each; the refund of nobody knows what is no purchase. In January c1 alone."""
    found = row(shop, "spend_per_customer")
    assert (found["value"], found["numerator"], found["n"], found["status"]) == (85, 170, 2, "low_n")
    assert reason(found) == {"id": "reason.too_few_persons", "n": 2, "minimum": 30}
    assert values(shop, "spend_per_customer", "month") == {"2024-01": 60, "2024-02": 55}


def test_spend_of_members_and_others() -> None:
    """c1 enrolled on the day before the first, c2 enrols in February: at the start no member."""
    found = run(copies(SHOP, 30), PERIOD, catalog=only("spend_per_customer"), data=KNOWN)
    assert values(found, "spend_per_customer", "member") == {"member": 100, "non_member": 70}
    assert row(found, "spend_per_customer", "member")["n"] == 30
    without = run(copies(SHOP | {"memberships": []}, 30), PERIOD, catalog=only("spend_per_customer"), data=KNOWN)
    assert values(without, "spend_per_customer", "member") == {"unknown": 85}


def test_member_revenue_share(shop: Results) -> None:
    """(60 + 30 + 10) / 170; c2 is enrolled from 11 February on, the day of the refund: (100 - 20) / 170."""
    found = row(shop, "member_revenue_share")
    assert (found["value"], found["numerator"], found["denominator"]) == (pytest.approx(100 / 170), 100, 170)
    assert row(shop, "member_revenue_share", "persons")["value"] == pytest.approx(80 / 170)
    assert values(shop, "member_revenue_share", "month") == pytest.approx({"2024-01": 1, "2024-02": 40 / 110})


def test_identified_sales_share(shop: Results) -> None:
    """Four of five purchases; of revenue 150 / 170."""
    found = row(shop, "identified_sales_share")
    assert (found["value"], found["numerator"], found["denominator"], found["status"]) == (0.8, 4, 5, "low_n")
    assert row(shop, "identified_sales_share", "by_revenue")["value"] == pytest.approx(150 / 170)
    assert values(shop, "identified_sales_share", "month") == {"2024-01": 1, "2024-02": 0.75}


def test_changes_of_shares_have_an_interval() -> None:
    """January against February, forty such shops: 1 of 1 purchases has a person, then 3 of 4."""
    chosen = only("identified_sales_share")
    found = run(copies(SHOP, 40), "2024-02-01/2024-02-29", "2024-01-01/2024-01-31", catalog=chosen, data=KNOWN)
    change = row(found, "identified_sales_share")
    assert change["change"] == pytest.approx(-0.25)
    assert change["change_low"] < -0.25 < change["change_high"]


def test_cross_sell_rate() -> None:
    """100 days before 1 April is 23 December. Two of five: c1 and c3.

    c1: first bought in November; b is new, c as well. c2: a on 23 December, a again: not new. c3: a on
    22 December, beyond the 100 days, so a is new again, and bought b: never before. c4: first bought on
    24 December, no history. c5: keeps a, known since January, and returns the new b. c6: x is in no catalogue,
    active all the same. c7: does not buy in the period. Anonymous buyers: nobody knows.
    Categories each: c1 2, c2 1, c3 2, c5 1, c6 0.
    Before 1 May the 100 days begin on 22 January: c4 has a history now, a is new again for c2, c3 and c5, and
    only c6 of the six buys nothing new. In June c1 alone is active, b being of May.
    """
    till = tables(
        sale("r1", "2023-11-01", of("a", 1, 5), by="c1"),
        sale("r2", "2024-05-01", of("b", 1, 5), of("c", 1, 5), by="c1"),
        sale("r3", "2024-06-01", of("b", 1, 5), by="c1"),
        sale("r4", "2023-12-23", of("a", 1, 5), by="c2"),
        sale("r5", "2024-05-01", of("a", 1, 5), by="c2"),
        sale("r6", "2023-12-22", of("a", 1, 5), by="c3"),
        sale("r7", "2024-05-02", of("a", 1, 5), of("b", 1, 5), by="c3"),
        sale("r8", "2023-12-24", of("a", 1, 5), by="c4"),
        sale("r9", "2024-05-02", of("b", 1, 5), by="c4"),
        sale("r10", "2023-11-01", of("a", 1, 5), by="c5"),
        sale("r11", "2024-01-10", of("a", 1, 5), by="c5"),
        sale("r12", "2024-05-03", of("a", 1, 5), of("b", 1, 5), by="c5"),
        sale("r13", "2024-05-09", back("r12.2", 5, product_id="b"), by="c5"),
        sale("r14", "2023-11-01", of("a", 1, 5), by="c6"),
        sale("r15", "2024-05-04", of("x", 1, 5), by="c6"),
        sale("r16", "2023-11-01", of("a", 1, 5), by="c7"),
        sale("r17", "2024-05-05", of("b", 1, 5)),
        products=CATALOGUE,
    )
    history = {"cross_sell_rate": {"history_days": 100}}
    found = run(till, "2024-04-01/2024-06-30", catalog=only("cross_sell_rate"), settings=history, breakdowns=("month",))
    total = row(found, "cross_sell_rate")
    assert (total["value"], total["numerator"], total["denominator"], total["status"]) == (0.4, 2, 5, "low_n")
    assert reason(total) == {"id": "reason.too_few_cases", "n": 5, "minimum": 30}
    assert row(found, "cross_sell_rate", "categories")["value"] == pytest.approx(6 / 5)
    assert values(found, "cross_sell_rate", "month") == pytest.approx({"2024-05": 5 / 6, "2024-06": 0})


def test_cross_sell_rate_without_the_history() -> None:
    """A year before 2024 nothing is known: nobody has a history, and the figure is not 0."""
    bought = sale("r1", "2023-12-20", of("a", 1, 5), by="c1"), sale("r2", "2024-01-05", 5, by="c1")
    till = tables(*bought, products=CATALOGUE)
    found = row(run(till, PERIOD, catalog=only("cross_sell_rate")), "cross_sell_rate")
    assert (found["status"], found["value"]) == ("missing_data", None)
    assert reason(found) == {"id": "reason.history_not_covered", "needed": "2023-01-01", "first": "2023-12-20"}


@pytest.mark.parametrize(("zero", "value", "receipts"), [(False, 20, 2), (True, 40 / 3, 3)])
def test_a_receipt_of_amount_zero_is_a_purchase_if_the_client_says_so(zero: bool, value: float, receipts: int) -> None:
    """Purchases of 10 and 30, and one of 0."""
    tables = sold(
        receipt(1, "2024-01-01", 10, "a"), receipt(2, "2024-01-02", 30, "b"), receipt(3, "2024-01-03", 0, "b")
    )
    settings = {"receipts": {"zero_is_purchase": zero}}
    found = row(run(tables, "2024-01-01/2024-01-31", catalog=single("avg_receipt"), settings=settings), "avg_receipt")
    assert (found["value"], found["denominator"]) == (pytest.approx(value), receipts)
