"""ROI, net value and break-even, worked by hand in the shop of six customers; the arithmetic of intervals by itself."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from kpibook.stats.intervals import Interval
from kpis.enrolment_shop import SPENT, YEAR, client, cost, memberships
from loyalty_kpis.programme_return import Return
from tiny_client import only, row, run

BOTH = ("programme_roi", "net_programme_value")


def _results(tables: dict, **more: Any) -> Any:
    return run(tables, **{**YEAR, **more}, catalog=only(*BOTH, "break_even_uplift"))


def _line(results: Any, line: str, column: str = "identified_members") -> float:
    table = results.tables["programme_roi"].set_index("line")
    return float(table.loc[line, column])


def test_margin_against_cost_of_the_same_members() -> None:
    """20 of margin (test_incremental), cost 24: all twelve member-months after enrolment are identified, so all of it
    counts. Bracket 15 to 30: net value from -9 to +6, ROI from 15/24 - 1 to 30/24 - 1. Three members: no single ROI.
    """
    results = _results(client())
    roi, value = (row(results, name) for name in BOTH)
    assert (roi["value"], roi["status"], roi["grade"], roi["denominator"]) == (None, "low_n", "C", 24)
    assert (value["value"], value["status"]) == (None, "low_n")
    ends = [row(results, "programme_roi", n)["value"] for n in ("never_enrolled", "later_enrollers")]
    assert ends == pytest.approx([15 / 24 - 1, 30 / 24 - 1])
    net = [row(results, "net_programme_value", n)["value"] for n in ("never_enrolled", "later_enrollers")]
    assert net == pytest.approx([-9, 6])
    assert roi["low"] <= ends[0] < ends[1] <= roi["high"]
    assert [_line(results, name) for name in ("margin", "cost", "net_value")] == pytest.approx([20, 24, -4])


def test_every_euro_once() -> None:
    """p1 gets 1 off at each of four purchases after enrolling, a supplier refunds 0.40 of it: 2.40. The ledger's row of
    the same discounts is marked as being in the receipts: it does not count again. Cost 24 + 2.40.
    """
    ledger = [
        cost("operations", 24.0, "2023-01-01", "2023-12-31"),
        cost("loyalty_discount", 4.0, "2023-09-01", "2023-12-31", is_in_transactions=True),
    ]
    tables = client(costs=ledger)
    receipts = {t["transaction_id"] for t in tables["transactions"] if t["customer_id"] == "p1" and t["ts"] > "2023-09"}
    for line in tables["order_lines"]:
        if line["transaction_id"] in receipts:
            line |= {"gross_amount": 16, "loyalty_discount": 1, "cogs": 8.5, "supplier_funding": 0.4}
    results = _results(tables)
    assert row(results, "programme_roi")["denominator"] == pytest.approx(26.4)
    assert _line(results, "discounts") == pytest.approx(2.4)
    assert _line(results, "margin") == pytest.approx(20)


def test_cost_is_shared_out_by_member_months() -> None:
    """A member since 2020 has twelve member-months of the 24: half of the 24 belongs to the identified members."""
    tables = client(memberships=[*memberships(), *memberships({"old": "2020-01-01"})])
    results = _results(tables)
    assert row(results, "programme_roi")["denominator"] == pytest.approx(12)
    assert _line(results, "margin", "all_members_same_effect") == pytest.approx(40)
    assert _line(results, "cost", "all_members_same_effect") == pytest.approx(24)


def test_by_what_was_known_before() -> None:
    """p1 and p2 came by the web, the others by the shop. Of 12 member-months p1 has 4, p3 and p5 the other 8: of the
    cost of 24 the web bears 8. Its increment is p1 against p2, 10 (test_incremental), the shop's that of p3, 10 too.
    """
    customers = [
        {"customer_id": c, "acquisition_channel": "web" if c in ("p1", "p2") else "store", "created_at": "2023-01-01"}
        for c in SPENT
    ]
    results = _results(client(customers=customers), breakdowns=("acquisition_channel",))
    rows = {name: row(results, "programme_roi", name) for name in ("web", "store")}
    assert {name: found["denominator"] for name, found in rows.items()} == {"web": 8, "store": 16}
    assert {name: found["n"] for name, found in rows.items()} == {"web": 1, "store": 2}
    assert {found["status"] for found in rows.values()} == {"low_n"}
    net = {name: row(results, "net_programme_value", name) for name in ("web", "store")}
    assert net["web"]["low"] <= 10 - 8 <= net["web"]["high"]
    assert net["store"]["low"] <= 10 - 16 <= net["store"]["high"]


def test_by_tier_it_cannot_be_known() -> None:
    """p1 holds gold, which nobody without the programme can hold; asked for or not, it is told once."""
    tier = {"member_id": "m-p1", "tier_id": "gold", "tier_rank": 2, "valid_from": "2022-12-01 12:00:00"}
    for asked in ((), ("tier",)):
        found = row(_results(client(tier_history=[tier]), breakdowns=asked), "programme_roi", "gold")
        assert (found["segment_by"], found["value"], found["status"]) == ("tier", None, "not_identified")
        assert json.loads(found["reason"])["text"] == (
            "What tells these groups apart comes of enrolling: whoever did not enrol cannot be compared with them."
        )


def test_no_cost_no_ratio() -> None:
    results = _results(client(costs=[cost("operations", 0.0, "2023-01-01", "2023-12-31")]))
    found = row(results, "programme_roi")
    assert (found["status"], json.loads(found["reason"])["text"]) == (
        "undefined",
        "The programme has no cost in this period.",
    )
    assert row(results, "net_programme_value")["status"] == "low_n"


def test_grade_d_has_no_roi_but_a_design() -> None:
    """All six enrol in August. Their margins of the year: 70, 60, 60, 50, 40, 40, variance 146.67. Cost 24 over six
    times 144 days, 2.3655 member-years: 10.146 each. 2 (1.96 + 0.8416)^2 * 146.67 / 10.146^2 = 22.4: 23 customers
    an arm.
    """
    results = _results(client(memberships=memberships(dict.fromkeys(SPENT, "2023-08-10"))))
    for name in BOTH:
        found = row(results, name)
        assert (found["value"], found["status"], found["grade"]) == (None, "not_identified", "D")
        reason = json.loads(found["reason"])
        assert reason["text"].startswith("The increment cannot be identified with these data.")
        assert reason["persons"] == 23
    assert row(results, "break_even_uplift")["value"] is not None


def test_grade_d_without_anybody_at_risk() -> None:
    found = row(_results(client(memberships=memberships(dict.fromkeys(SPENT, "2023-01-10")))), "programme_roi")
    assert json.loads(found["reason"]) == {"text": "The increment cannot be identified with these data."}


def test_break_even_uplift() -> None:
    """Margin before benefits since the month of enrolment: p1 35, p3 25, p5 5, p2 5: 70. 24 / (70 - 24). Days as
    members: three times 144 and 22: 454 / 365.25 years, 24 for them. Four members are too few to show it as firm.
    """
    results = _results(client())
    found = row(results, "break_even_uplift")
    assert (found["value"], found["numerator"], found["denominator"]) == (pytest.approx(24 / 46), 24, pytest.approx(46))
    assert (found["status"], json.loads(found["reason"])["n"]) == ("low_n", 4)
    per_year = row(results, "break_even_uplift", "per_member_year")
    assert per_year["value"] == pytest.approx(24 / (454 / 365.25))
    assert per_year["unit"] == "money"


def test_break_even_interval_is_that_of_the_margin() -> None:
    """Margins 35, 25, 5, 5: standard deviation 15, error of the sum 15 * 2 = 30; at the upper end of 70 + 58.8 the
    uplift is 24 / 104.8, at the lower end (11.2) the margin may not reach the cost at all: no upper end.
    """
    found = row(_results(client()), "break_even_uplift")
    assert found["low"] == pytest.approx(24 / (70 + 1.959964 * 30 - 24))
    assert found["high"] is None


def test_cannot_break_even() -> None:
    found = row(_results(client(costs=[cost("operations", 70.0, "2023-01-01", "2023-12-31")])), "break_even_uplift")
    assert (found["value"], found["status"]) == (None, "undefined")
    assert json.loads(found["reason"])["text"].startswith("The members' margin does not reach the cost")


def _return(cost_variance: float = 0.0, covariance: float = 0.0) -> Return:
    """Margin 150 with a standard error of 20, interval 100 to 190, bounds 80 to 240, cost 100."""
    study = SimpleNamespace(total=150.0, standard_error=20.0)
    found = SimpleNamespace(study=study, interval=Interval(100, 190), bounds=Interval(80, 240))
    return Return(found, 100.0, 40.0, cost_variance, covariance, 2.0)


def test_convention_of_the_ratio() -> None:
    """The catalogue's example: margin before benefits 150, discounts 40, other cost 60: ROI 50 %, net value 50."""
    assert _return().ratio()[0] == pytest.approx(0.5)
    assert _return().value()[0] == pytest.approx(50)


def test_interval_of_the_ratio_takes_the_wider_end() -> None:
    """Fieller with certain cost: 0.5 -+ 0.392, so 0.108 to 0.892; the design's interval 0.0 to 0.9; bounds -0.2 to
    1.4.
    """
    _, interval, bounds = _return().ratio()
    assert interval == pytest.approx((0.0, 0.9))
    assert bounds == pytest.approx((-0.2, 1.4))


def test_uncertain_cost_widens_the_net_value() -> None:
    """Var(150 - 100) = 400 + 2500 - 2 * 200 = 2500: 50 -+ 98; the design's interval is 0 to 90."""
    _, interval, _ = _return(2500.0, 200.0).value()
    assert interval == pytest.approx((50 - 1.959964 * 50, 50 + 1.959964 * 50), abs=1e-4)


def test_table_adds_up() -> None:
    costs = pd.DataFrame({"component": ["loyalty_discount", "operations"], "amount": [90.0, 130.0]})
    table = _return().table(costs).set_index("line")
    assert table["identified_members"].tolist() == [150, 40, 60, 100, 50]
    assert table["all_members_same_effect"].tolist() == [300, 90, 130, 220, 80]
    assert np.isclose(table.loc["discounts"].sum() + table.loc["other_cost"].sum(), table.loc["cost"].sum())
