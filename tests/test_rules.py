"""Minimum rules at their edges."""

import json

import pytest

from kpibook import rules


@pytest.mark.parametrize(
    ("value", "low", "high", "n", "status", "message"),
    [
        (0.5, 0.45, 0.55, 400, "ok", None),
        (0.5, 0.40, 0.60, 29, "low_n", "reason.too_few_cases"),
        (0.5, 0.35, 0.65, 40, "low_n", "reason.interval_too_wide"),
        (0.01, 0.0, 0.05, 100, "ok", None),
        (0.04, 0.01, 0.07, 100, "low_n", "reason.interval_too_wide"),
        (0.05, 0.02, 0.085, 100, "ok", None),
    ],
)
def test_rule_p(value, low, high, n, status, message):
    """n_eff < 30 hides; width ≥ 0.30 hides; width ≤ 0.05 shows; between, width > 130 % of the value hides."""
    found, why = rules.share_rule(value, low, high, n)

    assert found == status
    assert (json.loads(why)["id"] if why else None) == message


def test_rule_m():
    assert rules.mean_rule(10, 3.0, 30) == ("ok", "")
    assert rules.mean_rule(10, 3.1, 30)[0] == "low_n"
    assert rules.mean_rule(10, 1, 29) == ("low_n", '{"id": "reason.too_few_persons", "n": 29, "minimum": 30}')
    assert rules.mean_rule(0, 0, 40)[0] == "low_n"
    assert rules.mean_rule(10, 1, 29, 60) == ("low_n", '{"id": "reason.too_few_cases", "n": 29, "minimum": 30}')


def test_rule_r():
    assert rules.ratio_rule(100) == ("ok", "")
    assert rules.ratio_rule(200, 30) == ("ok", "")
    assert rules.ratio_rule(200, 29) == ("low_n", '{"id": "reason.too_few_persons", "n": 29, "minimum": 30}')
    assert rules.ratio_rule(99) == ("low_n", '{"id": "reason.too_few_customers", "n": 99, "minimum": 100}')


def test_rule_k():
    assert rules.survival_rule(30) == ("ok", "")
    assert rules.survival_rule(29) == ("low_n", '{"id": "reason.too_few_at_risk", "n": 29, "minimum": 30}')


@pytest.mark.parametrize(
    ("effective", "cases", "message"),
    [(29.0, None, "too_few_cases"), (29.7, None, "too_few_effective"), (29.0, 29, "too_few_cases"),
     (29.0, 40, "too_few_effective"), (28.9999999, 29, "too_few_cases")],
)  # fmt: skip
def test_what_is_too_few(effective, cases, message):
    """29.7 is no number of cases; 29 beside 40 cases is what those are worth."""
    assert rules.too_few(effective, 30, cases) == f'{{"id": "reason.{message}", "n": 29, "minimum": 30}}'


def test_the_share_rule_says_what_clustered_cases_are_worth():
    assert rules.share_rule(0.5, 0.4, 0.6, 11.4) == (
        "low_n", '{"id": "reason.too_few_effective", "n": 11, "minimum": 30}',
    )  # fmt: skip
