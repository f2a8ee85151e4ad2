"""Payback, worked by hand in the shop of six customers."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from kpis.enrolment_shop import YEAR, client, cost, memberships
from loyalty_kpis.payback import _quantiles, _repaid
from tiny_client import only, row, run

LAUNCH = cost("launch_capex", 12.0, "2023-08-01", "2023-08-31")
RUNNING = cost("operations", 4.0, "2023-09-01", "2023-12-31")


def _results(*costs: dict, rate: float = 0.0, **tables: Any) -> Any:
    given = client(costs=costs, **tables)
    return run(given, **YEAR, catalog=only("payback_period"), settings={"payback_period": {"yearly_rate": rate}})


def test_payback() -> None:
    """The margin is 5 a month from September on (test_incremental), running cost 1: 4, 8, 12 = the launch's 12 in month
    3. Three members (rule D): nothing is shown, the estimate stands in the scorecard. Months, not a bare count.
    """
    results = _results(LAUNCH, RUNNING)
    whole = row(results, "payback_period")
    assert (whole["value"], whole["status"], whole["grade"]) == (None, "low_n", "C")
    assert row(results, "payback_period", "risk_set")["value"] == 3
    assert {whole["unit"], row(results, "payback_period", "risk_set")["unit"]} == {"months"}
    assert whole["low"] <= 3


def test_discounting_takes_longer() -> None:
    """At 8 % a year 4 / 1.08^(1/12) + 4 / 1.08^(2/12) + 4 / 1.08^(3/12) = 11.85: month 4."""
    assert row(_results(LAUNCH, RUNNING, rate=0.08), "payback_period", "risk_set")["value"] == 4


def test_not_repaid_is_no_number() -> None:
    """After four months 16 of 17."""
    found = row(_results({**LAUNCH, "amount": 17.0}, RUNNING), "payback_period", "risk_set")
    assert (found["value"], found["status"]) == (None, "undefined")
    assert json.loads(found["reason"]) == {
        "text": "Not repaid within the {months} months since the launch.",
        "months": 4,
    }


def test_costs_of_other_members_do_not_count() -> None:
    """A second member who joined in August without a history: half of the member-months, half of every cost. Margin 5
    less 0.5 a month against 6: month 2.
    """
    others = {"q1": "2023-08-10", "q2": "2023-08-10", "q3": "2023-08-10"}
    results = _results(LAUNCH, RUNNING, memberships=[*memberships(), *memberships(others)])
    assert row(results, "payback_period", "risk_set")["value"] == 2


def test_launched_before_the_data() -> None:
    """The first launch cost lies in the data, the first enrolment does not."""
    results = _results(LAUNCH, RUNNING, memberships=[*memberships(), *memberships({"old": "2020-01-01"})])
    found = row(results, "payback_period")
    assert (found["status"], found["grade"]) == ("not_identified", "D")
    assert json.loads(found["reason"])["text"].startswith("The launch lies before the data")


def test_without_a_launch_cost() -> None:
    found = row(_results(RUNNING), "payback_period")
    assert json.loads(found["reason"])["text"].startswith("The cost ledger has no launch cost")


@pytest.mark.parametrize(("net", "expected"), [([4, 4, 4], 3), ([12, -5, 9], 1), ([4, 4, 3], None), ([], None)])
def test_first_month_that_repays(net: list[float], expected: int | None) -> None:
    assert _repaid(np.array(net, dtype=float), 12.0, np.ones(len(net))) == expected


def test_percentiles_of_draws_that_may_never_repay() -> None:
    """Of eleven draws 2 to 9 repay and three never: P10 is the second, P90 the tenth."""
    assert _quantiles([2, 3, 4, 5, 6, 7, 8, 9, None, None, None]) == (3, None)
