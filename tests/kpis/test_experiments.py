"""Randomly withheld groups, worked by hand."""

from __future__ import annotations

import json
from typing import Any

import pytest
from scipy import stats

from kpis.enrolment_shop import memberships
from tiny_client import only, receipt, row, run, shop

MARCH = {"period": "2024-03-01/2024-03-31", "data": "2024-01-01/2024-04-30"}
CAMPAIGN = {"campaign_id": "c", "start_at": "2024-03-05 08:00:00", "response_window_days": 10}
#: Margin in the window and in the ten days before, by customer; t are treated.
MARGIN = {"t1": 10, "t2": 6, "t3": 0, "t4": 4, "c1": 2, "c2": 0, "c3": 0, "c4": 2}


def _targets(random: bool = True, **probability: float) -> list[dict[str, Any]]:
    return [
        {"campaign_id": "c", "customer_id": name, "assigned_at": "2024-03-05 07:00:00", "is_random": random,
         "arm": "treatment" if name[0] == "t" else "control", "assignment_prob": probability.get(name, 0.5)}
        for name in MARGIN
    ]  # fmt: skip


def _bought(day: str, start: int = 0) -> list[Any]:
    """Of every customer with a margin: gross 3 more than cost, general discount and variable cost of 1 each."""
    return [
        receipt(start + i, day, m + 10, name, gross_amount=m + 12, general_discount=1, cogs=10, variable_cost=1)
        for i, (name, m) in enumerate(MARGIN.items())
        if m
    ]


def _client(*more: Any, **tables: Any) -> dict[str, Any]:
    given = {"campaigns": [CAMPAIGN], "campaign_targets": _targets(), "memberships": memberships({"x": "2020-01-01"})}
    return shop(*_bought("2024-03-08"), *more, **{**given, **tables})


def _results(tables: dict[str, Any], **more: Any) -> Any:
    return run(tables, **MARCH, catalog=only("holdout_lift"), **more)


def test_holdout_lift() -> None:
    """Margin gross - general discount - goods - variable cost, over all assigned: treated (10 + 6 + 0 + 4) / 4 = 5,
    withheld 1: 4 a customer, 400 % of the withheld. Variances 52/3 and 4/3, error sqrt(56/3/4) = 2.16. Four an arm
    are too few.
    """
    results = _results(_client())
    found = row(results, "holdout_lift")
    assert (found["value"], found["status"], found["grade"], found["n"]) == (pytest.approx(4), "low_n", "C", 8)
    assert json.loads(found["reason"]) == {"id": "reason.too_few_in_group", "n": 4, "minimum": 1000}
    parts = (52 / 12, 4 / 12)
    freedom = sum(parts) ** 2 / sum(part**2 / 3 for part in parts)
    assert (found["high"] - found["low"]) / 2 == pytest.approx(stats.t.ppf(0.975, freedom) * sum(parts) ** 0.5)
    assert row(results, "holdout_lift", "relative")["value"] == pytest.approx(4)
    hidden = _results(_client(), min_persons=10)
    assert json.loads(row(hidden, "holdout_lift", "c")["reason"])["id"] == "reason.privacy"


def test_power_for_the_break_even_is_enough() -> None:
    """A lift of 6.10 would be seen with 80 % power (2.8 times 2.16 = 6.05): grade A with four customers an arm."""
    found = row(_results(_client(), settings={"holdout_lift": {"break_even": 6.1}}), "holdout_lift")
    assert (found["status"], found["grade"]) == ("ok", "A")


def test_only_the_window_counts() -> None:
    """The window's ten days end on 14 March: a purchase on the 15th does not count, one on the 14th does (+8 / 4)."""
    line = {"gross_amount": 8, "general_discount": 0, "cogs": 0, "variable_cost": 0}
    late, last = (receipt(n, day, 8, "t3", **line) for n, day in ((90, "2024-03-15"), (91, "2024-03-14")))
    assert row(_results(_client(late)), "holdout_lift")["value"] == pytest.approx(4)
    assert row(_results(_client(last)), "holdout_lift")["value"] == pytest.approx(6)


def test_cuped() -> None:
    """Everybody bought in the ten days before what was bought in them: the margin before predicts all, no lift is
    left.
    """
    results = _results(_client(*_bought("2024-03-01", 50)))
    assert row(results, "holdout_lift")["value"] == pytest.approx(4)
    assert row(results, "holdout_lift", "cuped")["value"] == pytest.approx(0, abs=1e-9)


def test_effect_per_enrolment() -> None:
    """All four treated enrol in the window, none of the others: the lift of 4 is that of one enrolment. One had
    enrolled before: three of four, 4 / 0.75, but F = (0.75 / 0.25)^2 = 9 is too weak.
    """
    joined = {name: "2024-03-06" for name in MARGIN if name[0] == "t"}
    results = _results(_client(memberships=memberships(joined)))
    assert row(results, "holdout_lift", "per_enrolment")["value"] == pytest.approx(4)
    weak = row(
        _results(_client(memberships=memberships({**joined, "t1": "2024-01-06"}))), "holdout_lift", "per_enrolment"
    )
    assert (weak["value"], weak["status"]) == (None, "not_identified")


def test_arms_of_the_wrong_size_are_invalid() -> None:
    """Four of eight treated where 99 % were to be treated."""
    wrong = {name: 0.99 if name[0] == "t" else 0.01 for name in MARGIN}
    found = row(_results(_client(campaign_targets=_targets(**wrong))), "holdout_lift")
    assert (found["value"], found["status"], found["grade"]) == (None, "not_identified", "D")


def test_not_drawn_at_random() -> None:
    found = row(_results(_client(campaign_targets=_targets(random=False))), "holdout_lift")
    assert (found["value"], found["status"]) == (None, "not_identified")


def test_window_that_is_not_over() -> None:
    found = row(_results(_client(), settings={"holdout_cases": {"window_days": 90}}), "holdout_lift")
    assert (found["value"], found["status"]) == (None, "undefined")
